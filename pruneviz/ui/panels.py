"""How do the settled numbers stand on the page?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from pruneviz import figures
from pruneviz.glossary import TERMS
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.ui.jobs import control_of
from pruneviz.workbench import Workbench

_SHOWN_FLIPS = 12


@dataclass(frozen=True)
class Visits:
    """Every plan visited with what was measured of it so far, and its random controls."""

    plans: tuple[Plan, ...]
    table: pd.DataFrame
    controls: pd.DataFrame


def visits(bench: Workbench, visited: list[Plan]) -> Visits:
    """Tables of what was measured; nothing is measured for them."""
    plans = [plan for plan in visited if bench.measured(plan)]
    controls = [
        control
        for control in dict.fromkeys(map(control_of, plans))
        if control is not None and bench.measured(control) == len(bench.source.validation)
    ]
    return Visits(tuple(plans), _table(bench, plans), _table(bench, controls))


def _table(bench: Workbench, plans: list[Plan]) -> pd.DataFrame:
    rows = []
    for plan in plans:
        result = bench.evaluate(plan, bench.measured(plan))
        rows.append(
            {
                "label": label(plan),
                "params": bench.cost(plan).params_kept,
                "accuracy": result.accuracy,
                "low": result.low,
                "high": result.high,
                "loss": result.loss,
                "n": result.n,
                "dense": plan.is_dense,
            }
        )
    columns = ["label", "params", "accuracy", "low", "high", "loss", "n", "dense"]
    return pd.DataFrame(rows, columns=columns)


def label(plan: Plan) -> str:
    """A plan in a few words."""
    if plan.is_dense:
        return "dense"
    levels = [level for level in plan.sparsity.values() if level]
    span = f"{100 * min(levels):.0f} %"
    if max(levels) > min(levels):
        span = f"{100 * min(levels):.0f}–{100 * max(levels):.0f} %"
    where = "" if plan.scope == "layer" else ", global"
    layers = "layer" if len(levels) == 1 else "layers"
    name = CRITERIA[plan.criterion].label
    return f"{name}, {plan.granularity}{where}: {span} in {len(levels)} {layers}"


def best_within(table: pd.DataFrame, points: float) -> int | None:
    """Position of the smallest plan that loses at most `points` of accuracy against dense."""
    dense = table[table["dense"]]
    if dense.empty:
        return None
    floor = float(dense["accuracy"].iloc[0]) - points / 100 - 1e-12  # rounding is no loss
    allowed = table[table["accuracy"] >= floor]
    return None if allowed.empty else int(allowed.index[int(allowed["params"].to_numpy().argmin())])


def tradeoff(bench: Workbench, seen: Visits, here: Plan, moves: int) -> Plan | None:
    """The trade-off chart; returns the plan of a point that was clicked."""
    head, chart, limit = st.columns([4, 7, 4], vertical_alignment="bottom", gap="small")
    head.markdown("**Trade-off**", help=TERMS["tradeoff"].as_markdown())
    measure = chart.segmented_control(
        "Chart",
        ["accuracy", "loss", "by layer"],
        default="accuracy",
        required=True,
        key="chart",
        label_visibility="collapsed",
    )
    points = limit.number_input(
        "Points to lose",
        0.0,
        100.0,
        1.0,
        0.5,
        key="points",
        format="%.1f",
        help="At most this many points of accuracy lost against dense: the dotted line. The "
        "smallest plan visited above it is marked in orange.",
    )
    if measure == "by layer":
        st.plotly_chart(figures.nonzeros(bench.prune(here).report), key="nonzeros")
        return None
    best = best_within(seen.table, points)
    dense = bench.evaluate(Plan())
    chart = figures.tradeoff(
        seen.table,
        seen.controls,
        measure=str(measure),
        floor=dense.accuracy - points / 100,
        best=best,
        here=seen.plans.index(here) if here in seen.plans else None,
    )
    # A key of its own for each step: a click belongs to the chart it was made on.
    event = st.plotly_chart(
        chart, key=f"tradeoff-{moves}", on_select="rerun", selection_mode="points"
    )
    if best is not None:
        row = seen.table.iloc[best]
        share = row["params"] / bench.cost(Plan()).params
        st.caption(
            f"Best within {points:g} points: {row['label']} — {100 * row['accuracy']:.1f} % "
            f"with {share:.0%} of the parameters."
        )
    picked = [p["customdata"] for p in event["selection"]["points"] if "customdata" in p]
    if not picked:
        return None
    place = picked[0][0] if isinstance(picked[0], list) else picked[0]
    return seen.plans[int(place)]


def per_class(result: Evaluation, *, dense: bool) -> None:
    """Who pays: the change of each class."""
    if dense:
        st.caption("Nothing is cut yet. Drag a slider and see which class pays.")
        return
    st.caption(
        f"Pruned minus dense, measured on {result.n:,} validation samples.",
        help=TERMS["classes"].as_markdown(),
    )
    st.plotly_chart(figures.per_class(result.dense_per_class, result.per_class), key="per_class")


def flipped(bench: Workbench, result: Evaluation) -> None:
    """The samples whose answer changed, as pictures; what broke comes first."""
    data = bench.source.validation
    targets = data.targets[: result.n].cpu()
    changed = (result.predicted != result.dense_predicted).nonzero().flatten()
    broken = result.dense_predicted[changed] == targets[changed]
    order = [*changed[broken].tolist(), *changed[~broken].tolist()]
    if not order:
        st.caption(f"No answer changed on {result.n:,} samples. Cut more to see what breaks.")
        return
    st.caption(
        f"{len(order):,} of {result.n:,} answers changed, {int(broken.sum()):,} of them from "
        "right to wrong.",
        help=TERMS["flipped"].as_markdown(),
    )
    names = bench.source.classes
    shown = order[:_SHOWN_FLIPS]
    captions = [
        f"is {names[targets[i]]}: {names[result.dense_predicted[i]]} → {names[result.predicted[i]]}"
        for i in shown
    ]
    if data.inputs.ndim == 4 and data.inputs.shape[1] in (1, 3):
        st.image([_as_image(data.inputs[i].numpy()) for i in shown], captions, width=72)
    else:
        st.dataframe(pd.DataFrame({"sample": shown, "answer": captions}), hide_index=True)


def filters_and_maps(bench: Workbench, plan: Plan, focus: str) -> None:
    """For a convolution: its filters, and what they make of a chosen sample."""
    layer = bench.found[focus]
    st.caption(
        f"Filters and feature maps of `{focus}`",
        help="Left: the dense filters (mean over input channels). Right: their activations for "
        "one validation sample in the pruned network. What was cut whole is blank.",
    )
    if layer.kind != "conv2d":
        st.caption(f"`{focus}` is a {layer.kind} layer. Focus a convolution to see its filters.")
        return
    kept = bench.prune(plan).masks[focus].flatten(1).any(1).numpy()
    sample = int(
        st.number_input(
            "Validation sample",
            0,
            len(bench.source.validation) - 1,
            0,
            key="sample",
            help="Which validation sample the maps on the right are made from.",
            width=220,
        )
    )
    left, right = st.columns(2)
    weight = bench.weight(focus).mean(1).double().numpy()
    left.plotly_chart(figures.mosaic(weight, kept, signed=True), key="filters")
    maps = bench.feature_maps(plan, focus, sample).double().numpy()
    right.plotly_chart(figures.mosaic(maps, kept, signed=False), key="maps")


def _as_image(values: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) / (high - low or 1.0)
    return np.moveaxis(scaled, 0, -1)
