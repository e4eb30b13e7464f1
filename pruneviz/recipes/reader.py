"""What does a recipe's text say?"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from pruneviz.plan import Plan
from pruneviz.recipes.parser import parse
from pruneviz.recipes.recipe import Place, Recipe, RecipeResult, place_text
from pruneviz.sources.open_request import OpenRequest
from pruneviz.training.methods import find_method
from pruneviz.training.steps import TrainingStep

_SCHEMA = Path(__file__).with_name("recipe.schema.json")
_SHOWN = 60
_CHANGES = {"change": "delta", "change_low": "delta_low", "change_high": "delta_high"}
_TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "keys with values",
    "null": "empty",
}


@cache
def schema() -> dict[str, Any]:
    """The JSON Schema of a recipe."""
    content: dict[str, Any] = json.loads(_SCHEMA.read_text("utf-8"))
    return content


def from_yaml(data: str | bytes, file: str = "recipe") -> Recipe:
    """The recipe in a YAML text; nothing is opened or run.

    file: what it is called in errors. Raises ValueError naming the line and the key of what is
    unknown, missing or of the wrong type.
    """
    values, lines = parse(data, file)
    if values is None:
        raise ValueError(f"{file} is empty; a recipe holds at least a plan: {_LEAST}")
    errors = sorted(
        _validator().iter_errors(values),
        key=lambda error: (lines.get(_place(error), 0), [str(part) for part in error.path]),
    )
    if errors:
        raise ValueError(_words(best_match([errors[0]]), values, file, lines))
    try:
        plan = Plan.from_dict(values["plan"])
    except ValueError as error:
        raise ValueError(f"{place_text(file, lines, ('plan',))}: {error}") from None
    return _recipe(values, plan, lines, file)


def recipe_dropped(data: bytes, file: str = "recipe") -> Recipe:
    """The recipe in a file that somebody dropped on the app; ValueError as `from_yaml`."""
    return from_yaml(data, file)


_LEAST = "plan: {criterion: magnitude, sparsity: {LAYER: 0.5}}"


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(schema())


def _recipe(values: dict[str, Any], plan: Plan, lines: dict[Place, int], file: str) -> Recipe:
    model, data = _section(values, "model"), _section(values, "data")
    result = dict(values.get("expected", {}))
    masks = result.pop("masks", None)
    opening = _opening(model, data)
    return Recipe(
        plan=plan,
        opening=None if opening == OpenRequest("") else opening,
        name=model.get("name", ""),
        in_hand=tuple(values.get("in_hand", ())),
        weights=model.get("weights"),
        data=data.get("fingerprint"),
        masks=masks,
        expected=_result_of(result) if "n" in result else None,
        counts=values.get("counts", {}),
        cost=values.get("cost", {}),
        made=values.get("made", {}),
        training=_steps(values.get("training", ()), plan, lines, file),
        lines=lines,
        file=file,
    )


def _steps(
    items: Sequence[Mapping[str, Any]], plan: Plan, lines: dict[Place, int], file: str
) -> tuple[TrainingStep, ...]:
    """The steps of training; one without a plan trains by the recipe's."""
    steps = []
    for number, values in enumerate(items):
        try:
            step = TrainingStep.from_dict(values, plan)
            find_method(step.training, step.plan)
        except ValueError as error:  # its first word is the setting that does not fit
            key = next((name for name in str(error).split()[:2] if name in values), None)
            place = ("training", number) if key is None else ("training", number, key)
            raise ValueError(f"{place_text(file, lines, place)}: {error}") from None
        steps.append(step)
    return tuple(steps)


def _section(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A section, or the name alone that is short for one."""
    value = values.get(name, {})
    return {"from": value} if isinstance(value, str) else value


def _opening(model: dict[str, Any], data: dict[str, Any]) -> OpenRequest:
    size = data.get("size")
    options = {
        "data": data.get("from"),
        "train": data.get("train"),
        "arch": model.get("arch"),
        "metric": data.get("metric"),
        "output": data.get("output"),
        "task": data.get("task"),
        "ignore": data.get("ignore"),
        "classes": tuple(data.get("classes", ())),
        "size": tuple(size) if isinstance(size, list) else size,
        "mean": tuple(data["mean"]) if "mean" in data else None,
        "std": tuple(data["std"]) if "std" in data else None,
        "share": data.get("calibration", OpenRequest("").share),
        "seed": data.get("split_seed", 0),
        "unsafe": model.get("unsafe", False),
        "tokenizer": model.get("tokenizer"),
        "target": data.get("target"),
    }
    return OpenRequest(model.get("from", ""), **options)


def _result_of(values: dict[str, Any]) -> RecipeResult:
    numbers = {_CHANGES.get(name, name): value for name, value in values.items()}
    return RecipeResult(**{"measure": ""} | numbers)


# -- what is wrong, in words ---------------------------------------------------------------


def _place(error: Any) -> Place:
    """Of the key that is wrong: of an unknown one its own."""
    error = best_match([error])
    place = tuple(error.absolute_path)
    unknown = _unknown(error)
    return (*place, unknown[0]) if unknown else place


def _unknown(error: Any) -> list[str]:
    if error.validator != "additionalProperties" or error.validator_value is not False:
        return []
    return [name for name in error.instance if name not in error.schema["properties"]]


def _words(error: Any, values: Any, file: str, lines: dict[Place, int]) -> str:
    place = _place(error)
    unknown = _unknown(error)
    if unknown:
        names = list(error.schema["properties"])
        near = difflib.get_close_matches(unknown[0], names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"
        section = ".".join(map(str, place[:-1])) or "a recipe"
        where = place_text(file, lines, place).rpartition(": ")[0]
        return f"{where}: unknown key {_short(unknown[0])} in {section}; {hint}"
    where = place_text(file, lines, place)
    return f"{where}{_complaint(error, place)}"


def _complaint(error: Any, place: Place) -> str:
    got, bound = _short(error.instance), error.validator_value
    if error.validator in ("required", "dependentRequired"):
        return _absence(error, place)
    if error.validator == "type":
        kinds = [bound] if isinstance(bound, str) else bound
        rule = " or ".join(_TYPES[kind] for kind in kinds)
    elif error.validator == "enum":
        rule = f"one of {', '.join(map(str, bound))}"
    elif error.validator == "const":
        rule = f"{bound}: a newer pruneviz may read it"
    elif error.validator in ("minimum", "maximum"):
        rule = f"{'at least' if error.validator == 'minimum' else 'at most'} {bound}"
    elif error.validator == "pattern":
        rule = f"as many hex digits as {bound} says"
    else:
        rule = f"as the schema says ({error.validator}: {_short(bound)})"
    return f"{' ' if place else ': the whole '}must be {rule}, got {got}"


def _absence(error: Any, place: Place) -> str:
    section = ".".join(map(str, place)) or "a recipe"
    absent: list[str]
    if error.validator == "required":
        absent = [name for name in error.validator_value if name not in error.instance]
    else:
        needs = error.validator_value.items()
        absent = [
            name
            for key, names in needs
            if key in error.instance
            for name in names
            if name not in error.instance
        ]
    hint = f", such as {_LEAST}" if absent == ["plan"] else ""
    return f": {section} lacks {absent[0]!r}{hint}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
