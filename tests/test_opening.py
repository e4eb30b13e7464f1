"""Does whatever somebody has become a workbench, by whichever door it comes?"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save, save_file
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.cli import main
from pruneviz.data import Data
from pruneviz.sources.opening import SYNTHETIC, OpenRequest, find_source
from pruneviz.sources.upload import open_upload
from tests import optional

X, Y = torch.randn(40, 4), torch.arange(40) % 3
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


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).eval()


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


# -- without labels, without data ----------------------------------------------------------


def test_without_labels_the_dense_network_is_what_counts() -> None:
    bench = pv.open(network(), X, task="agreement")
    dense, pruned = bench.evaluate(pv.Plan()), bench.evaluate(pv.Plan(sparsity={"0": 0.9}))
    assert (bench.task.name, dense.accuracy) == ("agreement", 1.0)
    assert pruned.accuracy < 1
    assert pruned.measures["KL divergence"] > 0


def test_nothing_tells_that_outputs_are_classes_so_they_are_compared_by_distance() -> None:
    bench = pv.open(network(), X)
    assert bench.task.name == "closeness"
    assert any("nothing says that outputs are scores of classes" in note for note in bench.notes)


# -- one row a sample ------------------------------------------------------------------------


class Odd(nn.Module):
    """Answers in a shape that is not one row a sample."""

    def __init__(self, end: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.body, self.end = nn.Linear(8, 4), end

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.body(x))


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (lambda y: y.transpose(0, 1), r"\[5, \d+, 4\].*time first.*batch_first=True"),
        (lambda y: y.mean(), r"shape \[\].*single number.*each sample"),
        (lambda y: y[y[..., 0] > 0], r"rows filtered.*all of them"),
        (lambda y: y.flatten(0, 1), r"5 rows a sample.*unflatten\(0, \(-1, 5\)\)"),
        (lambda y: y.view(1, 5, 4), r"cannot take \d+ samples at once.*view\(len\(x\)"),
    ],
)
def test_an_answer_has_one_row_a_sample(end: Callable[[Tensor], Tensor], said: str) -> None:
    torch.manual_seed(3)
    with pytest.raises(ValueError, match=said):
        pv.open(Odd(end).eval(), torch.randn(30, 5, 8))


def test_a_row_that_is_lost_by_squeezing_a_single_sample_is_found_again() -> None:
    network = Odd(lambda y: y[:, 0, :1].squeeze()).eval()
    bench = pv.open(network, (torch.randn(100, 5, 8), torch.randint(2, (100,))), calibration=0.35)
    assert len(bench.source.validation) == 65, "the last block has one sample"
    assert bench.task.name == "binary"
    assert bench.evaluate(pv.Plan(sparsity={"body": 0.5})).n == 65


# -- what does not count, and what the user says ---------------------------------------------


def test_a_label_beyond_the_outputs_names_the_way_out() -> None:
    segmenter = nn.Sequential(nn.Conv2d(2, 3, 1))
    targets = torch.randint(3, (20, 4, 4)).masked_fill(torch.rand(20, 4, 4) < 0.3, 255)
    data = (torch.randn(20, 2, 4, 4), targets)
    with pytest.raises(ValueError, match=r"got 255.*ignore=255 \(--ignore 255\)"):
        pv.open(segmenter, data)
    bench = pv.open(segmenter, data, ignore=255)
    share = float((targets == 255).double().mean())
    assert any(note.startswith("targets of 255 are ignored") for note in bench.notes)
    counted = bench.source.validation.targets
    assert counted is not None
    assert set(counted.unique().tolist()) == {-100, 0, 1, 2}
    assert 0 < share < 1
    again = pv.open(pv.Source("s", segmenter, *(2 * [pv.Data(*data)]), ()), ignore=255)
    assert again.task.name == "positions"
    negative = targets.masked_fill(targets == 255, -1)
    with pytest.raises(ValueError, match=r"got -1.*ignore=-1"):
        pv.open(segmenter, (data[0], negative))
    assert pv.open(segmenter, (data[0], negative), ignore=-1).task.name == "positions"


def test_a_sample_cannot_be_left_out_by_its_label() -> None:
    with pytest.raises(ValueError, match="leave out the samples instead"):
        pv.open(network(), (X, torch.zeros(len(X)).long()), ignore=0)


def test_a_comparison_is_a_metric_by_name() -> None:
    bench = pv.open(network(), (X, torch.zeros(len(X)).long()), metric="cosine")
    assert (bench.task.name, bench.source.validation.targets) == ("cosine", None)
    assert bench.source.opened is not None
    assert bench.source.opened.metric == "cosine"
    with pytest.raises(ValueError, match="two measures"):
        pv.open(network(), X, metric="cosine", task="agreement")


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


def test_what_is_measured_is_part_of_the_identity() -> None:
    names = (None, "agreement", "cosine")
    assert len({pv.open(network(), X, task=name).data_fingerprint for name in names}) == 3


def test_without_data_inputs_are_made_up_and_plainly_said() -> None:
    optional.timm()
    bench = pv.open("timm:mobilenetv3_small_050")
    assert SYNTHETIC in bench.notes
    assert (bench.task.name, bench.source.classes) == ("agreement", ())
    assert len(bench.source.calibration) + len(bench.source.validation) == 64


def test_without_data_and_without_knowing_the_inputs_data_is_asked_for() -> None:
    with pytest.raises(ValueError, match=r"what Sequential takes is not known.*pass data"):
        pv.open(network())


def test_class_names_must_be_enough() -> None:
    assert pv.open(network(), (X, Y), classes=["a", "b", "c"]).source.classes == ("a", "b", "c")
    with pytest.raises(ValueError, match="2 class names were given for 3 classes"):
        pv.open(network(), (X, Y), classes=["a", "b"])


def test_regression_is_told_by_targets_that_are_no_classes() -> None:
    bench = pv.open(network(), (X, torch.randn(40, 3)))
    assert bench.task.label == "R²"
    assert set(bench.evaluate(pv.Plan()).measures) >= {"R²", "RMSE"}


# -- what is broken ------------------------------------------------------------------------


class Beyond(nn.Module):
    """Has fewer outputs than the data has classes."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x)


