"""Are the numbers in a chart the numbers it was given?"""

from __future__ import annotations

import gzip
import itertools
import json

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from pruneviz import figures
from pruneviz.scale import Scale

VISITS = pd.DataFrame(
    {
        "label": ["dense", "a", "b", "c"],
        "params": [100, 60, 40, 40],
        "accuracy": [0.98, 0.97, 0.60, 0.90],
        "low": [0.97, 0.95, 0.55, 0.88],
        "high": [0.99, 0.98, 0.65, 0.92],
        "loss": [0.1, 0.2, 2.0, 0.4],
        "n": [2000, 2000, 256, 2000],
        "kind": ["dense", "visited", "visited", "visited"],
        "returns": True,
    }
)
CONTROLS = VISITS.iloc[[2]].assign(accuracy=0.3, low=0.25, high=0.36)
NONE = VISITS.iloc[:0]
LIGHT, DARK = "#fbfbf9", "#14181c"  # the pages of .streamlit/config.toml


def trace(figure: go.Figure, name: str) -> go.Scatter:
    """The one trace of this name."""
    (found,) = (one for one in figure.data if one.name == name)
    return found


# -- the front ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "value", "higher", "front"),
    [
        ([], [], True, []),
        ([5], [0.5], True, [0]),
        ([1, 2, 3], [0.1, 0.2, 0.3], True, [0, 1, 2]),
        ([1, 2, 3], [0.3, 0.2, 0.1], True, [0]),
        ([3, 2, 1], [0.3, 0.2, 0.1], True, [2, 1, 0]),
        ([2, 1, 2, 3], [0.9, 0.5, 0.8, 0.9], True, [1, 0]),
        ([1, 1, 1], [0.5, 0.7, 0.7], True, [1]),
        ([1, 2, 3], [3.0, 1.0, 2.0], False, [0, 1]),
        ([100, 60, 40, 40], [0.98, 0.97, 0.6, 0.9], True, [3, 1, 0]),
    ],
)
def test_the_front_holds_what_nothing_beats(
    params: list[float], value: list[float], higher: bool, front: list[int]
) -> None:
    assert figures.pareto(params, value, higher=higher) == front


def test_nothing_beats_a_point_of_the_front_and_something_beats_the_others() -> None:
    random = np.random.default_rng(0)
    params, value = random.integers(1, 20, 60), random.integers(1, 20, 60)

    def beats(i: int, j: int) -> bool:
        as_good = params[i] <= params[j] and value[i] >= value[j]
        return bool(as_good and (params[i] < params[j] or value[i] > value[j]))

    front = figures.pareto(params.tolist(), value.tolist())
    assert not any(beats(i, j) for i, j in itertools.product(range(60), front))
    for j in set(range(60)) - set(front):
        twins = [i for i in front if (params[i], value[i]) == (params[j], value[j])]
        assert twins or any(beats(i, j) for i in front)


# -- the trade-off -----------------------------------------------------------------------------


def test_every_plan_visited_is_a_point_with_its_interval() -> None:
    figure = figures.tradeoff(VISITS, CONTROLS, floor=0.97, best=1, here=3)
    points = trace(figure, "visited")
    assert list(points.x) == [40, 40]
    assert list(points.y) == pytest.approx([60, 90])
    assert list(points.customdata) == [2, 3]
    assert list(points.text) == ["b", "c"]
    assert points.error_y.symmetric is not True
    assert list(points.error_y.array) == pytest.approx([5, 2])
    assert list(points.error_y.arrayminus) == pytest.approx([5, 2])
    for name, place, look in (
        ("dense", 0, ("star", figures.BLUE)),
        ("fewest parameters", 1, (None, figures.ORANGE)),
        ("this plan", 3, ("circle-open", figures.GREEN)),
    ):
        mark = trace(figure, name)
        assert (list(mark.customdata), list(mark.x)) == ([place], [VISITS["params"][place]])
        assert list(mark.y) == pytest.approx([100 * VISITS["accuracy"][place]])
        assert (mark.marker.symbol, mark.marker.color) == look


@pytest.mark.parametrize("best", [None, 0, 2])
@pytest.mark.parametrize("here", [None, 0, 3])
def test_every_mark_stands_in_the_legend(best: int | None, here: int | None) -> None:
    figure = figures.tradeoff(VISITS, CONTROLS, floor=0.97, best=best, here=here)
    assert figure.layout.showlegend
    for mark in (*figure.data, *figure.layout.shapes):
        assert mark.name
        assert mark.showlegend is not False
    places = [place for one in figure.data for place in one.customdata or ()]
    assert set(places) == {0, 1, 2, 3}, "each plan can be clicked"


