"""Which numbers does a text of a lesson state, and are they so?"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from pruneviz.lessons.expression import Expression, check, steps_named, value
from pruneviz.lessons.situation import COUNTS, NAMES, SIZES
from pruneviz.plan import Plan
from pruneviz.workbench import Workbench

# [[98.6 %: accuracy(fc1=0.5)]]: a number that is stated, and what it comes from.
_STATEMENT = re.compile(r"\[\[([^\]:]+):([^\]]+)\]\]")
# {half.accuracy}: what the reader measured at the step called half; formulas have braces, too.
_OWN = re.compile(r"\$[^$]+\$|\{([^{}]+)\}")
_NUMBER = re.compile(r"([-+−]?[\d,]+(?:\.(\d+))?)\s*(%|points?|times|×)?")
WORDS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "twenty": 20,
}  # fmt: skip
# Numbers that a text says in words; "one" is a pronoun more often.
_SPELLED = (
    *WORDS,
    "half",
    "halves",
    "quarter",
    "quarters",
    "hundred",
    "thousand",
    "million",
    "dozen",
)
_BARE = re.compile(
    r"(?<![\w.,])[-+−]?\d+(?:,\d{3})*(?:\.\d+)?(?:\s*(?:%|points?|times|×|KiB))?"
    rf"|\b(?:{'|'.join(_SPELLED)})\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"`[^`]*`|\]\([^)]*\)")  # layers and links may have figures in their names
FUNCTIONS = (
    "accuracy", "delta", "kept", "parameters", "weights", "near_zero", "macs", "zipped", "stored",
    "layers", "units", "validation", "calibration", "classes",
)  # fmt: skip


def check_text(text: str, steps: Collection[str] | None) -> None:
    """ValueError names a statement or placeholder that cannot be read.

    steps: whose measurements the text may show; None: it shows none.
    """
    for words, source in statements(text):
        if words not in WORDS and _NUMBER.fullmatch(words) is None:
            raise ValueError(f"[[{words}: …]] must state a number, as in [[98.6 %: …]]")
        check(source, FUNCTIONS)
    for match in _OWN.finditer(_STATEMENT.sub("", text)):
        if match[1] is None:
            continue
        if steps is None:
            raise ValueError(f"{match[0]} stands where nothing is measured yet")
        check(match[1], NAMES, steps)


def statements(text: str) -> list[tuple[str, str]]:
    """The numbers that a text states: (as it is written, what it comes from)."""
    return [(words.strip(), source.strip()) for words, source in _STATEMENT.findall(text)]


def bare_numbers(text: str) -> list[str]:
    """The numbers in a text, in figures or in words, that nothing computes.

    >>> bare_numbers("[[61,706: parameters()]] parameters of `fc1`, half of them at 90 %")
    ['half', '90 %']
    """
    rest = _NAME.sub(" ", _OWN.sub(" ", _STATEMENT.sub(" ", text)))
    numbers = [" ".join(number.split()) for number in _BARE.findall(rest)]
    return [each.lower() if each.isalpha() else each for each in numbers]


def is_single(text: str) -> bool:
    """Whether a text is one statement or one placeholder, and nothing else."""
    return bool(_STATEMENT.fullmatch(text) or re.fullmatch(r"{[^{}]+}", text))


def number_in(text: str) -> tuple[float, str]:
    """(the number that a readable text begins with, its unit); ValueError where it has none.

    >>> number_in("−1,024.5 %")
    (-1024.5, '%')
    """
    match = _NUMBER.match(text)
    if match is None:
        raise ValueError(f"{text!r} is no number")
    unit = match[3] or text[match.end() :].strip()
    return float(match[1].replace(",", "").replace("−", "-")), unit


def steps_shown(text: str) -> set[str]:
    """The steps whose measurements a text shows."""
    return {
        name
        for inner in _OWN.findall(_plain(text))
        if inner
        for name in steps_named(Expression(inner))
    }


def readable(text: str, steps: Mapping[str, Mapping[str, object]] | None = None) -> str:
    """The text as a reader sees it; steps: what was measured, step -> name -> value."""
    return _OWN.sub(lambda match: _own(match, steps or {}), _plain(text))


def is_so(words: str, source: str, bench: Workbench) -> bool:
    """Whether a number that is stated is what the network gives, to its last figure.

    >>> is_so("10 %", "0.1", pv.open("lenet300"))
    True
    """
    computed = value(check(source, FUNCTIONS), _functions(bench))
    if not isinstance(computed, int | float):
        raise ValueError(f"{source!r} is no number")
    if words in WORDS:
        return computed == WORDS[words]
    number, _ = number_in(words)
    match = _NUMBER.fullmatch(words)
    if match is None:
        raise ValueError(f"{words!r} is no number")
    factor = 100 if match[3] in ("%", "point", "points") else 1
    return float(f"{computed * factor:.{len(match[2] or '')}f}") == number


def _plain(text: str) -> str:
    return _STATEMENT.sub(lambda match: match[1].strip(), text)


def _own(match: re.Match[str], steps: Mapping[str, Mapping[str, object]]) -> str:
    if match[1] is None:
        return match[0]
    try:
        shown = value(Expression(match[1]), {}, steps)
    except ValueError:  # of a lesson that was changed since: what is missing is not shown
        return "–"
    if isinstance(shown, bool) or not isinstance(shown, int | float):
        return str(shown)
    last = match[1].rpartition(".")[2]
    if last in COUNTS:
        return f"{shown:,.0f}"
    if last in SIZES:
        return f"{shown:.1f} KiB"
    if "delta" in match[1]:
        return f"{100 * shown:+.1f} points".replace("-", "−")
    return f"{100 * shown:.1f} %"


def _functions(bench: Workbench) -> dict[str, Callable[..., float]]:
    """What a statement may ask of a network. Layers are named as `fc1=0.5`, or in `at={…}`."""

    def parameters(**words: Any) -> int:
        return bench.counts(_plan(bench, **words)).params_kept

    def macs(**words: Any) -> float:
        counts, dense = bench.counts(_plan(bench, **words)), bench.counts(Plan())
        return float(counts.macs_kept or 0) / float(dense.macs_kept or 1)

    def near_zero(layer: str, share: float) -> float:
        size = bench.weight(layer).abs()
        return float((size < share * size.max()).float().mean())

    def zip_share(**words: Any) -> float:
        cost = bench.cost(_plan(bench, **words))
        return cost.masked.zipped / cost.dense.file

    return {
        "accuracy": lambda **words: bench.evaluate(_plan(bench, **words)).accuracy,
        "delta": lambda **words: bench.evaluate(_plan(bench, **words)).delta,
        "kept": lambda **words: parameters(**words) / parameters(),
        "parameters": parameters,
        "weights": lambda layer: bench.weight(layer).numel(),
        "near_zero": near_zero,
        "macs": macs,
        "zipped": zip_share,
        "stored": lambda **words: (
            bench.counts(_plan(bench, **words)).params_shrunk / bench.counts(Plan()).params_shrunk
        ),
        "layers": lambda: len(bench.layer_of),
        "units": lambda layer: bench.layer_of[layer].units,
        "validation": lambda: len(bench.source.validation),
        "calibration": lambda: len(bench.source.calibration),
        "classes": lambda: len(bench.source.classes),
    }


def _plan(
    bench: Workbench,
    criterion: str = "magnitude",
    granularity: str = "weight",
    scope: str = "layer",
    relative: bool = False,
    all: float = 0.0,
    at: Mapping[str, float] | None = None,
    **levels: float,
) -> Plan:
    free = [name for name in bench.layer_of if name not in bench.locks]
    sparsity = {name: all for name in free if all} | dict(at or {}) | levels
    return Plan(criterion, granularity, scope, sparsity, relative)
