"""Are the numbers in a training's charts, at rest and moving, the numbers it was given?"""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
import torch

from pruneviz import figures
from pruneviz.plan import Plan
from pruneviz.training import Moment, Training, train
from pruneviz.ui.train.training_view import TrainingView, along, gap_words, picture_of
from pruneviz.workbench import Workbench

Benches = Callable[[str], Workbench]

# Two stretches of two epochs; a control stands aside. 100 parameters at the beginning.
TABLE = pd.DataFrame(
    {
        "leg": ["a", "a", "a", "b", "b", "b", "new weights 1"],
        "epoch": [0, 1, 2, 0, 1, 2, 2],
        "train_loss": [1.0, 0.5, 0.25, 0.75, 0.5, 0.2, 9.0],
        "validation_loss": [1.1, 0.6, 0.4, 0.9, 0.7, 0.5, 9.0],
        "train_accuracy": [0.5, 0.8, 0.9, 0.7, 0.9, 0.95, 0.1],
        "accuracy": [0.5, 0.75, 0.85, 0.65, 0.8, 0.9, 0.1],
        "low": [0.4, 0.7, 0.8, 0.6, 0.75, 0.85, 0.0],
        "high": [0.6, 0.8, 0.9, 0.7, 0.85, 0.95, 0.2],
        "gap": [0.0, 0.05, 0.05, 0.05, 0.1, 0.05, 0.0],
        "sparsity": [0.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5],
        "params": [100, 100, 100, 50, 50, 50, 50],
        "size": [100, 100, 100, 60, 60, 60, 60],
        "aside": [False] * 6 + [True],
    }
)
ROWS, STRETCHES = along(TABLE, 100)


def trace(figure: go.Figure, name: str) -> go.Scatter:
    return next(one for one in figure.data if one.name == name)


def test_stretches_follow_each_other_and_controls_are_left_out() -> None:
    assert list(ROWS["at"]) == [0, 1, 2, 2, 3, 4]
    assert STRETCHES == {"a": 0, "b": 2}
    assert list(ROWS["left"]) == [1, 1, 1, 0.5, 0.5, 0.5]
    assert list(ROWS["size_left"]) == [1, 1, 1, 0.6, 0.6, 0.6]


def test_the_gap_is_named_in_points() -> None:
    assert gap_words(ROWS, "Accuracy") == (
        "Accuracy: training 95.0 %, validation 90.0 %: a gap of 5.0 points"
    )
    assert gap_words(ROWS.iloc[:1], "Accuracy").endswith("validation 50.0 %: no gap")


def test_at_rest_the_score_has_its_band_and_its_training_beside_it() -> None:
    figure = figures.course("score", ROWS, STRETCHES, label="accuracy, %")
    assert list(trace(figure, "validation").y) == pytest.approx([50, 75, 85, 65, 80, 90])
    assert list(trace(figure, "training").y) == pytest.approx([50, 80, 90, 70, 90, 95])
    band = trace(figure, "95 %")
    assert list(band.y[:6]) == pytest.approx([60, 80, 90, 70, 85, 95])
    assert list(band.y[6:]) == pytest.approx([85, 75, 60, 80, 70, 40])
    assert [line.x0 for line in figure.layout.shapes] == [2]
    assert [said.text for said in figure.layout.annotations] == ["b"]


def test_what_is_left_and_what_is_held_are_two_lines() -> None:
    figure = figures.course("left", ROWS, STRETCHES, label="parameters, %")
    assert list(trace(figure, "left").y) == [100, 100, 100, 50, 50, 50]
    assert list(trace(figure, "held in memory").y) == [100, 100, 100, 60, 60, 60]


def points(drawing: figures.Drawing, place: int) -> list[tuple[float, float]]:
    lines = ElementTree.fromstring(drawing.svg).findall("{*}polyline")
    return [tuple(map(float, pair.split(","))) for pair in lines[place].get("points", "").split()]


@pytest.mark.parametrize("kind", ["loss", "score", "left"])
def test_moving_lines_are_where_the_resting_ones_are(kind: str) -> None:
    drawing = figures.moving_course(kind, ROWS, STRETCHES, label="x", ink="#000000")
    resting = figures.course(kind, ROWS, STRETCHES, label="x")
    names = ["held in memory", "left"] if kind == "left" else ["training", "validation"]
    values, heights = list[float](), list[float]()
    for place, name in enumerate(names):
        values += list(trace(resting, name).y)
        heights += [-down for _, down in points(drawing, place)]
    slope, base = np.polyfit(values, heights, 1)
    assert slope > 0
    assert heights == pytest.approx(list(slope * np.array(values) + base), abs=0.1)
    across = [x for x, _ in points(drawing, 0)]
    assert across == sorted(across)
    assert across[2] == across[3], "a cut is a fall at the same epoch"


def test_moving_pictures_say_in_words_what_they_show() -> None:
    drawing = figures.moving_course("score", ROWS, STRETCHES, label="accuracy, %", ink="#123456")
    assert drawing.words == "accuracy, % at epoch 4: training 95, validation 90"
    assert "#123456" in drawing.svg


def test_a_single_row_and_a_value_that_is_no_number_can_be_drawn() -> None:
    first = ROWS.iloc[:1].assign(validation_loss=float("nan"), train_loss=float("inf"))
    drawing = figures.moving_course("loss", first, {"a": 0}, label="loss", ink="#000000")
    assert "nan" not in re.sub(r"<text.*?</text>", "", drawing.svg)
    assert points(drawing, 0) == []


