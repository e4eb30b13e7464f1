"""Do layers that see more rows than samples (frames, windows, views) give the right evidence?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from pruneviz.data import Data
from pruneviz.network.layers import find_layers
from pruneviz.network.rows import Layout, find_layout
from pruneviz.plan import Plan, repairs_for
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.pruning.evidence_pass import find_layouts, gather
from pruneviz.workbench.opening import open_workbench
from tests.cases import slow_but

CLASSES, SAMPLES = 4, 20
REPAIRED = ("reconstruct",)
QUICK = ("frames of a moment together",)


class Clip(nn.Module):
    """A film whose frames are convolved; `first`: of each sample together, or of each moment."""

    def __init__(self, *, together: bool = True) -> None:
        super().__init__()
        self.together = together
        self.conv, self.norm = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.deep, self.out = nn.Conv2d(8, 6, 3, groups=2), nn.Linear(6, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        n, frames = x.shape[:2]
        rows = x.flatten(0, 1) if self.together else x.transpose(0, 1).flatten(0, 1)
        seen = self.deep(self.norm(self.conv(rows)).relu()).mean((2, 3))
        if self.together:
            return self.out(seen.view(n, frames, -1).mean(1))
        return self.out(seen.view(frames, n, -1).mean(0))


class Views(nn.Module):
    """Two views of a sample, one behind the other in the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.out = nn.Linear(6, 8), nn.Linear(16, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        one, other = self.fc(torch.cat([x, -x.square()])).relu().chunk(2)
        return self.out(torch.cat([one, other], 1))


class Unrolled(nn.Module):
    """A cell called at each moment of a sequence, then on all moments, time first."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.fc, self.out = nn.Linear(9, 6), nn.Linear(6, 6), nn.Linear(6, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        state, states = x.new_zeros(len(x), 6), []
        for moment in x.unbind(1):
            state = self.cell(torch.cat([moment, state], 1)).tanh()
            states.append(state)
        return self.out(self.fc(torch.stack(states)).relu().mean(0))


class Filtered(nn.Module):
    """Of each sample some rows only, another number each time, pass the layer."""

    def __init__(self, least: float = 0.0) -> None:
        super().__init__()
        self.least = least
        self.fc, self.out = nn.Linear(3, 8), nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.flatten(0, 1)
        passing = rows[:, 0] > self.least
        seen = x.new_zeros(len(rows), 8)
        seen[passing] = self.fc(rows[passing]).relu()
        return self.out(seen.view(len(x), -1, 8).mean(1))


class Table(nn.Module):
    """A layer that works on what is the same for all samples."""

    def __init__(self) -> None:
        super().__init__()
        self.places, self.fc = nn.Parameter(torch.randn(6, 5)), nn.Linear(5, 8)
        self.out = nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(x @ self.fc(self.places).relu())


class Waves(nn.Module):
    """Windows of a signal beside the samples, convolved and unfolded again."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.back = nn.Conv1d(2, 6, 3, padding=1), nn.ConvTranspose1d(6, 6, 3, stride=2)
        self.out = nn.Linear(6, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        n, windows = x.shape[:2]
        seen = self.back(self.conv(x.flatten(0, 1)).relu()).mean(2)
        return self.out(seen.view(n, windows, -1).amax(1))


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "frames of a sample together": (Clip, (5, 3, 6, 6)),
    "frames of a moment together": (lambda: Clip(together=False), (5, 3, 6, 6)),
    "views one behind the other": (Views, (6,)),
    "unrolled": (Unrolled, (7, 3)),
    "rows that are filtered": (Filtered, (7, 3)),
    "rows that are filtered in few samples": (lambda: Filtered(least=-1.9), (7, 3)),
    "rows that belong to nobody": (Table, (6,)),
    "windows of a signal": (Waves, (4, 2, 9)),
}


def made(case: str) -> tuple[nn.Module, Data]:
    torch.manual_seed(0)
    make, shape = NETWORKS[case]
    model = make().double().eval()
    labels = torch.arange(SAMPLES) % CLASSES
    return model, Data(torch.randn(SAMPLES, *shape).double(), labels)


@pytest.mark.parametrize("case", NETWORKS)
def test_gradients_and_norms_are_those_of_a_loop_over_samples(case: str) -> None:
    model, data = made(case)
    assert isinstance(data.inputs, Tensor)
    assert data.targets is not None
    layers = find_layers(model)
    weights = [model.get_parameter(layer.weight) for layer in layers.values()]
    each = [
        torch.autograd.grad(F.cross_entropy(model(x[None]), y[None]), weights)
        for x, y in zip(data.inputs, data.targets, strict=True)
    ]
    found = gather(model, layers, None, data, classes=CLASSES, batch=8)
    seen: dict[str, list[list[Tensor]]] = {name: [] for name in layers}
    for name in layers:
        model.get_submodule(name).register_forward_hook(
            lambda _, given, output, name=name: seen[name][-1].append(output.detach())
        )
    with torch.no_grad():
        for x in data.inputs:
            for calls in seen.values():
                calls.append([])
            model(x[None])
    for place, (name, layer) in enumerate(layers.items()):
        grads = torch.stack([layer.canonical(row[place]) for row in each])
        torch.testing.assert_close(found[name].gradient, grads.mean(0))
        torch.testing.assert_close(found[name].gradient_size, grads.abs().mean(0))
        torch.testing.assert_close(found[name].gradient_power, grads.square().mean(0))
        weight = layer.canonical(weights[place].detach())
        signed = (grads * weight).flatten(2).sum(2).float()  # Molchanov et al. 2019, eq. 8
        torch.testing.assert_close(found[name].contribution, signed, rtol=1e-4, atol=1e-6)
        units = 1 if layer.kind != "linear" else -1
        outputs = [torch.cat([o.movedim(units, 0).flatten(1) for o in c], 1) for c in seen[name]]
        torch.testing.assert_close(found[name].activation, torch.cat(outputs, 1).abs().mean(1))
        of_one = [o for o, y in zip(outputs, data.targets, strict=True) if y == 1]
        torch.testing.assert_close(found[name].by_class[:, 1], torch.cat(of_one, 1).mean(1))


def test_rows_that_are_all_there_in_the_first_look_and_not_in_others() -> None:
    """So the case above is what it says: what a few samples tell does not hold for all."""
    _, data = made("rows that are filtered in few samples")
    assert isinstance(data.inputs, Tensor)
    whole = (data.inputs[..., 0] > -1.9).all(1)
    assert whole[torch.linspace(0, SAMPLES - 1, 3).round().long()].all()
    assert not whole.all()


def test_wanda_of_folded_frames_is_that_of_all_frames() -> None:
    model, data = made("frames of a sample together")
    assert isinstance(data.inputs, Tensor)
    found = gather(model, find_layers(model), None, data, classes=1, parts=["activity"], batch=8)
    patches = F.unfold(data.inputs.flatten(0, 1), 3, padding=1)  # [frames, 27, places]
    norm = patches.square().sum((0, 2)).sqrt().reshape(1, 3, 3, 3)
    torch.testing.assert_close(found["conv"].input_norm, norm)


@pytest.mark.parametrize("case", slow_but(lambda case: case in QUICK, NETWORKS))
def test_every_criterion_and_repair_works(case: str) -> None:
    model, data = made(case)
    bench = open_workbench(model.float(), (data.inputs.float(), data.targets))
    name = next(iter(bench.layer_of))
    for criterion in CRITERIA.values():
        if "weight" in criterion.granularities and criterion.name != "synflow":
            plan = Plan(criterion.name, sparsity={name: 0.5})
            assert bench.evaluate(plan).n == len(bench.source.validation)
            assert bench.prune(plan).sparsity[name] == pytest.approx(0.5, abs=0.05)
    if name in bench.groups.groups:
        for repair in repairs_for("neuron"):
            plan = Plan(granularity="neuron", sparsity={name: 0.5}, repair=(repair,))
            assert bench.evaluate(plan).n == len(bench.source.validation)
    assert len(bench.feature_maps(Plan(), name, 0))


@pytest.mark.parametrize(
    ("case", "layer", "layout"),
    [
        ("frames of a sample together", "conv", Layout(1, 5)),
        ("frames of a moment together", "conv", Layout(5, 1)),
        ("views one behind the other", "fc", Layout(2, 1)),
        ("unrolled", "cell", Layout(1, 1)),
        ("unrolled", "fc", Layout(7, 1)),
        ("rows that belong to nobody", "fc", None),
    ],
)
def test_rows_are_found_by_sending_samples_in_another_order(
    case: str, layer: str, layout: Layout | None
) -> None:
    model, data = made(case)
    assert find_layouts(model, find_layers(model), data)[layer, 0] == layout


def test_a_layout_is_three_numbers_multiplied() -> None:
    rows = torch.arange(12.0).reshape(2, 3, 2)  # outer, samples, inner
    found = find_layout(rows.flatten(), rows.roll(1, 1).flatten(), 3)
    assert found == Layout(2, 2)
    assert found.fits(20, 5)
    assert not found.fits(21, 5)
    assert find_layout(rows.flatten(), rows.flatten().flip(0), 3) is None


def test_rows_need_not_be_told_apart_to_be_counted_once() -> None:
    """As long as a batch, but time first: the number alone would mistake moments for samples."""
    model, data = made("unrolled")
    one = gather(model, find_layers(model), None, data.first(7), classes=CLASSES, batch=7)
    other = gather(model, find_layers(model), None, data.first(7), classes=CLASSES, batch=2)
    torch.testing.assert_close(one["fc"].gradient_power, other["fc"].gradient_power)
    torch.testing.assert_close(one["fc"].by_class, other["fc"].by_class)


def test_rows_that_differ_once_units_are_cut_are_no_equations_for_a_repair() -> None:
    class Passing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.judge = nn.Linear(6, 8), nn.Linear(8, 1)
            self.second, self.out = nn.Linear(6, 8), nn.Linear(8, CLASSES)

        def forward(self, x: Tensor) -> Tensor:
            passing = self.judge(self.first(x).relu())[:, 0] > 0
            answer = x.new_zeros(len(x), CLASSES)
            answer[passing] = self.out(self.second(x[passing]).relu())
            return answer

    torch.manual_seed(0)
    data = (torch.randn(40, 6), torch.arange(40) % CLASSES)
    bench = open_workbench(Passing().eval(), data)
    plan = Plan(granularity="neuron", sparsity={"first": 0.5, "second": 0.5}, repair=REPAIRED)
    assert bench.evaluate(plan).n == len(bench.source.validation)
    assert "judge.weight" in bench.prune(plan).tensors