def test_nothing_stands_in_the_legend_before_it_is_drawn() -> None:
    dense = VISITS[:1]
    figure = figures.tradeoff(dense, CONTROLS[:0], floor=0.97, best=0)
    names = [mark.name for mark in (*figure.data, *figure.layout.shapes)]
    assert names == ["dense", "loss allowed"]
    figure = figures.tradeoff(VISITS, CONTROLS, best=0)
    assert "fewest parameters" not in {mark.name for mark in figure.data}, "it is the star"


def test_what_is_cut_grows_to_the_right_from_chance_to_all() -> None:
    left, right = figures.tradeoff(VISITS, CONTROLS, total=200).layout.xaxis.range
    assert left > 200 > 0 > right
    figure = figures.tradeoff(VISITS, CONTROLS, chance=0.1)
    assert figure.layout.xaxis.autorange == "reversed"
    low, high = figure.layout.yaxis.range
    assert (low, high) == (pytest.approx(2.8), pytest.approx(103.6))
    for other in ({"measure": "loss"}, {"scale": Scale(False, "R²")}):
        assert figures.tradeoff(VISITS, CONTROLS, chance=0.1, **other).layout.yaxis.range is None


def test_a_figure_and_its_program_are_a_browsers_own_to_draw() -> None:
    text = json.loads(figures.as_text(figures.tradeoff(VISITS, CONTROLS)))
    assert {one["name"] for one in text["data"]} >= {"visited", "dense"}
    assert len(json.dumps(text)) < 5_000, "no template comes along"
    program = gzip.decompress(figures.program()).decode()
    assert "Plotly" in program
    assert figures.program() is figures.program()


def test_path_front_control_and_floor_are_drawn() -> None:
    figure = figures.tradeoff(VISITS, CONTROLS, floor=0.97)
    assert list(trace(figure, "order of visits").y) == pytest.approx([98, 97, 60, 90])
    assert list(trace(figure, "Pareto front").x) == [40, 60, 100]
    assert list(trace(figure, "Pareto front").y) == pytest.approx([90, 97, 98])
    control = trace(figure, "random control")
    assert (list(control.x), list(control.y)) == ([40], pytest.approx([30]))
    assert list(control.error_y.array) == pytest.approx([6])
    (line,) = figure.layout.shapes
    assert (line.y0, line.y1) == (97, 97)


def test_what_versions_come_of_has_marks_of_its_own_off_the_way() -> None:
    kinds = ["dense", "cut, not trained", "trained", "visited"]
    visits = VISITS.assign(kind=kinds, returns=[False, False, True, True])
    figure = figures.tradeoff(visits, CONTROLS)
    for place, kind in enumerate(kinds):
        mark = trace(figure, kind)
        assert (list(mark.x), list(mark.customdata)) == ([visits["params"][place]], [place])
        assert ("click" in mark.hovertemplate) == visits["returns"][place]
    assert list(trace(figure, "order of visits").x) == [100, 40]


def test_loss_has_its_own_front_and_no_interval() -> None:
    figure = figures.tradeoff(VISITS, CONTROLS, measure="loss", floor=0.97)
    assert list(trace(figure, "visited").y) == pytest.approx([0.2, 2.0, 0.4])
    assert list(trace(figure, "dense").y) == pytest.approx([0.1])
    assert list(trace(figure, "Pareto front").x) == [40, 60, 100]
    assert list(trace(figure, "Pareto front").y) == pytest.approx([0.4, 0.2, 0.1])
    assert trace(figure, "visited").error_y.array is None
    assert not figure.layout.shapes


def test_what_is_predicted_is_dashed_and_comes_after_all_visits() -> None:
    predicted = pd.DataFrame(
        {"params": [50, 30], "accuracy": [0.9, 0.7], "low": [0.8, 0.5], "high": [1.0, 0.9]}
    )
    line = trace(figures.tradeoff(VISITS, CONTROLS, predicted=predicted), "best predicted")
    assert (list(line.x), list(line.y)) == ([50, 30], pytest.approx([90, 70]))
    assert list(line.customdata) == [len(VISITS), len(VISITS) + 1]
    assert line.line.dash == "dash"
    assert "80.0 % … 100.0 %" in line.text[0]
    for without in ({"predicted": predicted[:0]}, {"predicted": predicted, "measure": "loss"}):
        names = {one.name for one in figures.tradeoff(VISITS, CONTROLS, **without).data}
        assert "best predicted" not in names


def test_nothing_visited_is_an_empty_chart() -> None:
    figure = figures.tradeoff(NONE, NONE, floor=0.9)
    assert not figure.data


