"""Does a network learn from the values inside the dense one, and say where it cannot?"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.network.replica import fingerprint
from pruneviz.recipes import from_yaml, recipe_of, script_of, to_yaml
from pruneviz.training.features import FeatureListener, distance, feature_names
from tests.small import small_bench
from tests.test_training_resume import Stop, StoppedError, same

WEIGHTS = pv.Plan(sparsity={"0": 0.75})
UNITS = pv.Plan("l2", "neuron", sparsity={"0": 0.5})
# One step that moves nothing, so that the loss is the one of the network as it was cut.
STILL = {"epochs": 1, "batch": 10_000, "learning_rate": 1e-9}


class Residual(nn.Module):
    """One block that hands on more than a tensor, and one whose shortcut is a projection."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.head = _Block(), nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.one(x)[0]
        return self.head((self.two(x)).relu())  # type: ignore[no-any-return]


class _Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(8, 16), nn.Linear(16, 8)

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        return x + self.outer(self.inner(x).relu()), None


def residual_bench() -> pv.Workbench:
    torch.manual_seed(0)
    network, inputs = Residual().eval(), torch.randn(60, 8)
    return pv.open(network, (inputs, inputs[:, :3].argmax(1)))


def loss(bench: pv.Workbench, plan: pv.Plan, **settings: object) -> float:
    training = pv.Training(**{**STILL, **settings})  # type: ignore[arg-type]
    return float(bench.train(plan, training).table["loss"].iloc[-1])


def test_the_distance_by_hand() -> None:
    ours, dense = torch.tensor([[1.0, 0.0], [2.0, -2.0]]), torch.tensor([[2.0, 0.0], [0.0, -4.0]])
    assert float(distance(ours, dense)) == pytest.approx((1 + 0 + 4 + 4) / (4 + 16))
    assert float(distance(1000 * ours, 1000 * dense)) == pytest.approx(9 / 20), "of any scale"
    assert float(distance(dense, dense)) == 0
    assert float(distance(ours, torch.zeros(2, 2))) == pytest.approx(9 / 4)


def test_the_loss_is_that_of_the_answers_and_of_the_features() -> None:
    bench = residual_bench()
    plan = pv.Plan(sparsity={"one.outer": 0.9})
    assert feature_names(bench, pv.Training(features=1.0)) == ("one",), "around its one block"
    alone = loss(bench, plan)
    apart = loss(bench, plan, features=0.5) - alone
    inputs, models = bench.source.calibration.inputs, (bench.prune(plan).model, bench.source.model)
    with torch.no_grad():
        ours, dense = (model.get_submodule("one")(inputs)[0] for model in models)
    wanted = float((ours - dense).square().sum() / dense.square().sum())
    assert apart == pytest.approx(0.5 * wanted, rel=1e-4)
    both = loss(bench, plan, features=0.5, distill=0.3)
    assert both - loss(bench, plan, distill=0.3) == pytest.approx(0.5 * wanted, rel=1e-3)


def test_without_weight_it_is_plain_distillation_bit_by_bit() -> None:
    settings = {"epochs": 2, "batch": 16, "distill": 0.5, "learning_rate": 0.01}
    plain, zero = (
        small_bench().train(WEIGHTS, pv.Training(**settings, **more))  # type: ignore[arg-type]
        for more in ({}, {"features": 0.0, "feature_layers": ("0",)})
    )
    same(plain, zero)
    assert "features" not in pv.Training(feature_layers=("0",)).as_dict()


def test_it_brings_the_inner_values_nearer_and_leaves_dense_alone() -> None:
    bench = small_bench()
    before = fingerprint(bench.source.model)
    plan = pv.Plan(sparsity={"0": 0.25})
    settings = {"epochs": 6, "batch": 16, "learning_rate": 0.02, "distill": 1.0, "start": "new"}

    def apart(**more: object) -> float:
        trained = bench.train(plan, pv.Training(**settings, **more))  # type: ignore[arg-type]
        heard = []
        for model in (trained.model, bench.source.model):
            with torch.no_grad(), FeatureListener(model, ["0"]) as features:
                model(bench.source.calibration.inputs)
            heard.append(features["0"][0])
            assert not model.get_submodule("0")._forward_hooks, "nothing listens any more"
        return float(distance(*heard))

    assert apart(features=10.0, feature_layers=("0",)) < 0.5 * apart()
    assert fingerprint(bench.source.model) == before


