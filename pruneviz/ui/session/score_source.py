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


def scored_name(base: str, usual: ScoreSource, wanted: ScoreSource) -> str:
    """The name of the network `base`, which is opened as `usual`, when it is scored as `wanted`."""
    output = "" if wanted.output == usual.output else f"{_OUTPUT}{wanted.output or _USUAL}"
    task = "" if wanted.task == usual.task else f"{_TASK}{wanted.task or _USUAL}"
    return f"{base}{output}{task}"


def base_of(name: str) -> str:
    """The name without what it says of the score."""
    return name.partition(_OUTPUT)[0].partition(_TASK)[0]


def rescored(bench: Workbench, base: str, name: str) -> Workbench:
    """`bench`, called `base`, opened anew as `name` says; ValueError where that does not fit."""
    said, _, task = name.removeprefix(base).partition(_TASK)
    usual = scoring_of(bench)
    wanted = ScoreSource(
        _wanted(said.removeprefix(_OUTPUT), usual.output), _wanted(task, usual.task)
    )
    source = bench.given
    stale = {bench.task.note, *output_notes(bench.task, bench.survey.outputs)}
    opened = source.opened
    if opened is not None:
        opened = replace(opened, output=wanted.output, task=wanted.task)
    return Workbench(
        replace(
            source,
            output=wanted.output,
            task=wanted.task,
            opened=opened,
            notes=tuple(note for note in source.notes if note not in stale),
            dense=None,  # what was answered once was judged by the usual task
        )
    )


def _wanted(said: str, usual: str | None) -> str | None:
    return usual if not said else None if said == _USUAL else said
