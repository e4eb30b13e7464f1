"""Does whatever somebody has become a workbench, by whichever door it comes?"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save, save_file

import pruneviz as pv
from pruneviz.cli import main
from pruneviz.data import Data
from pruneviz.sources.opening import OpenRequest, find_source
from pruneviz.sources.upload import open_upload
from tests import optional
from tests.small import X, Y, network

OWN = """
import torch
from torch import nn
import pruneviz as pv

def build():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))

def data():
    return torch.randn(20, 4), torch.arange(20) % 3

def both():
    return build(), data()

def source():
    given = pv.Data(*data())
    return pv.Source("mine", build(), given, given, ("a", "b", "c"))

def wrong():
    return 3

def confident(outputs, targets):
    return outputs.softmax(1).amax(1)

LEVEL = 5
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own module in the folder they stand in."""
    (tmp_path / "my_code.py").write_text(OWN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "my_code", raising=False)


# -- own code ------------------------------------------------------------------------------


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("given", "data"), [("my_code:build", "my_code:data"), ("my_code:both", None)]
)
def test_own_code_by_name(given: str, data: str | None) -> None:
    bench = pv.open(given, data)
    assert bench.name == given
    assert bench.evaluate(pv.Plan(sparsity={"0": 0.5})).n == 14
    assert any("seeded 30 % of 20 samples" in note for note in bench.notes)


@pytest.mark.usefixtures("own")
def test_own_code_may_return_a_source() -> None:
    assert pv.open("my_code:source").source.classes == ("a", "b", "c")


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("my_code:wrong", "gave int; it must give an nn.Module, a Source, or a network"),
        ("my_code:none", "my_code has no 'none'"),
        ("no_code:build", "there is no module 'no_code'"),
    ],
)
def test_own_code_that_gives_no_network_is_named(given: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        pv.open(given)


@pytest.mark.usefixtures("own")
def test_the_users_own_metric_takes_the_place_of_accuracy() -> None:
    found = read("prune", "my_code:both", "--metric", "my_code:confident", "--sparsity", "0=0.5")
    assert found["measure"] == "confident"
    assert 1 / 3 < found["accuracy"] < 1
    assert "accuracy" in found["measures"]
    with pytest.raises(ValueError, match="'my_code:LEVEL' is int, not a function"):
        pv.open(OpenRequest("my_code:both", metric="my_code:LEVEL"))


# -- weights -------------------------------------------------------------------------------


@pytest.mark.usefixtures("own")
def test_a_weights_file_for_own_code(tmp_path: Path) -> None:
    model = network()
    save_file(model.state_dict(), tmp_path / "w.safetensors")
    bench = pv.open(tmp_path / "w.safetensors", (X, Y), arch="my_code:build")
    assert bench.name == "w.safetensors"
    assert torch.equal(bench.weight("2"), model[2].weight)


@pytest.mark.parametrize("name", ["w.safetensors", "w.onnx", "w.pt2"])
def test_a_file_that_is_not_there_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"there is no file or folder .*{name}"):
        pv.open(tmp_path / name, (X, Y))


def test_weights_without_an_architecture_say_what_is_missing(tmp_path: Path) -> None:
    save_file(network().state_dict(), tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match=r"w.safetensors holds weights; say which architecture"):
        pv.open(tmp_path / "w.safetensors", (X, Y))


def test_a_sample_by_its_prefix_and_with_other_data() -> None:
    assert pv.open("sample:lenet5").evaluate(pv.Plan()).n == 2000
    digits = pv.open("lenet5").source.validation.first(30)
    bench = pv.open("lenet5", digits)
    assert bench.evaluate(pv.Plan()).n == 21
    assert bench.source.dense is None


def test_weights_and_a_timm_name(tmp_path: Path) -> None:
    optional.timm()
    torch.manual_seed(0)
    model = optional.timm().create_model("mobilenetv3_small_050", num_classes=7)
    save_file(model.state_dict(), tmp_path / "w.safetensors")
    data = Data(torch.randn(6, 3, 64, 64), torch.arange(6) % 7)
    bench = pv.open(tmp_path / "w.safetensors", data, arch="timm:mobilenetv3_small_050")
    assert torch.equal(bench.weight("classifier"), model.classifier.weight)
    assert bench.evaluate(pv.Plan()).n == 4


# -- what does not count, and what the user says ---------------------------------------------


def test_an_upload_says_what_is_measured_too() -> None:
    file = io.BytesIO()
    np.savez(file, x=np.random.rand(40, 1, 28, 28).astype("f4"), y=np.arange(40) % 10)
    source = open_upload(None, "", "sample:lenet5", file.getvalue(), "d.npz", task="agreement")
    bench = pv.Workbench(source)
    assert (bench.task.name, bench.source.opened) == (
        "agreement",
        OpenRequest("sample:lenet5", "d.npz", task="agreement"),
    )
    with pytest.raises(ValueError, match="leave out the samples instead"):
        open_upload(None, "", "sample:lenet5", file.getvalue(), "d.npz", ignore=3)


# -- what is broken ------------------------------------------------------------------------


def test_what_would_be_ignored_is_refused() -> None:
    with pytest.raises(ValueError, match=r"arch \(timm:resnet18\) is for weights files"):
        pv.open("lenet5", arch="timm:resnet18")
    with pytest.raises(ValueError, match="2 class names were given for 10"):
        pv.open("lenet5", classes=["a", "b"])
    with pytest.raises(ValueError, match="must differ and not be empty"):
        pv.open(network(), (X, Y), classes=["a", "", "c"])
    with pytest.raises(ValueError, match="mean and std must be finite"):
        pv.open(network(), (X, Y), mean=float("nan"))


# -- uploads -------------------------------------------------------------------------------


def archive(**arrays: np.ndarray) -> bytes:
    held = io.BytesIO()
    np.savez(held, **arrays)
    return held.getvalue()


def test_an_upload_of_weights_and_data() -> None:
    source = pv.open("lenet5").source
    tensors = {name: tensor.contiguous() for name, tensor in source.model.state_dict().items()}
    digits = source.validation.first(20)
    found = open_upload(
        save(tensors),
        "mine.safetensors",
        "sample:lenet5",
        archive(x=digits.tensors()[""].numpy(), y=digits.targets.numpy()),
        "digits.npz",
    )
    bench = pv.open(found)
    assert bench.name == "mine.safetensors"
    assert bench.evaluate(pv.Plan()).accuracy > 0.9


@pytest.mark.parametrize(
    ("arch", "said"),
    [
        ("my_code:build", "own code is for the command line"),
        ("", "name the architecture as sample:"),
        ("/tmp/model.pt2", "name the architecture as sample:"),
        ("hf:/etc", "a folder of this machine cannot be named"),
        ("hf:../secrets", "a folder of this machine cannot be named"),
        ("sample:lenet6", "no model is registered as 'lenet6'"),
    ],
)
def test_an_upload_names_no_code_and_no_paths(arch: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        open_upload(save({"a": torch.ones(1)}), "w.safetensors", arch)


def test_an_upload_of_other_data_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"x.csv: data is uploaded as .npz with x and y, or as .zip"
    ):
        open_upload(None, "", "sample:lenet5", b"1,2", "x.csv")


# -- the command line ----------------------------------------------------------------------


def read(*arguments: str) -> dict[str, object]:
    result = CliRunner().invoke(main, [*arguments, "--json"])
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


@pytest.mark.usefixtures("own")
def test_the_command_line_opens_the_same(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = network()
    torch.save({"state_dict": model.state_dict(), "epoch": 3}, tmp_path / "w.pt")
    np.savez(tmp_path / "d.npz", x=X.numpy(), y=Y.numpy())
    found = read(
        "prune", "w.pt", "--arch", "my_code:build", "--data", "d.npz", "--sparsity", "0=0.5"
    )
    plan = pv.Plan(sparsity={"0": 0.5})
    bench = pv.open(tmp_path / "w.pt", tmp_path / "d.npz", arch="my_code:build")
    assert found["accuracy"] == bench.evaluate(plan).accuracy
    assert found["notes"] == list(bench.notes)
    assert any("state_dict" in note for note in bench.notes)


def test_an_opening_and_its_parts_open_the_same() -> None:
    assert find_source("lenet5").name == pv.open(OpenRequest("lenet5")).name == "lenet5"
    assert OpenRequest("/somewhere/w.pt").label == "w.pt"
    assert OpenRequest("timm:resnet18").label == "timm:resnet18"