def test_a_layer_that_lost_units_is_compared_in_those_that_are_left() -> None:
    """Masked and removed: the same gradients, so the same network in the end."""
    settings = {"epochs": 2, "batch": 48, "features": 1.0, "feature_layers": ("0",)}
    settings |= {"optimizer": "sgd", "learning_rate": 0.05, "method": "iterative", "rounds": 2}
    masked, small = (
        small_bench().train(UNITS, pv.Training(**settings, remove=remove))  # type: ignore[arg-type]
        for remove in (False, True)
    )
    assert small.model.get_submodule("0").weight.shape[0] == 8
    assert small.notes == masked.notes
    assert float(small.table["loss"].iloc[-1]) < float(masked.table["loss"].iloc[-1]), "8 of 16"


def test_a_module_that_lost_units_is_left_out_with_a_note() -> None:
    trained = small_bench().train(
        UNITS, pv.Training(epochs=1, features=1.0, feature_layers=("2",), remove=True)
    )
    assert any("'2' has lost units" in note for note in trained.notes)


def test_a_layer_that_is_not_there_is_named() -> None:
    bench = small_bench()
    with pytest.raises(ValueError, match=r"feature_layers names 'conv9'.* no module .*'0', '4'"):
        bench.train(WEIGHTS, pv.Training(features=1.0, feature_layers=("0", "conv9")))
    with pytest.raises(ValueError, match="feature_layers must be a list of names"):
        pv.Training(features=1.0, feature_layers="conv1")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="features must be 0 or more"):
        pv.Training(features=-1.0)


def test_a_module_that_is_never_called_is_named() -> None:
    torch.manual_seed(0)

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mix, self.head = nn.MultiheadAttention(8, 2, batch_first=True), nn.Linear(8, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.mix(x, x, x, need_weights=False)[0].mean(1))  # type: ignore[no-any-return]

    bench = pv.open(Attention().eval(), (torch.randn(40, 5, 8), torch.arange(40) % 3))
    plan = pv.Plan(sparsity={"mix.out_proj": 0.5})
    with pytest.raises(ValueError, match=r"'mix\.out_proj' .*is not called as a module"):
        bench.train(plan, pv.Training(epochs=1, features=1.0, feature_layers=("mix.out_proj",)))
    bench.train(plan, pv.Training(epochs=1, features=1.0, feature_layers=("mix",)))


@pytest.mark.parametrize("remove", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_resumed_it_ends_as_undisturbed(tmp_path: Path, remove: bool) -> None:
    training = pv.Training(
        "gradual", epochs=3, batch=8, every=2, learning_rate=0.01, remove=remove,
        distill=0.5, features=2.0, feature_layers=("0",),
    )  # fmt: skip
    bench = small_bench()
    alone = bench.train(UNITS, training)
    with pytest.raises(StoppedError):
        bench.train(UNITS, training, tmp_path, progress=Stop(15))
    same(bench.train(UNITS, training, tmp_path), alone)


def test_it_is_written_down_and_read_again() -> None:
    bench = small_bench()
    training = pv.Training(epochs=1, distill=0.5, features=2.0, feature_layers=["0", "2"])  # type: ignore[arg-type]
    assert pv.Training.from_dict(training.as_dict()) == training
    version = pv.Workbench(bench.train(WEIGHTS, training).source("v1"))
    recipe = recipe_of(version, version.plan, version.evaluate(version.plan))
    assert recipe.training[0].training == training
    assert from_yaml(to_yaml(recipe)) == recipe
    assert "features=2.0" in script_of(recipe)
    assert "feature_layers=('0', '2')" in script_of(recipe)
