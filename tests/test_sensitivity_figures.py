"""What do the tables and figures of the page Sensitivity say?"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import pruneviz as pv
from pruneviz import figures
from pruneviz.plan import Plan
from pruneviz.sensitivity.curves import Curves
from pruneviz.sensitivity.scan import LEVELS, scan
from pruneviz.storage.measurement_store import MeasurementStore
from pruneviz.ui.allocate.scan_work import cells, table
from pruneviz.workbench import Workbench

# -- tables ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def neurons() -> Curves:
    """Few items a layer, so that some levels cut nothing and some the same."""
    bench = pv.open("lenet5")
    return scan(bench, Plan(granularity="neuron"), MeasurementStore(None), budget=14_000)


@pytest.mark.slow
def test_cells_hold_every_point_and_mark_the_rest(neurons: Curves) -> None:
    change, marks = cells(neurons)
    assert list(change.index) == [curve.slider.name for curve in neurons.curves]
    assert list(change.columns) == list(LEVELS)
    for curve in neurons.curves:
        items, name = curve.slider.items, curve.slider.name
        known = {round(point.got * items): point for point in curve.points}
        for level in LEVELS:
            value, mark = change.loc[name, level], marks.loc[name, level]
            point = known.get(round(level * items))
            if point is not None:
                assert value == pytest.approx(100 * point.delta)
                assert mark == ""
            else:
                assert math.isnan(value)
                assert mark == ("no-op" if round(level * items) == 0 else "·")
    assert (marks == "·").to_numpy().any(), "the budget left some unseen"


def test_a_pattern_has_one_column(benches: Callable[[str], Workbench]) -> None:
    found = scan(benches("lenet5"), Plan(granularity="1:32"), MeasurementStore(None))
    change, marks = cells(found)
    assert list(change.columns) == [1 - 1 / 32]
    assert marks.loc["conv1", 1 - 1 / 32] == "no-op"
    rows = table(found, 0.01).set_index("layer")
    assert rows.loc["conv1", "in words"] == "nothing could be cut"
    assert pd.isna(rows.loc["conv1", "rank"])


# -- figures -----------------------------------------------------------------------------------


TABLE = pd.DataFrame(
    {
        "layer": ["a", "a", "b"],
        "sparsity": [0.5, 0.9, float("nan")],
        "n": [320, 2000, 0],
        "delta": [-0.01, -0.3, float("nan")],
        "delta_low": [-0.02, -0.35, float("nan")],
        "delta_high": [0.0, -0.25, float("nan")],
    }
)


def test_small_charts_show_each_curve_in_its_band() -> None:
    figure = figures.curves_apart(TABLE, {"a": "robust", "b": "nothing could be cut"}, lose=2)
    a = [trace for trace in figure.data if trace.xaxis == "x"]
    assert [list(trace.y) for trace in a] == [[-2, -35], [0, -25], [-1, -30]]
    assert all(list(trace.x) == [50, 90] for trace in a)
    assert a[1].fill == "tonexty"
    assert [note.text for note in figure.layout.annotations] == [
        "a<br><i>robust</i>", "b<br><i>nothing could be cut</i>",
    ]  # fmt: skip
    assert all(not len(trace.x) for trace in figure.data if trace.xaxis == "x2")
    assert {line.y0 for line in figure.layout.shapes} == {-2}


def test_overlaid_curves_have_a_legend_and_no_op_no_line() -> None:
    figure = figures.curves_together(TABLE, lose=1)
    (line,) = figure.data
    assert (line.name, list(line.y)) == ("a", [-1, -30])
    assert list(line.error_y.array) == pytest.approx([1, 5])
    assert list(line.error_y.arrayminus) == pytest.approx([1, 5])
    assert figure.layout.showlegend


def test_the_heatmap_is_symmetric_and_marks_what_is_missing() -> None:
    change = pd.DataFrame([[1.0, -30.0], [np.nan, np.nan]], index=["a", "b"], columns=[0.5, 0.9])
    marks = pd.DataFrame([["", ""], ["no-op", "·"]], index=["a", "b"], columns=[0.5, 0.9])
    heat, text = figures.curves_heat(change, marks).data
    assert (heat.zmin, heat.zmax) == (-30, 30)
    assert list(heat.x) == ["50 %", "90 %"]
    assert np.isnan(np.array(heat.z)[1]).all()
    assert list(zip(text.x, text.y, text.text, strict=True)) == [
        ("50 %", "b", "no-op"), ("90 %", "b", "·"),
    ]  # fmt: skip


def test_charts_of_nothing_are_empty() -> None:
    assert figures.curves_apart(TABLE.iloc[2:], {"b": "not scanned"}, lose=1).layout.shapes
    assert not figures.curves_together(TABLE.iloc[2:], lose=1).data
    nothing = pd.DataFrame([[np.nan]], index=["b"], columns=[0.5])
    heat, _ = figures.curves_heat(nothing, pd.DataFrame([["·"]], ["b"], [0.5])).data
    assert heat.zmax == 1
