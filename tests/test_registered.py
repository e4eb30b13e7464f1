"""Can any installed package add models by name?"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

import pruneviz as pv
from pruneviz.data import Data
from pruneviz.sources.registered import load_registered, registered_names

MODULE = """
import torch
from pruneviz.sources import Data, Source

def good():
    data = Data(torch.ones(4, 2), torch.tensor([0, 1, 0, 1]))
    return Source("extra", torch.nn.Linear(2, 2), data, data, ("no", "yes"))

def bad():
    return torch.nn.Linear(2, 2)
"""
ENTRIES = """[pruneviz.models]
extra = extra_models:good
wrong = extra_models:bad
"""


@pytest.fixture
def extra_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that offers two models, installed as pip would."""
    info = tmp_path / "extra_models-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: extra-models\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    (tmp_path / "extra_models.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "extra_models", raising=False)


def test_the_samples_are_registered() -> None:
    assert set(registered_names()) >= {"lenet300", "lenet5", "resnet20", "vit", "writer"}
    assert list(registered_names()) == sorted(registered_names())


@pytest.mark.usefixtures("extra_package")
def test_another_package_adds_a_model() -> None:
    assert "extra" in registered_names()
    bench = pv.open("extra")
    assert bench.name == "extra"
    assert bench.evaluate(pv.Plan()).n == 4


@pytest.mark.usefixtures("extra_package")
def test_a_factory_that_returns_something_else_is_named() -> None:
    with pytest.raises(ValueError, match=r"'wrong'.*extra_models:bad.*Linear, not a .*Source"):
        load_registered("wrong")


def test_an_unknown_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match=r"unknown model 'lenet6'; registered are .*lenet5"):
        load_registered("lenet6")


def test_data_must_have_a_target_for_each_input() -> None:
    with pytest.raises(ValueError, match="3 inputs but 2 targets"):
        Data(torch.ones(3, 2), torch.zeros(2, dtype=torch.int64))


def test_a_prefix_of_data_is_its_beginning() -> None:
    data = Data(torch.arange(5.0).unsqueeze(1), torch.arange(5))
    assert data.first(2).targets.tolist() == [0, 1]
    assert len(data.first(99)) == 5
    assert len(data) == 5
