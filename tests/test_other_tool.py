"""Is a network that another tool pruned judged by what that tool did to it?"""

from __future__ import annotations

import copy
import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn
from torch.nn.utils import prune as torch_prune

import pruneviz as pv
from pruneviz.cli import main
from pruneviz.network.replica import fingerprint
from pruneviz.sources.networks.narrower import match
from pruneviz.workbench import Workbench
from tests.page import Page

HALVES = pv.Plan("l2", "neuron", sparsity={"conv2": 0.5, "fc1": 0.25, "fc2": 0.5})


@cache
def lenet() -> Workbench:
    return pv.open("lenet5")


def copy_of(bench: Workbench) -> Any:
    return copy.deepcopy(bench.source.model)


def answers(network: nn.Module, bench: Workbench, n: int = 32) -> Tensor:
    with torch.no_grad():
        out: Tensor = network(bench.source.validation.inputs[:n])
    return out


# -- zeros and masks ---------------------------------------------------------------------------


def test_zeros_are_the_plan_and_the_dense_network_stays(tmp_path: Path) -> None:
    bench, network = lenet(), copy_of(lenet())
    before = fingerprint(bench.source.model)
    with torch.no_grad():
        network.fc1.weight[:, ::3] = 0
    torch.save({"state_dict": network.state_dict()}, tmp_path / "zeros.pt")
    version = bench.version(tmp_path / "zeros.pt")
    want = torch.ones(120, 400, dtype=torch.bool)
    want[:, ::3] = False
    pruned = version.prune(version.plan)
    assert torch.equal(pruned.masks["fc1"], want)
    assert dict(version.plan.sparsity) == {"fc1": 134 / 400}
    assert torch.equal(answers(pruned.model, bench), answers(network, bench))
    assert version.original is bench
    assert fingerprint(bench.source.model) == before


def test_masks_of_torchs_pruning_in_a_file_and_in_hand(tmp_path: Path) -> None:
    bench, network = lenet(), copy_of(lenet())
    torch_prune.random_unstructured(network.conv2, "weight", amount=0.4)
    torch_prune.l1_unstructured(network.fc1, "weight", amount=0.7)
    torch.save(network.state_dict(), tmp_path / "masks.pt")
    for other in (tmp_path / "masks.pt", (tmp_path / "masks.pt").read_bytes(), network):
        version = bench.version(other, name="masks")
        masks = version.masks(version.plan).masks
        for name in ("conv2", "fc1"):
            assert torch.equal(masks[name], getattr(network, name).weight_mask.bool()), name


def test_whole_units_that_are_zero_become_a_plan_of_units() -> None:
    bench = lenet()
    pruned = bench.prune(HALVES)
    version = bench.version(pruned.model)
    assert version.plan.granularity == "neuron"
    assert version.plan.sparsity == HALVES.sparsity
    assert version.masks(version.plan).checksum == pruned.checksum
    left = sum(p.numel() for p in pruned.shrink().parameters())
    assert version.counts(version.plan).params_kept == left


def test_other_weights_without_zeros_are_a_version_with_nothing_cut() -> None:
    bench, network = lenet(), copy_of(lenet())
    with torch.no_grad():
        network.fc3.weight.neg_()
    version = bench.version(network)
    assert version.plan.is_dense
    assert any("nothing in it is zero" in note for note in version.notes)
    found = version.evaluate(version.plan, 256)
    assert found.delta == pytest.approx(found.accuracy - bench.evaluate(pv.Plan(), 256).accuracy)


# -- narrower networks ---------------------------------------------------------------------------


def test_units_that_are_left_are_matched_by_their_weights(tmp_path: Path) -> None:
    """Channels taken by hand, as any tool takes them: which, follows from the weights alone."""
    bench, network = lenet(), copy_of(lenet())
    left = torch.tensor([0, 2, 3, 5])
    with torch.no_grad():
        network.conv1.weight = nn.Parameter(network.conv1.weight[left])
        network.conv1.bias = nn.Parameter(network.conv1.bias[left])
        network.conv2.weight = nn.Parameter(network.conv2.weight[:, left])
    torch.save(network.state_dict(), tmp_path / "small.pt")
    version = bench.version(tmp_path / "small.pt")
    assert version.plan.granularity == "neuron"
    masks = version.masks(version.plan).masks
    assert masks["conv1"].flatten(1).all(1).tolist() == [True, False, True, True, False, True]
    assert torch.equal(masks["conv2"].flatten(2).all(2).all(0), masks["conv1"].flatten(1).all(1))
    assert torch.allclose(
        answers(version.prune(version.plan).model, bench), answers(network, bench), atol=1e-5
    )