def test_bars_are_as_long_as_what_is_cut_and_marked_at_what_was_asked() -> None:
    levels, asked = {"fc1": 0.5, "f<c2": 0.0}, {"fc1": 0.9, "f<c2": 0.0}
    drawing = figures.moving_levels(levels, asked, ink="#000000")
    root = ElementTree.fromstring(drawing.svg)  # names are escaped
    wide = [float(bar.get("width", "")) for bar in root.findall("{*}rect")]
    assert wide[1] == pytest.approx(wide[0] / 2)
    assert wide[3] == 0
    assert len(root.findall("{*}path")) == 1
    figure = figures.levels(levels, asked)
    assert list(trace(figure, "cut").x) == [50, 0]
    assert list(trace(figure, "asked for").x) == [90]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 1, [0, 0.5, 1]), (0, 104, [0, 100]), (95, 101, [95, 100])],
)
def test_ticks_are_round_and_few(low: float, high: float, expected: list[float]) -> None:
    assert figures.ticks(low, high, 3) == pytest.approx(expected)


def test_tickets_stand_against_their_controls_at_what_is_left() -> None:
    legs = ["dense", "ticket 1", "new weights 1", "random mask 1"]
    table = pd.DataFrame(
        {
            "leg": legs,
            "epoch": [2] * 4,
            "sparsity": [0, 0.8, 0.8, 0.8],
            "accuracy": [0.9, 0.91, 0.7, 0.6],
            "low": [0.88, 0.9, 0.6, 0.5],
            "high": [0.92, 0.92, 0.8, 0.7],
        }
    )
    figure = figures.tickets(table, score="accuracy")
    assert [one.name for one in figure.data] == ["ticket", "new weights", "random mask"]
    assert list(trace(figure, "ticket").x) == pytest.approx([100, 20])
    assert figure.layout.xaxis.ticktext == ("100", "20")
    assert list(trace(figure, "random mask").y) == pytest.approx([90, 60])
    assert list(trace(figure, "new weights").error_y.array) == pytest.approx([2, 10])


def test_a_matrix_is_blank_where_it_is_cut_and_its_colours_stay() -> None:
    cells = np.array([[1.0, np.nan], [-0.5, 0.25]], np.float32)
    figure = figures.matrix(cells, 2.0, ("filter", "weight"), np.array([0, 3]), np.array([0, 2]))
    heat = figure.data[0]
    assert (heat.zmin, heat.zmax) == (-2, 2)
    assert np.isnan(heat.z[0][1])
    assert list(heat.y) == [0, 3]
    assert not heat.hoverongaps


# -- looks at a training -----------------------------------------------------------------------


def test_a_look_shows_the_mask_of_the_moment_and_counts_what_is_gone(benches: Benches) -> None:
    bench, moments = benches("lenet300"), list[tuple[float, float]]()
    watching = TrainingView("fc1")

    def watch(moment: Moment) -> None:
        watching.watch(moment)
        seen = picture_of(moment, "fc1")
        assert np.isnan(seen.cells).mean() == pytest.approx(moment.levels["fc1"], abs=0.06)
        moments.append((moment.levels["fc1"], float(np.isnan(seen.cells).mean())))

    plan = Plan(sparsity={"fc1": 0.8})
    training = Training(method="gradual", epochs=2, every=2, batch=16, samples=128)
    train(bench, plan, training, watch=watch)
    assert moments[0] == (0, 0)
    assert moments[-1][0] == pytest.approx(0.8, abs=1e-3)
    watching.layer = "fc2"
    watching.step()
    assert watching.snapshot is not None
    assert watching.snapshot.picture.layer == "fc2"
    assert watching.snapshot.picture.cells.shape == (100, 150)
    assert watching.snapshot.levels["fc1"] == pytest.approx(0.8, abs=1e-3)


def test_units_that_were_removed_count_as_gone(benches: Benches) -> None:
    watching = TrainingView("fc1")
    plan = Plan(criterion="l2", granularity="neuron", sparsity={"fc1": 0.5})
    train(benches("lenet300"), plan, Training(epochs=1, remove=True), watch=watching.watch)
    watching.rest()
    seen = watching.snapshot
    assert seen is not None
    assert seen.levels["fc1"] == pytest.approx(0.5)
    assert seen.levels["fc2"] == pytest.approx(0.5), "its inputs are gone"
    assert "150 of 300 neurons are still there" in seen.picture.words
    assert not bool(torch.from_numpy(seen.picture.cells).isnan().any())


def test_runs_have_a_colour_each_and_a_line_where_they_began() -> None:
    short = figures.RunLines("2 b", ROWS.iloc[:3], {"score": 0.1, "loss": 2.3})
    several = [figures.RunLines("1 a", ROWS, {"score": 0.5, "loss": 1.1}), short]
    figure = figures.runs("score", several, label="accuracy, %")
    assert len(figure.data) == 6
    training, validation, began = figure.data[3:]
    assert list(validation.y) == pytest.approx([50, 75, 85])
    assert list(training.y) == pytest.approx([50, 80, 90])
    assert list(began.x) == [0, 4], "as far as the longest"
    assert list(began.y) == pytest.approx([10, 10])
    assert (training.line.dash, validation.line.dash, began.line.dash) == ("dash", "solid", "dot")
    assert {one.line.color for one in figure.data[3:]} == {figures.MANY[1]}
    assert [one.name for one in figure.data if one.showlegend is not False] == ["1 a", "2 b"]
    assert list(figures.runs("loss", several, label="x").data[5].y) == [2.3, 2.3]
