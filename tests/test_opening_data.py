"""Is data taken as it is meant, and refused by name where it does not fit?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.sources.opening import SYNTHETIC
from tests import optional
from tests.small import X, Y, network

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