def test_labels_beyond_the_outputs_are_named() -> None:
    with pytest.raises(ValueError, match=r"targets must be in 0..1, the network's outputs; got 2"):
        pv.open(Beyond(), (X, Y))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ((X[:0], Y[:0]), "validation data is empty"),
        ((X[:, :3], Y), r"Beyond cannot take one sample of the data \(input \(1, 3\)\)"),
        ((X, Y - 1), "-1"),
        ((X.masked_fill(X > 2, float("nan")), Y), "NaN"),
        ("nowhere.npz", "nowhere.npz"),
    ],
)
def test_data_that_does_not_fit_is_named(data: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        pv.open(Beyond(), data)


def test_float64_data_is_said_and_taken() -> None:
    bench = pv.open(network(), (X.double().numpy(), Y.numpy()))
    assert bench.source.validation.tensors()[""].dtype == torch.float32
    assert any("float64" in note for note in bench.notes)


class Moving(nn.Module):
    """Writes to a buffer of its own whenever it answers."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.head = nn.Linear(4, 8), nn.Linear(8, 3)
        self.register_buffer("scale", torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.fc(x).relu()
        self.scale.mul_(0.5).add_(hidden.abs().max(), alpha=0.5)
        return self.head(hidden / self.scale)


def test_buffers_that_a_network_writes_to_stay_as_they_were() -> None:
    model, plan = Moving(), pv.Plan(sparsity={"fc": 0.5})
    bench = pv.open(model, (X, Y))
    loss = bench.evaluate(plan).loss
    bench.evaluate(pv.Plan("taylor", sparsity={"fc": 0.5}))
    bench.warnings(plan)
    assert model.scale.tolist() == [1.0]
    assert pv.open(model, (X, Y)).evaluate(plan).loss == loss


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ((X, torch.tensor(1)), "first dimension that counts the samples"),
        ({"x": X, "y": Y, "scale": 2.0}, "first dimension that counts the samples"),
        (torch.utils.data.TensorDataset(X, X, Y), "has 3 parts; yield"),
    ],
)
def test_data_of_too_many_or_no_parts_is_named(data: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        pv.open(network(), data)


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
