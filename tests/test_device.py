"""Is a network where it was asked to be, and what is not there refused in words?"""

from __future__ import annotations

import os

import pytest
import torch
from click.testing import CliRunner
from torch import nn

import pruneviz as pv
from pruneviz.cli import main
from pruneviz.network.device import VARIABLE, measuring_device, place_on

NO_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")


def given() -> tuple[nn.Module, pv.Data]:
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3)).eval()
    return model, pv.Data(torch.randn(12, 4), torch.arange(12) % 3)


@NO_GPU
def test_auto_is_the_cpu_where_there_is_no_gpu() -> None:
    assert measuring_device("auto") == torch.device("cpu")
    model, data = given()
    bench = pv.open(model, data, device="auto")
    assert bench.source.model is model, "it was there already"
    assert bench.evaluate(pv.Plan(sparsity={"0": 0.5})).n == len(bench.source.validation)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param("cuda", "device 'cuda' is not here: this machine has cpu", marks=NO_GPU),
        ("mps", "device 'mps' knows no double precision.*use 'cpu'"),
        ("tpu", "device must be one of auto, cpu, cuda, mps, got 'tpu'"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    name: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match=says):
        pv.open(*given(), device=name)
    monkeypatch.setenv(VARIABLE, name)
    with pytest.raises(ValueError, match=says):
        pv.open(*given())
    assert pv.open(*given(), device="cpu").source.model is not None, "what is said counts more"


def test_a_network_that_is_moved_is_a_copy() -> None:
    model, _ = given()
    there = place_on(model, torch.device("meta"))
    assert {p.device.type for p in there.parameters()} == {"meta"}
    assert {p.device.type for p in model.parameters()} == {"cpu"}
    assert place_on(there, torch.device("meta")) is there


@NO_GPU
def test_the_command_line_says_so_and_leaves_nothing_behind() -> None:
    result = CliRunner().invoke(main, ["prune", "lenet300", "--all", "0.5", "--device", "cuda"])
    assert result.exit_code == 1
    assert "Error: device 'cuda' is not here: this machine has cpu" in result.output
    assert VARIABLE not in os.environ
    good = CliRunner().invoke(main, ["layers", "lenet300", "--device", "auto"])
    assert good.exit_code == 0
    assert VARIABLE not in os.environ
