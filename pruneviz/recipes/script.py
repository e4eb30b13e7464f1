"""How does a session read as a program of the public API?"""

from __future__ import annotations

import pprint
from dataclasses import fields

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
        _opened(recipe),
        _weights(recipe),
        *_trained(recipe),
        f"plan = {_call('pv.Plan', _plan(recipe.plan))}",
        "pruned = bench.prune(plan)",
        "print(pruned.report.to_string(index=False))",
        _masks(recipe),
        _measured(recipe),
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _head(recipe: Recipe) -> str:
    made = ", ".join(f"{name} {number}" for name, number in recipe.made.items())
    lines = ["# A session of pruneviz, again."]
    if made:
        lines.append(f"# Made with {_one_line(made)}.")
    return "\n".join([*lines, "", "import pruneviz as pv", ""])


def _opened(recipe: Recipe) -> str:
    asked = recipe.opening or OpenRequest("")
    lines, given = [], []
    wanted = dict.fromkeys(recipe.in_hand) | ({} if asked.model else {"model": None})
    for name in wanted:
        what = _one_line(f" ({recipe.name})" if name == "model" and recipe.name else "")
        lines += [
            f"{name} = None  # put yours here{what}: it was in hand in Python and has no name",
            f"if {name} is None:",
            f'    raise SystemExit("put your {name} into this script first")',
        ]
    given.append("model" if "model" in wanted else repr(asked.model))
    if "data" in wanted:
        given.append("data")
    elif asked.data:
        given.append(repr(asked.data))
    if asked.metric in COMPARISONS:
        given.append(f"metric={asked.metric!r}")
    elif asked.metric:
        module, _, function = asked.metric.partition(":")
        lines += ["import importlib", ""]
        lines.append(f"metric = getattr(importlib.import_module({module!r}), {function!r})")
    if (asked.metric and asked.metric not in COMPARISONS) or "metric" in wanted:
        given.append("metric=metric")
    default = OpenRequest("")
    for name in (f.name for f in fields(OpenRequest) if f.name not in ("model", "data", "metric")):
        value = getattr(asked, name)
        if value != getattr(default, name):
            given.append(f"{_KEYWORDS.get(name, name)}={value!r}")
    return "\n".join([*lines, f"bench = {_call('pv.open', given)}"])


def _weights(recipe: Recipe) -> str:
    if recipe.weights is None:
        return ""
    return f'assert bench.fingerprint == {recipe.weights!r}, "these are other weights"'


def _trained(recipe: Recipe) -> list[str]:
    lines = []
    for step in recipe.training:
        default = Training().as_dict()
        settings = [
            f"{name}={value!r}"
            for name, value in step.training.as_dict().items()
            if name == "method" or value != default[name]
        ]
        lines += [
            f"trained = bench.train(\n    {_call('pv.Plan', _plan(step.plan), 1)},\n"
            f"    {_call('pv.Training', settings, 1)},\n)",
            "bench = pv.Workbench(trained.source(bench.name))",
        ]
    return lines


def _plan(plan: Plan) -> list[str]:
    default, given = Plan().as_dict(), []
    for name, value in plan.as_dict().items():
        if name == "criterion" or value != default[name]:
            shown = pprint.pformat(value, width=_WIDTH - 20, compact=True, sort_dicts=False)
            given.append(f"{name}={shown.replace(chr(10), chr(10) + '    ')}")
    return given


def _masks(recipe: Recipe) -> str:
    if recipe.masks is None:
        return ""
    return f'assert pruned.checksum == (\n    {recipe.masks!r}\n), "these are other masks"'


def _measured(recipe: Recipe) -> str:
    expected = recipe.expected
    n = "" if expected is None else f", {expected.n}"
    lines = [
        f"result = bench.evaluate(plan{n})",
        'print(f"{result.task.label} {result.accuracy} ({result.low:.4f} … {result.high:.4f})")',
        "print(result.words)",
    ]
    if expected is not None and expected.accuracy is not None:
        low = expected.accuracy if expected.low is None else expected.low
        high = expected.accuracy if expected.high is None else expected.high
        lines.append(
            f'print("exactly as before" if result.accuracy == {_number(expected.accuracy)} '
            'else "not as before")'
        )
        lines.append(
            f'assert {_number(low)} <= result.accuracy <= {_number(high)}, "not as accurate"'
        )
    return "\n".join(lines)


def _number(value: float) -> str:
    text = repr(value)
    return f'float("{text}")' if text.lstrip("-") in ("inf", "nan") else text


def _call(function: str, given: list[str], depth: int = 0) -> str:
    line = f"{function}({', '.join(given)})"
    if len(line) <= _WIDTH - 10 and "\n" not in line:
        return line
    margin = "    " * depth
    inner = "".join(f"{margin}    {each},\n" for each in given)
    return f"{function}(\n{inner}{margin})"


def _one_line(text: str) -> str:
    """Text that cannot leave a comment."""
    return "".join(char if char.isprintable() else "?" for char in text)
