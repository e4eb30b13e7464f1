"""Under which name does a network stand whose score is taken in another way?"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pruneviz.tasks.several import output_notes
from pruneviz.workbench import Workbench

_OUTPUT, _TASK = " · output ", " · task "
_USUAL = "usual"


@dataclass(frozen=True)
class ScoreSource:
    """What the score of a network is taken from: an output and a task by name; None: the usual."""

    output: str | None
    task: str | None


def scoring_of(bench: Workbench) -> ScoreSource:
    """What was asked for when it was opened."""
    return ScoreSource(bench.source.output, bench.source.task)


def scored_name(base: str, usual: ScoreSource, source: ScoreSource) -> str:
    """The name of the network `base`, opened as `usual`, when it is scored as `source` says."""
    output = "" if source.output == usual.output else f"{_OUTPUT}{source.output or _USUAL}"
    task = "" if source.task == usual.task else f"{_TASK}{source.task or _USUAL}"
    return f"{base}{output}{task}"


def base_of(name: str) -> str:
    """The name without what it says of the score."""
    return name.partition(_OUTPUT)[0].partition(_TASK)[0]


def rescore(bench: Workbench, base: str, name: str) -> Workbench:
    """`bench`, called `base`, opened anew as `name` says; ValueError where that does not fit."""
    output, _, task = name.removeprefix(base).partition(_TASK)
    usual = scoring_of(bench)
    score = ScoreSource(
        _choice(output.removeprefix(_OUTPUT), usual.output), _choice(task, usual.task)
    )
    source = bench.plain_source
    stale = {bench.task.note, *output_notes(bench.task, bench.survey.outputs)}
    request = source.opened
    if request is not None:
        request = replace(request, output=score.output, task=score.task)
    return Workbench(
        replace(
            source,
            output=score.output,
            task=score.task,
            opened=request,
            notes=tuple(note for note in source.notes if note not in stale),
            dense=None,  # what was answered once was judged by the usual task
        )
    )


def _choice(text: str, usual: str | None) -> str | None:
    return usual if not text else None if text == _USUAL else text
