"""How do two plans of the history look beside each other?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st
import torch

from pruneviz import figures
from pruneviz.background import Job
from pruneviz.history import Measurement, ModelVersion
from pruneviz.history.comparison import (
    PlanComparison,
    change_in_words,
    class_targets,
    compare,
    costs_apart,
    masks_apart,
)
from pruneviz.measuring.ledger import Cost
from pruneviz.plan import Plan
from pruneviz.progress import Progress
from pruneviz.ui.boundary import ticking
from pruneviz.ui.chrome import follow
from pruneviz.ui.session import versions
from pruneviz.ui.text import plain
from pruneviz.ui.workbench import panels
from pruneviz.workbench import Workbench
from pruneviz.workbench.judgement import why_no_masks

_KEY = "history_masks"
_TICK = 0.4
_NAMES = ["Numbers", "Parameters per layer", "Per-class accuracy", "Flipped examples", "Masks"]
_TABS = [*_NAMES, "Cost"]
Ledgers = tuple[Cost | None, Cost | None]


@dataclass
class MaskDistance:
    """How far the masks of two plans are apart, as soon as the job has found out."""

    benches: tuple[Workbench, Workbench]
    plans: tuple[Plan, Plan]
    job: Job | None = None
    table: pd.DataFrame | None = None


def side_by_side(
    bench: Workbench | None,
    networks: tuple[ModelVersion, ModelVersion],
    plans: tuple[Plan, Plan],
    records: tuple[Measurement, Measurement],
    ledgers: Ledgers,
) -> None:
    """Two plans in tabs, also of two networks; bench: with the samples both were measured on."""
    targets = None if bench is None else class_targets(bench.source.validation)
    comparison = compare(*records, targets=targets)
    st.markdown(f"Second minus first: **{change_in_words(comparison)}**")
    first, second = networks
    if first.weights != second.weights:
        st.caption(plain(f"First: {first.name}; second: {second.name}; on the same samples."))
    numbers, layers, classes, flips, masks, costs = st.tabs(
        _TABS, key="history_tabs", on_change="rerun"
    )
    with numbers:
        _table(_as_text(comparison.numbers), "numbers")
    with layers:
        _table(comparison.layers, "layers")
    with classes:
        _classes(comparison, records)
    with costs:
        _costs(ledgers)
    if flips.open:
        with flips:
            _flips(bench, comparison, records)
    if masks.open:
        with masks:
            _masks(bench, networks, plans)


def _costs(ledgers: Ledgers) -> None:
    first, second = ledgers
    if first is None or second is None:
        missing = "both" if first is second else "the first" if first is None else "the second"
        st.caption(
            f"The ledger of {missing} was not measured: return there, and measure it under "
            "*Ledger* on the workbench."
        )
        return
    st.caption(
        "For each plan the smallest network that can run: shrunk where possible, otherwise masked."
    )
    _table(costs_apart(first, second), "costs")


def _table(table: pd.DataFrame, key: str) -> None:
    if table.empty:
        st.caption("One of the two has not been measured.")
        return
    st.dataframe(table, hide_index=True, height="content", key=f"history-{key}", row_height=30)


def _as_text(numbers: pd.DataFrame) -> pd.DataFrame:
    """Shares in per cent, counts whole, as people read them."""

    def text(quantity: str, value: float, sign: str = "") -> str:
        if quantity == "accuracy":
            return f"{100 * value:{sign}.2f} {'points' if sign else '%'}"
        return f"{value:{sign}.4g}" if quantity == "loss" else f"{value:{sign},.0f}"

    columns = {"first": "", "second": "", "difference": "+"}
    cells = {
        column: [
            text(quantity, value, sign)
            for quantity, value in zip(numbers["quantity"], numbers[column], strict=True)
        ]
        for column, sign in columns.items()
    }
    return pd.DataFrame({"quantity": numbers["quantity"], **cells})


def _classes(comparison: PlanComparison, records: tuple[Measurement, Measurement]) -> None:
    if comparison.classes.empty:
        st.caption("There are no classes to tell apart.")
        return
    st.caption("Second minus first, class by class.")
    first, second = (dict(record.per_class) for record in records)
    st.plotly_chart(figures.per_class(first, second), key="history-classes")


def _flips(
    bench: Workbench | None, comparison: PlanComparison, records: tuple[Measurement, Measurement]
) -> None:
    if not comparison.n:
        st.caption("The answers of one of the two were not kept.")
        return
    was, now = (record.answers for record in records)
    dense = None if bench is None else bench.samples_measured(Plan())
    if bench is None or not dense or was is None or now is None:
        st.caption(f"{len(comparison.flipped):,} of {comparison.n:,} answers differ.")
        if len(comparison.flipped):
            _table(comparison.flipped, "flipped")
        return
    result = replace(
        bench.evaluate(Plan(), dense),
        n=comparison.n,
        dense_predicted=torch.from_numpy(was[: comparison.n].astype(np.int64)),
        predicted=torch.from_numpy(now[: comparison.n].astype(np.int64)),
    )
    panels.show_flips(bench, result)


def _masks(
    bench: Workbench | None, networks: tuple[ModelVersion, ModelVersion], plans: tuple[Plan, Plan]
) -> None:
    benches = _benches(bench, networks)
    if isinstance(benches, str):
        st.caption(plain(benches))
        return
    apart = _apart(benches, plans)
    job = apart.job
    if job is not None and job.running:
        _wait(apart)
    elif job is not None and job.error is not None:
        st.warning(plain(job.error))
    elif apart.table is not None:
        differ, weights = int(apart.table["differ"].sum()), int(apart.table["weights"].sum())
        st.caption(f"{differ:,} of {weights:,} weights are kept by one of the two alone.")
        _table(
            apart.table.assign(
                share=[f"{100 * share:.2f} %" for share in apart.table["share"]],
                jaccard=apart.table["jaccard"].round(4),
            ),
            "masks",
        )
    elif st.button("Compare the masks", key="history-masks-again"):
        st.session_state.pop(_KEY, None)
        st.rerun()


def _benches(
    bench: Workbench | None, networks: tuple[ModelVersion, ModelVersion]
) -> tuple[Workbench, Workbench] | str:
    """The networks of both, or the sentence on why their masks are not compared."""
    here = []
    for network in networks:
        on_screen = bench is not None and bench.fingerprint == network.weights
        one = bench if on_screen else versions.with_weights(network.weights)
        if one is None:
            return f"Open {network.name!r} on the workbench to see where the masks differ."
        here.append(one)
    first, second = here
    why = "" if first is second else why_no_masks(first, second)
    return f"{why[0].upper()}{why[1:]}." if why else (first, second)


def _apart(benches: tuple[Workbench, Workbench], plans: tuple[Plan, Plan]) -> MaskDistance:
    distance = st.session_state.get(_KEY)
    if isinstance(distance, MaskDistance) and (distance.benches, distance.plans) == (
        benches,
        plans,
    ):
        return distance
    if isinstance(distance, MaskDistance) and distance.job is not None:
        distance.job.cancel()
    apart = st.session_state[_KEY] = MaskDistance(benches, plans)

    def work(report: Progress) -> None:
        report("the masks of the first", 0.0)
        first = benches[0].masks(plans[0])
        report("the masks of the second", 0.5)
        apart.table = masks_apart(first, benches[1].masks(plans[1]))

    apart.job = Job(work)
    apart.job.wait(_TICK)
    return apart


def _wait(apart: MaskDistance) -> None:
    @ticking(_TICK)
    def watch() -> None:
        follow(apart.job, "history-masks-cancel")

    watch()
