"""How are criteria compared in a terminal?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from pruneviz.allocation.methods import ALLOCATIONS
from pruneviz.cli.plan_options import ranking_options, take_ranking
from pruneviz.cli.shared import (
    JSON,
    open_bench,
    parse_levels,
    print_json,
    progress_with_time,
    stoppable,
    workers_option,
    write_csv,
)
from pruneviz.comparison.contest import LEVELS, SEEDS, Contest, ContestRequest
from pruneviz.comparison.sameness import UNIFORM
from pruneviz.comparison.similar import Similarity
from pruneviz.measuring.executor import Workers
from pruneviz.options import opening_options
from pruneviz.plan import Plan
from pruneviz.pruning.locks import unit_locks
from pruneviz.workbench import Workbench

_POINT = 100


@click.command()
@opening_options
@click.option("--criteria", metavar="A,B,…", help="Criteria to compare; random is always "
                                                  "included.  "
              "[default: all that the granularity allows]")  # fmt: skip
@click.option("--levels", metavar="X,Y,…", help="Sparsities above 0, up to 1.  [default: "
              + ",".join(f"{x:g}" for x in LEVELS) + "]")  # fmt: skip
@ranking_options("granularity", "aggregate", "repair")
@click.option("--allocation", type=click.Choice([*ALLOCATIONS]), default=UNIFORM,
              show_default=True, help="How the sparsity is distributed over the layers, the same "
                                      "for all.")  # fmt: skip
@click.option("--lock", multiple=True, metavar="LAYER", help="Leave this layer whole; repeatable.")
@click.option("--unlocked", is_flag=True, help="Layers that are locked by default are cut too.")
@click.option("--samples", type=int, metavar="N", help="The first N validation samples only.")
@click.option("--seeds", default=SEEDS, show_default=True, help="Of the random control.")
@click.option("--rankings", is_flag=True, help="Only compare the rankings: nothing is measured.")
@click.option("--csv", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write every point, or with --rankings every pair, to FILE.")  # fmt: skip
@workers_option
@JSON
def compare(
    rankings: bool, workers: Workers, csv: Path | None, as_json: bool, **values: Any
) -> None:
    """Compare criteria on MODEL: which rank alike, and which leave more accuracy.

    Prints their rank correlations, the overlap of what they cut, and for each sparsity which is
    best and whether the difference is real. Layers that the app locks stay whole; see `pruneviz
    layers`. What is measured is remembered, as by `scan`.

    Example: pruneviz compare lenet5 --criteria magnitude,wanda,taylor --levels 0.8,0.9
    """
    unlocked = values.pop("unlocked")
    request, values = _request_of(values)
    bench = open_bench(values)
    contest = None
    with stoppable("what was measured is kept; the same command continues."):
        if not unlocked:
            request = replace(request, locked=(*request.locked, *_usual(bench, request.plan)))
        if rankings:
            alike = bench.studies.similarity(request.plan, request.levels, progress_with_time())
        else:
            contest = bench.studies.contest(request, progress_with_time(), workers)
            alike = bench.studies.similarity(request.plan, request.levels)
    if csv is not None:
        write_csv(csv, alike.table if contest is None else contest.table)
    if as_json:
        print_json(_summary(bench, alike, contest))
    else:
        _print(alike, contest)
    if bench.studies.memory.complaint:
        click.echo(f"Warning: {bench.studies.memory.complaint}.", err=True)


def _request_of(values: dict[str, Any]) -> tuple[ContestRequest, dict[str, Any]]:
    """What is to be compared, and the values that are left."""
    mine = ("criteria", "levels", "allocation", "lock", "samples", "seeds")
    plan = take_ranking(values)
    criteria = values["criteria"]
    request = ContestRequest(
        None if criteria is None else tuple(name.strip() for name in criteria.split(",")),
        parse_levels(values["levels"], LEVELS),
        plan,
        values["allocation"],
        values["lock"],
        values["samples"],
        values["seeds"],
    )
    return request, {name: value for name, value in values.items() if name not in mine}


def _usual(bench: Workbench, plan: Plan) -> dict[str, str]:
    """Layer -> why it is locked, as in the app."""
    groups = bench.graph_cache.groups_for(plan.granularity)
    return bench.locks if groups is None else unit_locks(bench.locks, groups)


def _summary(bench: Workbench, alike: Similarity, contest: Contest | None) -> dict[str, Any]:
    content: dict[str, Any] = {
        "model": bench.name,
        "pairs": alike.table.to_dict(orient="records"),
        "notes": list(alike.notes),
    }
    if contest is None:
        return content
    return content | {
        "plan": contest.plan.as_dict(),
        "allocation": contest.allocation,
        "layers": list(contest.layers),
        "criteria": list(contest.criteria),
        "left_out": dict(contest.left_out),
        "points": contest.table.to_dict(orient="records"),
        "verdicts": [
            {
                "sparsity": one.sparsity,
                "best": one.best,
                "accuracy": one.accuracy,
                "low": one.low,
                "high": one.high,
                "n": one.n,
                "chosen_on": one.chosen_on,
                "same": list(one.same),
                "against": [
                    {
                        "other": other.other,
                        "roles": list(other.roles),
                        "difference": other.difference,
                        "low": other.low,
                        "high": other.high,
                        "real": other.real,
                    }
                    for other in one.against
                ],
                "words": one.words,
            }
            for one in contest.verdicts
        ],
    }


def _print(alike: Similarity, contest: Contest | None) -> None:
    click.echo("rank correlation (Spearman), mean over layers")
    click.echo(alike.correlations().to_string(float_format="{:.2f}".format, na_rep="–"))
    for level in alike.levels[:: max(1, len(alike.levels) - 1)]:
        click.echo(
            f"\noverlap of what is cut at {_POINT * level:g} % (Jaccard; by chance "
            f"{alike.chance(level):.2f}), mean over layers"
        )
        click.echo(alike.overlaps(level).to_string(float_format="{:.2f}".format, na_rep="–"))
    for note in alike.notes:
        click.echo(note)
    if contest is None:
        return
    scores = contest.table[contest.table["seed"].isna()].pivot_table(
        index="criterion", columns="sparsity", values="accuracy", sort=False
    )
    scores.columns = [f"{_POINT * level:g} %" for level in scores.columns]
    scale = contest.task.scale
    click.echo(f"\n{scale.axis(contest.task.word)}, by what is cut of each layer, {contest.words}")
    click.echo((scale.factor * scores).to_string(float_format=f"{{:{scale.digits}}}".format))
    for name, why in contest.left_out.items():
        click.echo(f"{name} does not take part: {why}")
    click.echo("\nwhich criterion (chosen on every other sample, measured on the rest)")
    for one in contest.verdicts:
        span = f"{scale.score_text(one.accuracy)} ({scale.interval_text(one.low, one.high)})"
        click.echo(f"{_POINT * one.sparsity:g} % cut: {one.best}, {span}; {one.words}")
        for other in one.against:
            click.echo(f"    minus {other.other}: {other.words}")
    click.echo("real: the paired interval excludes zero, with Holm's correction in each row")
