"""How does a session read as a program of the public API?"""

from __future__ import annotations

import pprint
from dataclasses import asdict, fields

from pruneviz.plan import Plan
from pruneviz.recipes.recipe import Recipe
from pruneviz.sources.open_request import OpenRequest
from pruneviz.tasks import COMPARISONS
from pruneviz.training.settings import Training

_WIDTH = 96
_KEYWORDS = {"share": "calibration"}


def script_of(recipe: Recipe) -> str:
    """A Python script that repeats the session: opens, prunes, measures, and checks what it got.

    What was in hand in Python has no name: there it stops and says what to put in.
    """
    parts = [
        _head(recipe),
        _open_lines(recipe),
        _weights(recipe),
        *_train_lines(recipe),
        f"plan = {_call('pv.Plan', _plan(recipe.plan))}",
        "pruned = bench.prune(plan)",
        "print(pruned.report.to_string(index=False))",
        _masks(recipe),
        _measure_lines(recipe),
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _head(recipe: Recipe) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in recipe.made.items())
    lines = ["# A session of pruneviz, again."]
    if versions:
        lines.append(f"# Made with {_one_line(versions)}.")
    return "\n".join([*lines, "", "import pruneviz as pv", ""])


def _open_lines(recipe: Recipe) -> str:
    request = recipe.opening or OpenRequest("")
    lines, arguments = [], []
    parameters = dict.fromkeys(recipe.in_hand) | ({} if request.model else {"model": None})
    for name in parameters:
        what = _one_line(f" ({recipe.name})" if name == "model" and recipe.name else "")
        lines += [
            f"{name} = None  # put yours here{what}: it was in hand in Python and has no name",
            f"if {name} is None:",
            f'    raise SystemExit("put your {name} into this script first")',
        ]
    arguments.append("model" if "model" in parameters else repr(request.model))
    if "data" in parameters:
        arguments.append("data")
    elif request.data:
        arguments.append(repr(request.data))
    if request.metric in COMPARISONS:
        arguments.append(f"metric={request.metric!r}")
    elif request.metric:
        module, _, function = request.metric.partition(":")
        lines += ["import importlib", ""]
        lines.append(f"metric = getattr(importlib.import_module({module!r}), {function!r})")
    if "train" in parameters:
        arguments.append("train=train")
    if (request.metric and request.metric not in COMPARISONS) or "metric" in parameters:
        arguments.append("metric=metric")
    default = OpenRequest("")
    for name in (f.name for f in fields(OpenRequest) if f.name not in ("model", "data", "metric")):
        value = getattr(request, name)
        if value != getattr(default, name):
            arguments.append(f"{_KEYWORDS.get(name, name)}={value!r}")
    return "\n".join([*lines, f"bench = {_call('pv.open', arguments)}"])


def _weights(recipe: Recipe) -> str:
    if recipe.weights is None:
        return ""
    return f'assert bench.fingerprint == {recipe.weights!r}, "these are other weights"'


def _train_lines(recipe: Recipe) -> list[str]:
    lines = []
    for step in recipe.training:
        default = asdict(Training())
        settings = [
            f"{name}={value!r}"
            for name, value in asdict(step.training).items()
            if name == "method" or value != default[name]
        ]
        lines += [
            f"trained = bench.train(\n    {_call('pv.Plan', _plan(step.plan), 1)},\n"
            f"    {_call('pv.Training', settings, 1)},\n)",
            "bench = pv.Workbench(trained.source(bench.name))",
        ]
    return lines


def _plan(plan: Plan) -> list[str]:
    default, arguments = Plan().as_dict(), []
    for name, value in plan.as_dict().items():
        if name == "criterion" or value != default[name]:
            shown = pprint.pformat(value, width=_WIDTH - 20, compact=True, sort_dicts=False)
            arguments.append(f"{name}={shown.replace(chr(10), chr(10) + '    ')}")
    return arguments


def _masks(recipe: Recipe) -> str:
    if recipe.masks is None:
        return ""
    return f'assert pruned.checksum == (\n    {recipe.masks!r}\n), "these are other masks"'


def _measure_lines(recipe: Recipe) -> str:
    reference = recipe.expected
    n = "" if reference is None else f", {reference.n}"
    lines = [
        f"result = bench.evaluate(plan{n})",
        'print(f"{result.task.label} {result.accuracy} ({result.low:.4f} … {result.high:.4f})")',
        "print(result.words)",
    ]
    if reference is not None and reference.accuracy is not None:
        low = reference.accuracy if reference.low is None else reference.low
        high = reference.accuracy if reference.high is None else reference.high
        lines.append(
            f'print("exactly as before" if result.accuracy == {_number(reference.accuracy)} '
            'else "not as before")'
        )
        lines.append(
            f'assert {_number(low)} <= result.accuracy <= {_number(high)}, "not as accurate"'
        )
    return "\n".join(lines)


def _number(value: float) -> str:
    text = repr(value)
    return f'float("{text}")' if text.lstrip("-") in ("inf", "nan") else text


def _call(function: str, arguments: list[str], depth: int = 0) -> str:
    line = f"{function}({', '.join(arguments)})"
    if len(line) <= _WIDTH - 10 and "\n" not in line:
        return line
    margin = "    " * depth
    inner = "".join(f"{margin}    {each},\n" for each in arguments)
    return f"{function}(\n{inner}{margin})"


def _one_line(text: str) -> str:
    """Text that cannot leave a comment."""
    return "".join(char if char.isprintable() else "?" for char in text)
