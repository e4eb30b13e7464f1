"""Does a network that came pruned begin with a plan whose masks are those it came with?"""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.utils import parametrize, prune

import pruneviz as pv
from pruneviz.cli import main
from pruneviz.sources.networks.architectures import build
from pruneviz.sources.networks.masked import bake
from pruneviz.sources.networks.weights import Weights, read_weights
from pruneviz.sources.upload import open_upload
from pruneviz.ui.session import start
from pruneviz.workbench import Workbench


def lenet() -> nn.Module:
    return copy.deepcopy(build("sample:lenet5").model)


def under_masks() -> tuple[nn.Module, dict[str, Tensor]]:
    """lenet5 as torch.nn.utils.prune leaves it, and its masks by layer."""
    net = lenet()
    prune.l1_unstructured(net.get_submodule("fc1"), "weight", amount=0.7)
    prune.random_unstructured(net.get_submodule("conv1"), "weight", amount=0.3)
    prune.ln_structured(net.get_submodule("conv2"), "weight", amount=0.25, n=2, dim=0)
    names = ("fc1", "conv1", "conv2")
    return net, {name: net.get_submodule(name).weight_mask.bool() for name in names}  # type: ignore[operator, union-attr]


def agrees(bench: Workbench, masks: dict[str, Tensor], net: nn.Module) -> None:
    assert set(bench.plan.sparsity) == set(masks)
    pruned = bench.prune(bench.plan)
    for name in bench.layer_of:
        want = masks.get(name, torch.ones(bench.layer_of[name].shape, dtype=torch.bool))
        assert torch.equal(pruned.masks[name].expand_as(want), want), name
    inputs = bench.source.validation.inputs
    assert isinstance(inputs, Tensor)
    with torch.no_grad():
        assert torch.allclose(pruned.model(inputs[:8]), net.eval()(inputs[:8]), atol=1e-6)
    assert any("came pruned" in note for note in bench.notes)


def test_a_checkpoint_of_torchs_pruning_by_three_doors(tmp_path: Path) -> None:
    net, masks = under_masks()
    path = tmp_path / "pruned.pt"
    torch.save({"state_dict": {f"module.{k}": v for k, v in net.state_dict().items()}}, path)
    agrees(pv.open(path, arch="sample:lenet5"), masks, net)
    agrees(Workbench(open_upload(path.read_bytes(), path.name, "sample:lenet5")), masks, net)
    shown = CliRunner().invoke(main, ["prune", str(path), "--arch", "sample:lenet5", "-n", "32"])
    assert shown.exit_code == 0, shown.output
    assert "conv2.weight 25.0% cut" in shown.stderr
    row = next(line.split() for line in shown.stdout.splitlines() if line.split()[:1] == ["fc1"])
    assert row[:1] + [float(x) for x in row[1:3]] == ["fc1", 0.7, 0.7]


def test_a_network_in_hand_with_masks_on() -> None:
    net, masks = under_masks()
    agrees(pv.open(net, torch.randn(20, 1, 28, 28)), masks, net)


class Mask(nn.Module):
    def __init__(self, mask: Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", mask)

    def forward(self, weight: Tensor) -> Tensor:
        return weight * self.mask


def test_masks_of_a_parametrisation(tmp_path: Path) -> None:
    """As torch.ao.pruning's sparsifiers leave a network: parametrizations.weight.0.mask."""
    net = lenet()
    fc1 = net.get_submodule("fc1")
    mask = torch.rand(fc1.weight.shape) < 0.4  # type: ignore[union-attr, arg-type]
    parametrize.register_parametrization(fc1, "weight", Mask(mask.float()))
    torch.save(net.state_dict(), tmp_path / "sparse.pt")
    agrees(pv.open(tmp_path / "sparse.pt", arch="sample:lenet5"), {"fc1": mask}, net)
    agrees(pv.open(net, torch.randn(20, 1, 28, 28)), {"fc1": mask}, net)


@pytest.mark.parametrize("key", ["fc1.weight_mask", "fc1.mask"])
@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.float32])
def test_masks_beside_whole_weights(tmp_path: Path, key: str, dtype: torch.dtype) -> None:
    net = lenet()
    mask = torch.rand(net.get_parameter("fc1.weight").shape) < 0.5
    save_file({**net.state_dict(), key: mask.to(dtype)}, tmp_path / "w.safetensors")
    net.get_parameter("fc1.weight").data.masked_fill_(~mask, 0)
    agrees(pv.open(tmp_path / "w.safetensors", arch="sample:lenet5"), {"fc1": mask}, net)


def test_kept_weights_that_are_zero_stay_kept(tmp_path: Path) -> None:
    net, _ = under_masks()
    weight = net.get_parameter("fc1.weight_orig")
    mask = net.get_buffer("fc1.weight_mask").bool()
    rows = mask.nonzero()[:7]
    weight.data[rows[:, 0], rows[:, 1]] = 0
    torch.save(net.state_dict(), tmp_path / "w.pt")
    bench = pv.open(tmp_path / "w.pt", arch="sample:lenet5")
    assert torch.equal(bench.prune(bench.plan).masks["fc1"], mask)
    assert len(bench.plan.pinned["fc1"]) == 7


