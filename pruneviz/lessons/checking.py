"""Is what a lesson says of its network so?"""

from __future__ import annotations

from pruneviz.lessons.assignment import layers_of
from pruneviz.lessons.lesson import Lesson
from pruneviz.lessons.statement import bare_numbers, is_so, statements
from pruneviz.workbench import Workbench


def doubts(lesson: Lesson, bench: Workbench | None) -> list[str]:
    """What is not so, one sentence each; [] where all is.

    bench: of its network; None of a lesson whose reader brings the network, of which it can state
    nothing. A number that the lesson states is computed; every other must stand under `settings`;
    every layer that a condition names must be there.
    """
    words = [] if bench is None else [*_layers(lesson, bench), *_statements(lesson, bench)]
    bare = {number for text in lesson.texts for number in bare_numbers(text)}
    settings = {*lesson.settings}
    loose = "stands in the text, and is neither computed nor under settings"
    words += [f"{number!r} {loose}" for number in sorted(bare - settings)]
    words += [f"settings has {n!r}, which stands in no text" for n in sorted(settings - bare)]
    return words


def _layers(lesson: Lesson, bench: Workbench) -> list[str]:
    missing = sorted(layers_of(lesson) - set(bench.layer_of))
    return [f"{bench.name} has no layer {name!r}" for name in missing]


def _statements(lesson: Lesson, bench: Workbench) -> list[str]:
    words = []
    for number, source in (pair for text in lesson.texts for pair in statements(text)):
        try:
            if not is_so(number, source, bench):
                words.append(f"{number} is not what {source} comes to")
        except ValueError as error:
            words.append(f"{number}: {error}")
    return words
