"""Is evidence the same however it is gathered?"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from pruneviz.data import Data
from pruneviz.network.layers import find_layers
from pruneviz.network.replica import fingerprint
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.pruning.evidence import Evidence, weights_only
from pruneviz.pruning.evidence_pass import gather
from pruneviz.pruning.granularity import scores_for
from pruneviz.workbench import Workbench
from tests.cases import slow_but
from tests.conftest import NETWORKS
from tests.test_evidence import CLASSES, tiny_evidence


@pytest.fixture(scope="module")
def tiny() -> tuple[nn.Module, Data, dict[str, Evidence]]:
    return tiny_evidence()


# -- SynFlow -------------------------------------------------------------------------------


def test_synflow_of_two_layers_is_that_worked_out_by_hand() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)).eval()
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, -2.0], [3.0, 4.0]]))
        model[2].weight.copy_(torch.tensor([[-5.0, 6.0]]))
    data = Data(torch.randn(3, 2), torch.zeros(3, dtype=torch.int64))
    found = gather(model, find_layers(model), None, data, classes=1, parts=["flow"])
    first, second = (scores_for(CRITERIA["synflow"], "weight", found[n]) for n in ("0", "2"))
    # |first| then |second|: 1·5, 2·5, 3·6, 4·6; what arrives at a hidden unit times its weight.
    assert first.tolist() == [[5, 10], [18, 24]]
    assert second.tolist() == [[(1 + 2) * 5, (3 + 4) * 6]]


def test_all_of_the_flow_passes_every_layer(
    tiny: tuple[nn.Module, Data, dict[str, Evidence]],
) -> None:
    """Tanaka et al. 2020, theorem 1: what is scored adds up to R in each layer."""
    sums = [scores_for(CRITERIA["synflow"], "weight", e).sum() for e in tiny[2].values()]
    assert sums[0] > 0
    for total in sums[1:]:
        torch.testing.assert_close(total, sums[0])


def test_synflow_looks_at_no_data(tiny: tuple[nn.Module, Data, dict[str, Evidence]]) -> None:
    model, data, found = tiny
    other = Data(torch.randn_like(data.inputs[:3]), data.targets[:3])
    again = gather(model, find_layers(model), None, other, classes=CLASSES)
    for name in found:
        assert torch.equal(again[name].of("flow"), found[name].of("flow"))


# -- the sample networks -------------------------------------------------------------------


@pytest.mark.parametrize(
    "bench", slow_but(lambda name: name != "resnet20", NETWORKS), indirect=True
)
def test_evidence_of_the_samples_is_whole(bench: Workbench) -> None:
    for name, known in bench.evidence().items():
        layer = bench.layer_of[name]
        assert known.activation.shape == known.variance.shape == (layer.units,)
        assert known.by_class.shape == (layer.units, 10)
        assert known.silence.min() >= 0
        assert known.silence.max() <= 1
        for field in ("gradient", "gradient_size", "gradient_power", "flow"):
            assert known.of(field).shape == layer.shape
            assert torch.isfinite(known.of(field)).all(), (name, field)
        assert known.flow.any(), f"no flow reaches {name}"
        assert torch.all(known.gradient.abs() <= known.gradient_size * (1 + 1e-9))


@pytest.mark.parametrize(
    "bench", slow_but(lambda name: name != "resnet20", NETWORKS), indirect=True
)
def test_gathering_twice_gives_the_same_and_leaves_the_model_alone(bench: Workbench) -> None:
    source, before = bench.source, fingerprint(bench.source.model)
    one, other = (
        gather(
            source.model,
            bench.layer_of,
            bench.graph,
            source.calibration.first(16),
            classes=10,
        )
        for _ in range(2)
    )
    for name, known in one.items():
        for field in ("activation", "input_norm", "gradient", "gradient_power", "flow"):
            assert torch.equal(known.of(field), other[name].of(field)), (name, field)
    assert fingerprint(source.model) == before
    assert all(p.grad is None for p in source.model.parameters())
    assert not any(m._forward_hooks for m in source.model.modules())


def test_weights_alone_need_no_data(bench: Workbench) -> None:
    for name, known in weights_only(bench.source.model, bench.layer_of).items():
        assert torch.equal(known.weight, bench.source.model.get_parameter(f"{name}.weight"))
        assert not known.has("activation")


# -- the pass itself -----------------------------------------------------------------------


def test_progress_grows_to_one(tiny: tuple[nn.Module, Data, object]) -> None:
    model, data, _ = tiny
    done: list[float] = []
    gather(model, find_layers(model), None, data, classes=CLASSES, progress=done.append)
    assert done == sorted(done)
    assert done[-1] == 1.0
    assert len(done) == 3, "two batches, and the curvature of all layers at once"


def test_empty_data_is_refused(tiny: tuple[nn.Module, Data, object]) -> None:
    with pytest.raises(ValueError, match="calibration data is empty; give at least one sample"):
        gather(tiny[0], find_layers(tiny[0]), None, tiny[1].first(0), classes=CLASSES)


@pytest.mark.parametrize("label", [CLASSES, -1])
def test_labels_beyond_the_outputs_are_refused(
    tiny: tuple[nn.Module, Data, object], label: int
) -> None:
    model, data, _ = tiny
    wrong = Data(data.inputs[:4], torch.tensor([0, 1, label, 2]))
    with pytest.raises(ValueError, match=rf"targets.*got {label}"):
        gather(model, find_layers(model), None, wrong, classes=CLASSES)


def test_a_layer_that_never_ran_is_not_blamed_on_missing_data() -> None:
    class Unused(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.idle = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.used(x)

    model = Unused().eval()
    data = Data(torch.randn(4, 2), torch.tensor([0, 1, 0, 1]))
    found = gather(model, find_layers(model), None, data, classes=2)
    with pytest.raises(ValueError, match="'idle'") as refused:
        found["idle"].of("input_norm")
    assert "gather evidence" not in str(refused.value)
