"""Is it said, on opening, when sliders reach little of a network?"""

from __future__ import annotations

import sys

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.cli import main
from pruneviz.ui.workbench.task_facts import task_facts
from tests.page import Page


class Own(nn.Module):
    """A kind of layer that nobody knows, of 1,000 parameters."""

    def __init__(self, size: int = 1000) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(size))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.table.sum()


def little() -> nn.Module:
    return nn.Sequential(nn.Linear(5, 2), Own(), nn.LayerNorm(2), nn.Linear(2, 2)).eval()


def rows() -> Tensor:
    return torch.randn(20, 5)


def test_little_reach_is_said_with_what_the_rest_is() -> None:
    bench = pv.open(little(), rows())
    # 12 + 6 of 1,022 parameters: 1,000 are of the layer of its own kind, 4 of the norm.
    assert bench.notes[-1] == (
        "sliders reach 1.8 % of the parameters; the rest is 1,000 of Own (no layer of a known "
        "kind), 2 of LayerNorm (goes only with its unit), 2 of bias (goes only with its unit)"
    )


def test_half_a_network_is_enough_to_say_nothing() -> None:
    def notes(size: int) -> str:
        network = nn.Sequential(nn.Linear(5, 2), Own(size))
        return " ".join(pv.open(network.eval(), rows()).notes)

    assert "sliders reach" not in notes(12)
    assert "sliders reach 48.0 %" in notes(13)


def test_the_command_line_says_it_on_opening() -> None:
    result = CliRunner().invoke(main, ["layers", "tests.test_reach:little", "--data", DATA])
    assert result.exit_code == 0, result.output
    assert result.stderr.count("sliders reach 1.8 % of the parameters") == 1


def test_the_app_says_it_beside_the_headline(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["app.py", "--model", "tests.test_reach:little", "--data", DATA]
    monkeypatch.setattr(sys, "argv", words)
    page = Page()
    assert page.session.bench.notes[-1].startswith("sliders reach 1.8 % of the parameters; ")
    assert "sliders reach 1.8 % of the parameters" in str(task_facts(page.session.bench)["note"])
    assert any("1,000 of Own" in text.value for text in page.app.markdown)


DATA = "tests.test_reach:rows"
