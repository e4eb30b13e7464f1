"""Is every score told in its own unit?"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from torch import nn

import pruneviz as pv
from pruneviz import figures
from pruneviz.cli import main
from pruneviz.comparison.verdicts import Margin
from pruneviz.report.tables import readable
from pruneviz.scale import SHARE, Scale

R2 = Scale(share=False, word="R²")


def test_a_share_is_told_in_per_cent_and_points() -> None:
    assert SHARE.score_text(0.9312) == "93.1 %"
    assert SHARE.interval_text(0.92, 0.941) == "92.0 – 94.1 %"
    assert SHARE.paired_text(-0.012, -0.02, 0.003) == "-1.2 (-2.0 … +0.3)"
    assert [SHARE.amount_text(x) for x in (0.01, 0.025)] == ["1 point", "2.5 points"]
    assert (SHARE.axis("accuracy"), SHARE.change_axis) == ("accuracy, %", "change, points")


def test_any_other_score_is_told_as_it_is() -> None:
    assert R2.score_text(0.9312) == "0.931"
    assert R2.score_text(math.nan) == "–"
    assert R2.interval_text(-1.5, 0.5) == "-1.500 – 0.500"
    assert R2.change_text(-0.012) == "-0.012 R²"
    assert SHARE.change_text(-0.0004) == SHARE.change_text(0.0004) == "0.0 points"
    assert R2.change_text(-0.0003) == "-0.0003 R²"
    assert R2.paired_text(-0.012, -0.02, 0.003) == "-0.012 (-0.020 … +0.003)"
    assert R2.amount_text(0.01) == "0.01 of R²"
    assert (R2.axis("R²"), R2.change_axis) == ("R²", "change of R²")


CURVE = pd.DataFrame(
    {
        "layer": ["a", "a"], "sparsity": [0.5, 0.9], "n": [10, 10], "delta": [-0.1, -0.4],
        "delta_low": [-0.2, -0.5], "delta_high": [0.0, -0.3],
    }
)  # fmt: skip
VISITS = pd.DataFrame(
    {
        "label": ["dense"], "params": [5], "accuracy": [0.5], "low": [0.4], "high": [0.6],
        "loss": [1.0], "n": [10], "kind": ["dense"], "returns": True,
    }
)  # fmt: skip
CONTEST = pd.DataFrame(
    {"criterion": ["l2"], "sparsity": [0.5], "accuracy": [0.5], "low": [0.4], "high": [0.6]}
)


@pytest.mark.parametrize(("scale", "factor"), [(SHARE, 100), (R2, 1)])
def test_charts_follow(scale: Scale, factor: float) -> None:
    apart = figures.curves_apart(CURVE, {"a": ""}, lose=1, scale=scale)
    together = figures.curves_together(CURVE, lose=1, scale=scale)
    for figure, of in ((apart, apart.data[2]), (together, together.data[0])):
        assert np.allclose(of.y, [-0.1 * factor, -0.4 * factor])
        assert scale.unit in of.hovertemplate
        assert figure.layout.yaxis.range[0] == pytest.approx(-0.525 * factor)
    trade = figures.tradeoff(VISITS, VISITS[:0], floor=0.4, scale=scale, labels=("R²", ""))
    assert trade.data[-1].y[0] == 0.5 * factor
    assert trade.data[-1].error_y.array[0] == pytest.approx(0.1 * factor)
    assert trade.layout.shapes[0].y0 == 0.4 * factor
    held = figures.contest(CONTEST, {"l2": "L2"}, score="R²", scale=scale)
    assert np.allclose(held.data[0].y, [0.6 * factor, 0.4 * factor])
    for figure in (trade, held):
        assert figure.layout.yaxis.title.text == scale.axis("R²")
    assert ("} %<" in held.data[1].hovertemplate) == scale.share


def test_verdicts_and_tables_follow() -> None:
    told = Margin("random", ("control",), 0.2, 0.1, 0.3, True, R2).words
    assert told == "+0.200 (+0.100 … +0.300), real"
    rows = readable(VISITS.assign(note=""), "R²", R2)
    assert (rows["R²"][0], rows["95 %"][0]) == ("0.5000", "0.4000 … 0.6000")


def regression() -> tuple[nn.Module, tuple[torch.Tensor, torch.Tensor]]:
    torch.manual_seed(0)
    x = torch.randn(600, 6)
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1)).eval()
    with torch.no_grad():
        return model, (x, model(x) + 0.1 * torch.randn(600, 1))


def test_what_a_scan_and_a_search_say_of_a_regression() -> None:
    bench = pv.open(*regression())
    curves = bench.studies.curves(pv.Plan(), [0.5])
    assert "0.01 of R²" in curves.words
    assert "point " not in curves.words.partition("samples answered")[2]


@pytest.mark.parametrize("command", ["scan", "allocate"])
def test_a_loss_on_the_command_line_is_in_the_score_s_unit(
    command: str,
) -> None:
    said = ["--levels", "0.5"] if command == "scan" else []
    where = "tests.test_scale:regression"
    lose = ["--lose", "0.25"]
    result = CliRunner().invoke(main, [command, where, *said, *lose])
    assert result.exit_code == 0, result.output
    assert "0.25 of R²" in result.output
    assert "points" not in result.output.replace("points,", "")
