"""Which plain values stand in a YAML file, and on which lines?"""

from __future__ import annotations

import re
from typing import Any

import yaml

from pruneviz import limits
from pruneviz.recipes.recipe import Place, place_text

_DEPTH, _SHOWN = 12, 60
_OPEN = 100  # brackets at once, of which a parser is not even asked: in a text they stand for less
_DEEP = f"more than {_DEPTH} levels deep; no recipe is"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# As YAML 1.2 has them: no sexagesimal 2:4, no "no" that means false; and 1e-5 is a number.
_PLAIN: tuple[tuple[str, Any], ...] = (
    (r"~|null|Null|NULL|", lambda text: None),
    (r"true|True|TRUE", lambda text: True),
    (r"false|False|FALSE", lambda text: False),
    (r"[-+]?[0-9]+", int),
    (r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", float),
    (r"[-+]?\.(inf|Inf|INF)", lambda text: float(text.replace(".", ""))),
    (r"\.(nan|NaN|NAN)", lambda text: float("nan")),
)
_DIGITS = 300  # of a number; Python takes long over longer ones


def parse(data: str | bytes, file: str = "recipe") -> tuple[Any, dict[Place, int]]:
    """The values of a YAML file, and the line of each of them by its place.

    Read as data only: no tags, no anchors, one document, bounded in size and depth. Keys are texts.
    Raises ValueError naming the line.
    """
    text = _text(data, file)
    _check_brackets(text, file)
    builder = _ValueBuilder(file)
    try:
        builder.read(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = "" if mark is None else f", line {mark.line + 1}"
        raise ValueError(f"{file}{line}: this is no YAML: {error.problem}") from None
    except yaml.YAMLError as error:  # a character that has no place in it
        reason = str(error).splitlines()[0]
        raise ValueError(f"{file}: this is no YAML: {reason}") from None
    return builder.values, builder.lines


def plain(text: str) -> Any:
    """The value of a text without quotes."""
    if len(text) <= _DIGITS:
        for pattern, convert in _PLAIN:
            if re.fullmatch(pattern, text):
                return convert(text)
    return text


def _text(data: str | bytes, file: str) -> str:
    limits.check("recipe_bytes", len(data), f"a recipe is a small text, and {file} holds")
    if isinstance(data, str):
        return data
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ValueError(f"{file}, line {line}: this is no text in UTF-8") from None


def _check_brackets(text: str, file: str) -> None:
    """ValueError for what no parser shall see: some refuse it in other words, some take minutes."""
    columns: list[int] = []
    for bracket in re.finditer(r"[][{}]", text):
        if bracket[0] in "[{":
            columns.append(bracket.start())
        elif columns:
            columns.pop()
        if len(columns) > _OPEN:
            line = text.count("\n", 0, columns[_DEPTH]) + 1
            raise ValueError(f"{file}, line {line}: {_DEEP}")


class _ValueBuilder:
    """What the events of a parser have made so far."""

    def __init__(self, file: str) -> None:
        self.file, self.values = file, None
        self.lines: dict[Place, int] = {}

    def read(self, text: str) -> None:
        self.events = yaml.parse(text, Loader=_LOADER)
        next(self.events)
        if isinstance(next(self.events), yaml.StreamEndEvent):
            return
        self.values = self._value(next(self.events), ())
        next(self.events)
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self._wrong(after, (), "a second document begins here; a recipe is one")

    def _value(self, event: Any, place: Place) -> Any:
        self._check(event, place)
        self.lines.setdefault(place, _line(event))
        if isinstance(event, yaml.ScalarEvent):
            return event.value if event.style else plain(event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(place)
        return self._mapping(place)

    def _list(self, place: Place) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            values.append(self._value(event, (*place, len(values))))
        return values

    def _mapping(self, place: Place) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            self._check(event, place)
            if not isinstance(event, yaml.ScalarEvent):
                raise self._wrong(event, place, "a key must be a text")
            key, line = str(event.value), _line(event)
            if key in values:
                before = self.lines[(*place, key)]
                raise self._wrong(
                    event, place, f"the key {_short(key)} is here again (before: line {before})"
                )
            self.lines[(*place, key)] = line
            values[key] = self._value(next(self.events), (*place, key))
        return values

    def _check(self, event: Any, place: Place) -> None:
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise self._wrong(event, place, "anchors and aliases (&, *) are not read; write it out")
        if event.tag is not None:
            tag = _short(event.tag)
            raise self._wrong(event, place, f"tags such as {tag} are not read; write plain values")
        if len(place) > _DEPTH:
            raise self._wrong(event, (), _DEEP)

    def _wrong(self, event: Any, place: Place, words: str) -> ValueError:
        self.lines[place] = _line(event)
        where = place_text(self.file, self.lines, place)
        return ValueError(f"{where}: {words}")


def _line(event: Any) -> int:
    number: int = event.start_mark.line + 1
    return number


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
