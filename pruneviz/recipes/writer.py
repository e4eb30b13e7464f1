"""How does a recipe stand in a file that people read?"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pruneviz.plan import Plan
from pruneviz.recipes.parser import plain
from pruneviz.recipes.recipe import Recipe
from pruneviz.sources.open_request import OpenRequest
from pruneviz.training.settings import Training
from pruneviz.training.steps import TrainingStep

_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_./+-]*")
_WORDS = frozenset(("yes", "no", "on", "off", "true", "false", "null"))  # of YAML 1.1
_NOTES = {
    "recipe": "the version of this format",
    "made": "with these versions",
    "model": "what to open",
    "data": "what feeds and measures it; without `from`, the model's own",
    "in_hand": "things of Python, which have no name: replay with --model, --data or --train",
    "plan": "what is cut",
    "training": "before it is cut; each step trains the result of the one before",
    "expected": "what a replay should find",
    "counts": "what is left: parameters, and multiply-accumulates for one sample",
    "cost": "the ledger: bytes and milliseconds",
    "weights": "fingerprint; take the line away to use other weights",
    "fingerprint": "of all samples",
    "train": "what it learns from; without it what calibrates",
    "task": "what outputs and targets are",
    "ignore": "the target of positions that do not count",
    "calibration": "the share of the data that feeds the criterion",
    "sparsity": "the fraction that is cut of each layer",
    "pinned": "cut (false) or kept (true) by hand, whatever the score",
    "masks": "SHA-256",
    "n": "validation samples",
    "low": "95 % interval",
    "change": "from dense, on the same samples",
}


def to_yaml(recipe: Recipe) -> str:
    """The recipe as commented YAML; `from_yaml` reads the same recipe from it."""
    lines = [
        "# A recipe of pruneviz: all that it takes to prune a network again, and the result.",
        "# Do it again and compare: pruneviz replay recipe.yaml",
    ]
    for name, value in _sections(recipe).items():
        lines += ["", *_lines(name, value, 0)]
    return "\n".join(lines) + "\n"


def _sections(recipe: Recipe) -> dict[str, Any]:
    request = recipe.opening or OpenRequest("")
    model = {
        "from": request.model,
        "arch": request.arch,
        "tokenizer": request.tokenizer,
        "unsafe": request.unsafe,
        "name": recipe.name,
        "weights": recipe.weights,
    }
    data = {
        "from": request.data,
        "train": request.train,
        "target": request.target,
        "metric": request.metric,
        "output": request.output,
        "task": request.task,
        "ignore": request.ignore,
        "classes": list(request.classes),
        "size": list(request.size) if isinstance(request.size, tuple) else request.size,
        "mean": None if request.mean is None else list(request.mean),
        "std": None if request.std is None else list(request.std),
        "calibration": None if request.share == OpenRequest("").share else request.share,
        "split_seed": request.seed,
        "fingerprint": recipe.data,
    }
    sections = {
        "recipe": 1,
        "made": dict(recipe.made),
        "model": _without_defaults(model),
        "data": _without_defaults(data),
        "in_hand": list(recipe.in_hand),
        "plan": _plan(recipe.plan),
        "training": [_step(step) for step in recipe.training],
        "expected": _result_values(recipe),
        "counts": dict(recipe.counts),
        "cost": {name: dict(numbers) for name, numbers in recipe.cost.items()},
    }
    return {name: value for name, value in sections.items() if value or name == "plan"}


def _without_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is not said, or is what is meant where nothing is said."""
    return {
        name: value
        for name, value in values.items()
        if value or isinstance(value, float) or (name == "ignore" and value is not None)
    }


def _plan(plan: Plan) -> dict[str, Any]:
    """The plan, without what it has by default; criterion and granularity always."""
    default, always = Plan().as_dict(), ("criterion", "granularity", "scope", "sparsity")
    return {
        name: value
        for name, value in plan.as_dict().items()
        if name in always or value != default[name]
    }


def _step(step: TrainingStep) -> dict[str, Any]:
    """A training, without what it has by default; method and epochs always."""
    default, always = asdict(Training()), ("method", "epochs")
    settings = {
        name: value
        for name, value in step.training.as_dict().items()
        if name in always or value != default[name]
    }
    return settings | {"plan": _plan(step.plan)}


def _result_values(recipe: Recipe) -> dict[str, Any]:
    values: dict[str, Any] = {} if recipe.masks is None else {"masks": recipe.masks}
    if recipe.expected is None:
        return values
    always = ("n", "accuracy")
    numbers = {
        name.replace("delta", "change"): value
        for name, value in asdict(recipe.expected).items()
        if name in always or value not in (None, "")
    }
    return values | numbers


def _lines(name: str, value: Any, depth: int) -> list[str]:
    note = f"  # {_NOTES[name]}" if name in _NOTES and depth < 2 else ""
    head = f"{'  ' * depth}{text_of(name)}:"
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return [f"{head}{note}", *(line for one in value for line in _item(one))]
    if isinstance(value, Mapping) and value and depth < 2:
        inner = [_lines(key, each, depth + 1) for key, each in value.items()]
        return [f"{head}{note}", *(line for lines in inner for line in lines)]
    return [f"{head} {_inline(value)}{note}"]


def _item(values: Mapping[str, Any]) -> list[str]:
    """One of a list, its keys below each other."""
    keys = [f"{text_of(name)}: {_inline(value)}" for name, value in values.items()]
    return [f"  {'-' if number == 0 else ' '} {key}" for number, key in enumerate(keys)]


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{text_of(k)}: {_inline(v)}' for k, v in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_inline, value))}]"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return _number(value) if isinstance(value, int | float) else text_of(str(value))


def _number(value: float) -> str:
    text = repr(value)
    if text.lstrip("-") in ("inf", "nan"):
        return text.replace("inf", ".inf").replace("nan", ".nan")
    if "e" in text and "." not in text:  # YAML 1.1 takes 1e-05 for a text
        return text.replace("e", ".0e")
    return text


def text_of(text: str) -> str:
    """A text bare where nobody can take it for anything else, else in double quotes."""
    bare = _BARE.fullmatch(text) and text.lower() not in _WORDS and plain(text) == text
    return text if bare else _quote(text)


def _quote(text: str) -> str:
    inner = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() else _escape(char) for char in inner)


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