def test_a_mask_that_belongs_to_the_network_stays_there() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 2)
            self.register_buffer("a_mask", torch.ones(4, 4).tril())
            self.a.register_buffer("mask", torch.ones(4, 4).tril())

        def forward(self, x: Tensor) -> Tensor:
            return self.b(nn.functional.linear(x, self.a.weight * self.a.mask))  # type: ignore[no-any-return, operator]

    from pruneviz.sources.networks.weight_fit import fit

    net = Own()
    weights = bake(Weights(net.state_dict()))
    assert set(weights.masks) == {"a.weight"}
    new, _ = fit(Own(), weights)
    assert torch.equal(new.get_parameter("a.weight"), net.a.weight)


def test_what_is_no_mask_is_left_alone() -> None:
    tensors = {"a.weight": torch.ones(2, 2), "a.mask": torch.tensor([[0.0, 2.0], [1.0, 1.0]]),
               "b.weight": torch.ones(2, 2), "b.weight_mask": torch.ones(2)}  # fmt: skip
    assert bake(Weights(tensors)).tensors is tensors


def test_the_session_begins_with_the_plan_and_dense_stays_its_baseline(tmp_path: Path) -> None:
    net, _ = under_masks()
    torch.save(net.state_dict(), tmp_path / "w.pt")
    session = start(pv.open(tmp_path / "w.pt", arch="sample:lenet5"))
    assert session.settled.sparsity["fc1"] == pytest.approx(0.7, abs=1e-4)
    assert session.settled.sparsity["fc2"] == 0
    assert [plan.is_dense for plan in session.visited] == [True, False]


# -- files that pruneviz wrote ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "file"),
    [
        ("masks", "masks.safetensors"),
        ("sparse", "sparse.safetensors"),
        ("torch-prune", "torch_prune.pt"),
        ("safetensors", "model.safetensors"),
    ],
)
def test_an_export_begins_with_what_it_was_cut_by(tmp_path: Path, form: str, file: str) -> None:
    first = pv.open("lenet5")
    plan = pv.Plan("random", sparsity={"conv2": 0.5, "fc1": 0.9})
    first.export(plan, tmp_path, formats=[form])
    masks = {name: first.prune(plan).masks[name] for name in plan.sparsity}
    want = first.prune(plan).model
    agrees(pv.open(tmp_path / file, arch="sample:lenet5"), masks, want)
    content = (tmp_path / file).read_bytes()
    agrees(Workbench(open_upload(content, file, "sample:lenet5")), masks, want)
    if form == "masks":
        with pytest.raises(ValueError, match=r"masks\.safetensors holds masks alone.*arch"):
            pv.open(tmp_path / file)


@pytest.mark.parametrize("name", ["lenet5", pytest.param("resnet20", marks=pytest.mark.slow)])
def test_a_shrunk_export_is_rebuilt(tmp_path: Path, name: str) -> None:
    first = pv.open(name)
    layer = next(n for n in first.layer_of if n not in first.locks and first.layer_of[n].units > 4)
    plan = pv.Plan("l2", "neuron", sparsity={layer: 0.5})
    first.export(plan, tmp_path, formats=["shrunk"])
    small = first.prune(plan).shrink()
    x = torch.as_tensor(first.source.validation.inputs[:8])  # type: ignore[index]
    content = (tmp_path / "shrunk.safetensors").read_bytes()
    for bench in (
        pv.open(tmp_path / "shrunk.safetensors", arch=f"sample:{name}"),
        Workbench(open_upload(content, "shrunk.safetensors", f"sample:{name}")),
    ):
        with torch.no_grad():
            assert torch.allclose(bench.source.model(x), small(x), atol=1e-5)
        assert bench.layer_of[layer].units == small.get_submodule(layer).weight.shape[0]  # type: ignore[union-attr]
        assert any(note.startswith("a shrunk network, rebuilt") for note in bench.notes)
    with pytest.raises(ValueError, match=r"shrunk\.safetensors was shrunk from another network"):
        pv.open(tmp_path / "shrunk.safetensors", arch="sample:lenet300")


@pytest.mark.parametrize(
    "about",
    [
        '{"shapes": {"w": [1000000, 1000000]}, "tied": {}}',
        '{"shapes": {"w": [-8]}, "tied": {}}',
        '{"shapes": {"w": "x"}, "tied": {}}',
        '{"shapes": {"w": [4]}, "tied": {"v": "u"}}',
        '{"shapes": {"u": [4]}, "tied": {}}',
        '{"shapes": [], "tied": {}}',
        "[]",
        "{",
    ],
)
def test_bits_that_are_not_what_the_header_says_are_refused(tmp_path: Path, about: str) -> None:
    parts = {"w.bits": torch.tensor([192], dtype=torch.uint8), "w.values": torch.ones(2)}
    save_file(parts, tmp_path / "s.safetensors", {"plan": "{}", "sparse": about})
    with pytest.raises(ValueError, match=r"s\.safetensors does not hold what its header promises"):
        read_weights(tmp_path / "s.safetensors")


@pytest.mark.parametrize(
    "change",
    [
        {"fc1": {"out_features": {"from": 120, "to": 10**12}}},
        {"fc1": {"out_features": {"from": 7, "to": 3}}},
        {"fc1": {"forward": {"from": 1, "to": 1}}},
        {"fc1": {"_parameters": {"from": {}, "to": {}}}},
        {"nowhere": {"x": {"from": 1, "to": 1}}},
        {"fc1": {"training": {"from": False, "to": True}}},
    ],
)
def test_widths_change_nothing_but_make_numbers_smaller(change: dict[str, object]) -> None:
    widths = {"shapes": {}, "attributes": change, "buffers": []}
    weights = Weights(lenet().state_dict(), widths=widths)
    with pytest.raises(ValueError, match="was shrunk from another network"):
        build("sample:lenet5", weights)
