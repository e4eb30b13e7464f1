"""How many copies of a network are alive at once while it is opened, shrunk and exported?"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.export.formats import FORMATS
from pruneviz.export.proof import read_back
from pruneviz.export.subject import subject_of
from pruneviz.export.weights import save_tensors
from pruneviz.measuring.memory import _Follower
from pruneviz.network.group_search import couplings
from pruneviz.network.trial import prove
from pruneviz.pruning.pruned import Pruned
from pruneviz.workbench import Workbench
from tests.cases import slow_but

WIDTH, LAYERS = 128, 16
LAYER = 4 * WIDTH * WIDTH
WEIGHTS = LAYERS * LAYER


class Live(_Follower):
    """The most bytes of tensors alive at once of those that were made while it was entered."""

    def birth(self, tensor: Tensor) -> None:
        """Shapes alone take nothing."""
        if not tensor.is_meta:
            super().birth(tensor)


@pytest.fixture(scope="module")
def bench() -> Workbench:
    """Opened on a network of layers of one size, whose answers are small beside it."""
    torch.manual_seed(0)
    pairs = [(nn.Linear(WIDTH, WIDTH), nn.ReLU()) for _ in range(LAYERS)]
    model = nn.Sequential(*(module for pair in pairs for module in pair)).eval()
    bench = pv.open(model, torch.randn(40, WIDTH))
    assert len(bench.groups.groups) == LAYERS - 1
    return bench


@pytest.fixture(scope="module")
def plan(bench: Workbench) -> pv.Plan:
    """Cuts half the units of every third group: two layers of three hold zeros then."""
    names = list(bench.groups.groups)[::3]
    return pv.Plan("l2", "neuron", sparsity=dict.fromkeys(names, 0.5))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks as small beside this network as the usual ones are beside a large one."""
    for name in (
        "export.proof._BLOCK",
        "export.weights._BLOCK",
        "measuring.sizes._ENTRIES",
        "network.likeness._BLOCK",
    ):
        monkeypatch.setattr(f"pruneviz.{name}", 2**10)
    monkeypatch.setattr("pruneviz.export.proof._LEAST", 2**12)


def nbytes_of(pruned: Pruned) -> tuple[int, int]:
    """Bytes of what stands masked in place of the dense, and of what gets smaller."""
    masks = pruned.parameter_masks.values()
    masked = sum(4 * mask.numel() for mask in masks if not bool(mask.all()))
    small = pruned.removal().network
    dense = {p.data_ptr() for p in pruned.dense.parameters()}
    smaller = sum(p.nbytes for p in small.parameters() if p.data_ptr() not in dense)
    return masked, smaller


def test_a_trial_holds_one_copy_beside_the_network(bench: Workbench) -> None:
    """That with noise on it: never it and the smaller one, nor the masks of all groups."""
    model, live = bench.source.model, Live()
    coupled = couplings(pv.find_layers(model), bench.graph)
    with live:
        groups = prove(model, coupled, bench.graph.example)
    assert set(groups.groups) == set(coupled.groups)
    assert WEIGHTS < live.peak < WEIGHTS + 5 * LAYER


def test_a_removal_holds_what_it_changes_alone(bench: Workbench, plan: pv.Plan) -> None:
    pruned, live = bench.prune(plan), Live()
    masked, smaller = nbytes_of(pruned)
    with live:
        pruned.removal()
    assert masked + smaller <= live.peak < masked + smaller + 3 * LAYER


def test_a_shrunk_network_is_copied_where_it_shares_alone(bench: Workbench) -> None:
    """Either the masked and the smaller tensors are alive, or the network that is given."""
    names = list(bench.groups.groups)[::6]
    pruned = bench.prune(pv.Plan("l2", "neuron", sparsity=dict.fromkeys(names, 0.5)))
    masked, smaller = nbytes_of(pruned)
    live = Live()
    with live:
        small = pruned.shrink()
    whole = sum(p.nbytes for p in small.parameters())
    assert live.peak < max(masked + smaller, whole) + LAYER
    dense = {p.data_ptr() for p in pruned.dense.parameters()}
    assert not any(p.data_ptr() in dense for p in small.parameters())


@pytest.mark.parametrize(
    "name",
    slow_but(
        lambda name: name in ("sparse", "masks"),
        ["safetensors", "state_dict", "sparse", "shrunk", "masks"],
    ),
)
def test_an_export_holds_what_was_changed_alone(
    bench: Workbench, plan: pv.Plan, tmp_path: Path, name: str
) -> None:
    """Neither what is written nor what is read back is there a second time."""
    subject = subject_of(bench, plan)
    masked, smaller = nbytes_of(subject.pruned)
    changed, live = masked + (smaller if name == "shrunk" else 0), Live()
    with live:
        FORMATS[name].write(subject, tmp_path)
        proof = FORMATS[name].prove(subject, tmp_path)
    assert proof.difference is not None
    assert proof.difference < 1e-6
    assert changed <= live.peak < changed + 3 * LAYER


def test_a_file_is_opened_anew_before_much_of_it_was_looked_at(tmp_path: Path) -> None:
    """What was looked at of a mapped file takes memory until the file is closed."""
    shown = {f"{n:02}": torch.randn(2**12) for n in range(20)}
    save_tensors(tmp_path / "a.safetensors", shown, {})
    opened = Counter[str]()

    def open_file() -> dict[str, Tensor]:
        opened["times"] += 1
        return load_file(tmp_path / "a.safetensors")

    values = read_back(open_file, shown)
    assert all(values[name] is tensor for name, tensor in shown.items())
    assert opened["times"] in (8, 9)


@pytest.mark.parametrize("place", [0, 2**10, 2**12 - 1])
def test_a_bit_that_differs_in_any_block_is_seen(tmp_path: Path, place: int) -> None:
    shown = {"a": torch.randn(2**12), "b": torch.randn(3, 5)}
    other = {name: tensor.clone() for name, tensor in shown.items()}
    other["a"].view(torch.int32)[place] ^= 1
    save_tensors(tmp_path / "a.safetensors", other, {})
    values = read_back(lambda: load_file(tmp_path / "a.safetensors"), shown)
    assert values["b"] is shown["b"]
    assert values["a"] is not shown["a"]
    assert torch.equal(values["a"], other["a"])
