"""How is sparsity shared out from a terminal?"""

from __future__ import annotations

import shlex
from typing import Any
from urllib.parse import urlencode

import click
import pandas as pd

from pruneviz.allocation.methods import ALLOCATIONS
from pruneviz.allocation.request import SearchRequest
from pruneviz.allocation.search import MethodResult, SearchResult
from pruneviz.cli.search_options import search_options, take_limits
from pruneviz.cli.shared import (
    JSON,
    open_bench,
    print_json,
    progress_with_time,
    stoppable,
    what_to_open,
)
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.options import opening_options, words
from pruneviz.plan import Plan, to_link
from pruneviz.sources.opening import OpenRequest
from pruneviz.workbench import Workbench

_METHOD = "sensitivity"


@click.command()
@opening_options
@click.option("--method", type=click.Choice([*ALLOCATIONS]), help="How the target is distributed "
                                                                  "over the layers.  "
              f"[default: {_METHOD}]")  # fmt: skip
@click.option("--target", type=float, metavar="X", help="The fraction to cut of what may be cut, "
                                                        "0..1.")  # fmt: skip
@click.option("--lose", type=float, metavar="X", help="Instead of a target: the smallest network "
                                                      "that loses at most this much with 95 % "
                                                      "confidence: in points; for a score that "
                                                      "is not a share, in its unit.")  # fmt: skip
@search_options
@click.option(
    "--link", is_flag=True, help="Print nothing but the plan's part of the app's address."
)
@JSON
def allocate(link: bool, as_json: bool, **values: Any) -> None:
    """Share sparsity out over the layers of MODEL, and measure what is left.

    Layers that the app locks stay whole; see `pruneviz layers`. The method "sensitivity" and --lose
    measure many plans; what they learn of each layer is remembered for the next time.

    Example: pruneviz allocate lenet5 --target 0.9 --floor 0.02
    """
    wish, limits = _wish(values), take_limits(values)
    opening = what_to_open(dict(values))
    bench = open_bench(values)
    with stoppable("what was measured of each layer is kept."):
        locked = limits.locks(bench)
        search_result = _find(bench, wish, limits.request(bench))
        result = bench.evaluate(search_result.plan)
    if link:
        click.echo(_link(bench, search_result.plan, locked))
    elif as_json:
        print_json(_summary(bench, opening, search_result, result, locked))
    else:
        _print(bench, opening, search_result, result)
        for name, why in locked.items():
            click.echo(f"left as it is: {name} ({why})", err=True)


def _wish(values: dict[str, Any]) -> tuple[str, float | None, float | None]:
    """Method, target and loss as the options name them; one of the last two is None."""
    method, target, lose = (values.pop(name) for name in ("method", "target", "lose"))
    if (target is None) == (lose is None):
        raise click.UsageError("give --target 0.9 or --lose 1, one of them")
    if lose is not None and method is not None:
        raise click.UsageError("--lose tries every method itself: leave --method out")
    return method or _METHOD, target, lose


def _find(
    bench: Workbench, wish: tuple[str, float | None, float | None], request: SearchRequest
) -> SearchResult:
    method, target, lose = wish
    if target is None:
        loss = (lose or 0.0) / bench.task.scale.factor
        return bench.studies.smallest(loss, request, progress_with_time())
    return bench.studies.search(method, target, request, progress_with_time())


def _link(bench: Workbench, plan: Plan, locked: dict[str, str]) -> str:
    """What stands behind the app's address to open it at this plan."""
    link = to_link(plan, bench.fingerprint)
    return "?" + urlencode({"model": bench.name, "plan": link, "locked": ",".join(locked)})


def _again(opening: OpenRequest, plan: Plan) -> str:
    """The command that prunes by this plan."""
    plain = words(opening) == words(OpenRequest(opening.model))
    parts = ["pruneviz", "prune", *([opening.model] if plain else words(opening))]
    for name in ("criterion", "granularity", "seed", "aggregate"):
        value = getattr(plan, name)
        if value != getattr(Plan(), name):
            parts += [f"--{name}", str(value)]
    for name in plan.repair:
        parts += ["--repair", name]
    for name, level in plan.sparsity.items():
        if level:
            parts += ["--sparsity", f"{name}={level:.12g}"]
    return shlex.join(parts)


def _summary(
    bench: Workbench,
    opening: OpenRequest,
    search_result: SearchResult,
    result: Evaluation,
    locked: dict[str, str],
) -> dict[str, Any]:
    return {
        "model": bench.name,
        "plan": search_result.plan.as_dict(),
        "method": search_result.method,
        "start": search_result.start,
        "budget": search_result.budget,
        "target": search_result.target,
        "got": search_result.got,
        "words": search_result.words,
        "evaluations": search_result.evaluations,
        "samples": search_result.samples,
        "locked": locked,
        "layers": bench.masks(search_result.plan).report.to_dict(orient="records"),
        "result": _numbers(result),
        "searched": None if search_result.result is None else _numbers(search_result.result),
        "held": None if search_result.holdout is None else _numbers(search_result.holdout),
        "tried": [
            {"method": one.method, "sparsity": dict(one.plan.sparsity)} | _numbers(one)
            for one in search_result.tried
        ],
        "again": _again(opening, search_result.plan),
        "link": _link(bench, search_result.plan, locked),
    }


def _numbers(result: Evaluation | MethodResult) -> dict[str, Any]:
    names = ("n", "accuracy", "low", "high", "delta", "delta_low", "delta_high")
    return {name: getattr(result, name) for name in names}


def _print(
    bench: Workbench, opening: OpenRequest, search_result: SearchResult, result: Evaluation
) -> None:
    report = bench.masks(search_result.plan).report.rename(columns={"got": "sparsity"})
    columns = ["layer", "sparsity", "kept", "total"]
    click.echo(report[columns].to_string(index=False, formatters={"sparsity": "{:.4f}".format}))
    click.echo(f"{search_result.words[:1].upper()}{search_result.words[1:]}")
    click.echo(
        f"{bench.task.word} {result.accuracy:.4f} ({result.low:.4f} … {result.high:.4f}) on all "
        f"{result.n:,} samples, change from dense: {result.words}"
    )
    if search_result.result is not None:
        click.echo(
            f"on the {search_result.result.n:,} it searched with: {search_result.result.words}"
        )
    if search_result.holdout is not None:
        click.echo(
            f"on the {search_result.holdout.n:,} it did not see: {search_result.holdout.words}"
        )
    if search_result.tried:
        rows = [_row(bench, one) for one in search_result.tried]
        click.echo(f"tried, on {search_result.tried[0].n:,} samples:")
        click.echo(pd.DataFrame(rows).to_string(index=False))
    click.echo(f"again: {_again(opening, search_result.plan)}")


def _row(bench: Workbench, one: MethodResult) -> dict[str, str]:
    return {
        "method": one.method,
        bench.task.word: f"{one.accuracy:.4f}",
        bench.task.scale.change_axis: bench.task.scale.paired_text(
            one.delta, one.delta_low, one.delta_high
        ),
    }