@pytest.mark.parametrize(
    "name", ["lenet5", pytest.param("resnet20", marks=pytest.mark.slow),
             pytest.param("vit", marks=pytest.mark.slow),
             pytest.param("writer", marks=pytest.mark.slow)]
)  # fmt: skip
def test_what_is_shrunk_here_is_read_back_as_the_same_plan(name: str) -> None:
    bench = pv.open(name)
    plan = bench.allocate("uniform", 0.4, pv.Plan("l2", "neuron"))
    pruned = bench.prune(plan)
    version = bench.version(dict_of(pruned.shrink()), "small.pt")
    assert version.masks(version.plan).checksum == pruned.checksum


def dict_of(network: nn.Module) -> bytes:
    """A state_dict as a browser would send it."""
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    return file.getvalue()


def test_units_that_are_alike_are_told_apart_by_the_rest_or_not_at_all() -> None:
    """Two units of the same weights in and out: whichever stays, the network is the same."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)).eval()
    with torch.no_grad():
        network[0].weight[4] = network[0].weight[1]
        network[0].bias[4] = network[0].bias[1]
        network[2].weight[:, 4] = network[2].weight[:, 1]
    bench = pv.open(network, (torch.randn(40, 4), torch.arange(40) % 3))
    left = torch.tensor([0, 4, 5])
    small = {
        "0.weight": network[0].weight[left],
        "0.bias": network[0].bias[left],
        "2.weight": network[2].weight[:, left],
        "2.bias": network[2].bias,
    }
    found = match(bench.source.model, bench.groups, small)
    assert found is not None
    assert found["0"].tolist() == [True, True, False, False, False, True]
    small["0.weight"] = small["0.weight"] * 1.01
    assert match(bench.source.model, bench.groups, small) is None


@pytest.mark.slow
def test_a_narrower_network_that_was_trained_on_is_judged_as_one_of_its_own() -> None:
    bench = lenet()
    small = bench.prune(HALVES).shrink()
    with torch.no_grad():
        for parameter in small.parameters():
            parameter.mul_(1.001)
    found = bench.judge(bench.version(dict_of(small), "tuned.pt"), HALVES, cost=True)
    notes = found.version.source.notes
    assert any("network of its own" in note and "cannot be told" in note for note in notes)
    assert found.why_no_masks
    assert found.masks.empty
    numbers = found.comparison.numbers.set_index("quantity")
    assert numbers.loc["parameters kept", "difference"] == 0
    assert numbers.loc["multiply-accumulates", "difference"] == 0
    assert found.second.dense_accuracy == found.first.dense_accuracy  # of the first network
    costs = found.costs.set_index("quantity")
    assert costs.loc["parameters", "first"] == costs.loc["parameters", "second"]


def test_shapes_that_no_removal_explains_are_refused_by_name() -> None:
    bench, network = lenet(), copy_of(lenet())
    with torch.no_grad():
        network.fc2.weight = nn.Parameter(network.fc2.weight[:, :100])
    with pytest.raises(ValueError, match=r"fc2\.weight has 100 of 120 entries in dimension 1"):
        bench.version(dict_of(network), "odd.pt")


def test_another_architecture_is_refused_with_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="missing"):
        lenet().version(dict_of(nn.Linear(3, 2)), "other.pt")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lenet5", "resnet20"])
def test_torch_pruning_leaves_what_is_told(name: str, tmp_path: Path) -> None:
    """The oracle: its narrower network answers as the plan that is read off it."""
    tp = pytest.importorskip("torch_pruning")
    bench = pv.open(name)
    network = copy_of(bench).requires_grad_(True)
    last = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
    pruner = tp.pruner.MagnitudePruner(
        network, bench.source.validation.inputs[:2], tp.importance.MagnitudeImportance(p=2),
        pruning_ratio=0.3, ignored_layers=[last], num_heads={}, out_channel_groups={},
    )  # fmt: skip
    with torch.enable_grad():
        pruner.step()
    network.eval().requires_grad_(False)
    torch.save(network.state_dict(), tmp_path / "tp.pt")
    torch.save(network, tmp_path / "whole.pt")
    version = bench.version(tmp_path / "tp.pt")
    small = version.prune(version.plan).shrink()
    assert torch.allclose(answers(small, bench), answers(network, bench), atol=1e-5)
    assert {n: p.shape for n, p in small.named_parameters()} == {
        n: p.shape for n, p in network.named_parameters()
    }
    with pytest.raises(ValueError, match="unsafe"):
        bench.version(tmp_path / "whole.pt")
    whole = bench.version(tmp_path / "whole.pt", unsafe=True)
    assert whole.plan == version.plan


# -- beside a plan, by three doors ---------------------------------------------------------------


def judge(*words: str) -> dict[str, Any]:
    shown = CliRunner().invoke(main, ["judge", *words, "--json"])
    assert shown.exit_code == 0, shown.output
    values: dict[str, Any] = json.loads(shown.stdout)
    return values


def test_the_command_line_and_python_say_the_same(tmp_path: Path) -> None:
    bench = lenet()
    (tmp_path / "half.pt").write_bytes(dict_of(bench.prune(HALVES).model))
    plan = pv.Plan(sparsity={"fc1": 0.5})
    told = judge("lenet5", "--pruned", str(tmp_path / "half.pt"), "--sparsity", "fc1=0.5")
    found = bench.judge(tmp_path / "half.pt", plan)
    assert told["delta"] == found.comparison.delta
    assert told["plan_of_pruned"] == found.plan.as_dict()
    assert len(told["flipped"]) == len(found.comparison.flipped) > 0
    assert told["masks"] == found.masks.to_dict(orient="records")
    by_hand = int((bench.masks(plan).masks["fc1"] ^ bench.masks(HALVES).masks["fc1"]).sum())
    assert found.masks.set_index("layer").loc["fc1", "differ"] == by_hand
    first, second = bench.evaluate(plan).per_class, found.version.evaluate(found.plan).per_class
    assert told["classes"] == [
        {"class": name, "first": first[name], "second": second[name],
         "difference": second[name] - first[name]}
        for name in first
    ]  # fmt: skip


def test_a_file_that_does_not_fit_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "other.pt").write_bytes(dict_of(nn.Linear(3, 2)))
    shown = CliRunner().invoke(main, ["judge", "lenet5", "--pruned", str(tmp_path / "other.pt")])
    assert shown.exit_code == 1
    assert "does not fit" in shown.output
    assert "Traceback" not in shown.output


@pytest.mark.slow
def test_in_the_app_it_is_a_network_a_point_and_a_side_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNEVIZ_HOME", str(tmp_path))
    page = Page(model="lenet5")
    other = dict_of(lenet().prune(HALVES).model)
    box = next(box for box in page.app.file_uploader if "another tool" in box.label)
    box.set_value(("half.pt", other, "application/octet-stream"))
    page.run()
    page.run()
    session = page.session
    assert session.name == "lenet5 · half.pt"
    assert page.plan.granularity == "neuron"
    levels = {name: level for name, level in page.plan.sparsity.items() if level}
    assert levels == dict(HALVES.sparsity)
    assert session.diary is not None
    assert list(session.diary.visits) == [session.settled], "a side to compare, where nobody moved"
    marks = {mark.kind: mark for mark in session.bench.landmarks}
    assert set(marks) == {"dense", "elsewhere"}
    assert marks["elsewhere"].params_left == lenet().counts(HALVES).params_kept
    address, plan = page.address, page.plan
    again = Page(**address)  # another tab, or the same after a restart
    assert again.errors() == ""
    assert (again.session.name, again.plan) == ("lenet5 · half.pt", plan)
    assert {mark.kind for mark in again.session.bench.landmarks} == {"dense", "elsewhere"}
    (file,) = tmp_path.glob("**/versions/*/file")
    file.write_bytes(b"no weights")
    assert "half.pt was kept with other weights" in Page(**address).errors()