# -- the others --------------------------------------------------------------------------------


def test_the_change_of_each_class_is_in_points() -> None:
    figure = figures.per_class({"0": 0.9, "1": 0.8}, {"0": 0.7, "1": 0.85})
    (bars,) = figure.data
    assert list(bars.x) == ["0", "1"]
    assert list(bars.y) == pytest.approx([-20, 5])
    assert np.asarray(bars.customdata) == pytest.approx(np.array([[90, 70], [80, 85]]))
    assert list(bars.marker.color) == [figures.ORANGE, figures.BLUE]
    low, high = figure.layout.yaxis.range
    assert low < -20
    assert high > 5


def test_a_class_without_a_sample_leaves_the_others_drawn() -> None:
    figure = figures.per_class({"0": float("nan"), "1": 0.8}, {"0": float("nan"), "1": 0.8})
    assert figure.layout.yaxis.range == (-1, 1)


def test_weights_kept_and_cut_stand_on_each_other() -> None:
    report = pd.DataFrame({"layer": ["a", "b"], "kept": [3, 10], "total": [10, 10]})
    figure = figures.nonzeros(report)
    assert figure.layout.barmode == "stack"
    assert list(trace(figure, "kept").y) == [3, 10]
    assert list(trace(figure, "cut").y) == [7, 0]


def test_a_mosaic_leaves_cut_units_blank_with_a_mark() -> None:
    images = np.arange(1.0, 13.0).reshape(3, 2, 2)
    figure = figures.mosaic(images, np.array([True, False, True]), signed=True)
    (heat,) = figure.data
    sheet = np.array(heat.z, dtype=float)
    assert sheet.shape == (2, 8), "three pictures in a row, parted by a line"
    assert sheet[:, :2].tolist() == [[1, 2], [3, 4]]
    assert np.isnan(sheet[:, 2:6]).all(), "the second is cut"
    assert sheet[:, 6:].tolist() == [[9, 10], [11, 12]]
    assert np.array(heat.customdata)[0].tolist() == [0, 0, -1, 1, 1, -1, 2, 2]
    assert (heat.zmin, heat.zmax) == (-12, 12)
    (mark,) = figure.layout.annotations
    assert (mark.text, mark.x, mark.y) == ("cut", 3.5, 0.5)


def test_a_mosaic_wraps_and_keeps_the_colours_of_the_dense_pictures() -> None:
    images = np.random.default_rng(0).normal(size=(16, 3, 3))
    kept = figures.mosaic(images, np.ones(16, dtype=bool), signed=True)
    cut = figures.mosaic(images, np.zeros(16, dtype=bool), signed=True)
    assert kept.data[0].zmax == cut.data[0].zmax == abs(images).max()
    sheet = np.array(kept.data[0].z)
    assert np.isfinite(sheet).sum() == images.size
    assert len(cut.layout.annotations) == 16
    assert np.isnan(np.array(cut.data[0].z)).all()


def test_what_is_cut_within_a_picture_is_blank_and_moves_no_colour() -> None:
    images = np.array([[[1.0, np.nan], [-2.0, 0.5]]])
    figure = figures.mosaic(images, np.array([True]), signed=True, limit=3.0)
    assert (figure.data[0].zmin, figure.data[0].zmax) == (-3, 3)
    assert np.isnan(np.array(figure.data[0].z)[:, :2]).tolist() == [[False, True], [False, False]]


def test_activations_start_at_zero() -> None:
    figure = figures.mosaic(np.ones((2, 2, 2)), np.ones(2, dtype=bool), signed=False)
    assert (figure.data[0].zmin, figure.data[0].zmax) == (0, 1)


def test_nothing_but_zeros_still_has_a_scale() -> None:
    figure = figures.mosaic(np.zeros((2, 2, 2)), np.ones(2, dtype=bool), signed=True)
    assert (figure.data[0].zmin, figure.data[0].zmax) == (-1, 1)


# -- colours -----------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """Of WCAG 2: 0 for black, 1 for white."""
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    """Of WCAG 2: 1 for the same colour, 21 for black on white."""
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("paper", [LIGHT, DARK])
def test_every_mark_and_axis_stands_out_from_the_page(paper: str) -> None:
    colours = figures.BLUE, figures.ORANGE, figures.GREEN, figures.GREY, *figures.MANY
    assert [each for each in colours if contrast(each, paper) < 3] == []
    axis = figures.per_class({"0": 0.9}, {"0": 0.8}).layout.yaxis
    assert axis.linecolor == axis.zerolinecolor == figures.GREY
