"""Which entries of which tensors are one, worked out by hand for small networks?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pruneviz.network.coupling.atoms import Atoms
from pruneviz.network.coupling.reshapes import reshape
from pruneviz.network.coupling.sites import Sites
from pruneviz.network.graph import trace
from pruneviz.network.group_search import couplings
from pruneviz.network.groups import Group, Groups
from pruneviz.network.layers import find_layers


class Net(nn.Module):
    """Modules by name, and what is done with them."""

    def __init__(self, forward: Callable[[Net, Tensor], Tensor], **parts: nn.Module) -> None:
        super().__init__()
        self.does = forward
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, x: Tensor) -> Tensor:
        return self.does(self, x)


def coupled(model: nn.Module, *shape: int) -> Groups:
    """What the graph shows of a network, given inputs [2, *shape]."""
    model, layers = model.eval(), find_layers(model)
    return couplings(layers, trace(model, torch.randn(2, *shape), layers))


def net(forward: Callable[[Net, Tensor], Tensor], *shape: int, **parts: nn.Module) -> Groups:
    return coupled(Net(forward, **parts), *shape)


def places(group: Group) -> dict[tuple[str, int], list[int]]:
    return {(place.tensor, place.dim): place.unit.tolist() for place in group.places}


def names(groups: Groups) -> dict[str, tuple[str, ...]]:
    return {name: group.layers for name, group in groups.groups.items()}


# -- atoms ---------------------------------------------------------------------------------


def test_atoms_that_are_one_stay_together() -> None:
    atoms = Atoms()
    a, b, c = (atoms.new(3) for _ in range(3))
    assert atoms.new(1) is None
    atoms.unite([a, b], "never")
    atoms.forbid(None if b is None else b[1:2], "it is told so")
    solved = atoms.solve()
    assert solved.label[a].tolist() == solved.label[b].tolist()
    assert not set(solved.label[a]) & set(solved.label[c])
    assert [solved.why(solved.label[a][i : i + 1]) for i in range(3)] == ["", "it is told so", ""]
    assert not solved.stays(c)
    assert solved.stays(a)


def test_what_is_one_with_a_fixed_part_must_stay_for_the_reason_behind_it() -> None:
    atoms = Atoms()
    a, b = atoms.new(2), atoms.new(2)
    assert atoms.unite([a, None], "it follows") is None
    atoms.forbid(a, "the cause")
    assert atoms.unite([None, b], "it follows") is None
    solved = atoms.solve()
    assert solved.why(solved.label[a]) == "the cause"
    assert solved.why(solved.label[b]) == "it follows"


# -- reshapes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "chosen", "where", "units"),
    [
        ([2, 6], [2, 2, 3], {"r/1": 0}, 1, [0, 1]),
        ([2, 6], [2, 2, 3], {"r/1": 1}, 2, [0, 1, 2]),
        ([6], [6, 1], {}, 0, [0, 1, 2, 3, 4, 5]),
        ([3, 1, 2], [3, 2], {}, 1, [0, 1]),
        ([2, 3], [6], {"r>0": 0}, 0, [0, 0, 0, 1, 1, 1]),
        ([2, 3], [6], {"r>0": 1}, 0, [0, 1, 2, 0, 1, 2]),
    ],
)
def test_units_in_a_reshape_by_hand(
    old: list[int], new: list[int], chosen: dict[str, int | None], where: int, units: list[int]
) -> None:
    atoms = Atoms()
    dims = [atoms.new(size) for size in old]
    dims = [
        ids if place == len(old) - 1 or len(new) == 1 else None for place, ids in enumerate(dims)
    ]
    found = reshape(Sites(atoms, chosen), dims, old, new, "r")[where]
    assert found is not None
    label = atoms.solve().label[found]
    assert np.unique(label, return_inverse=True)[1].tolist() == units


def test_factors_that_overlap_must_stay() -> None:
    atoms = Atoms()
    dims = [atoms.new(2), atoms.new(6)]
    assert reshape(Sites(atoms, {}), dims, [2, 6], [3, 4], "r") == [None, None]
    solved = atoms.solve()
    assert solved.why(solved.label) == "a reshape mixes it with other units"


# -- layers one after the other ------------------------------------------------------------


def test_a_chain_of_linear_layers() -> None:
    found = coupled(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), 3)
    assert names(found) == {"0": ("0",)}
    group = found.groups["0"]
    assert (group.units, group.word, group.consumers) == (4, "neuron", ("2",))
    every = [0, 1, 2, 3]
    assert places(group) == {("0.weight", 0): every, ("0.bias", 0): every, ("2.weight", 1): every}
    assert found.fixed == {"2": "it is the network's answer"}


def test_batch_norm_goes_with_its_channels() -> None:
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Conv2d(3, 2, 1))
    group = coupled(model, 1, 5, 5).groups["0"]
    assert group.word == "filter"
    assert set(places(group)) == {
        *(("0.weight", 0), ("0.bias", 0), ("3.weight", 1)),
        *((f"1.{name}", 0) for name in ("weight", "bias", "running_mean", "running_var")),
    }


def test_a_filter_flattened_into_a_linear_layer_owns_a_run_of_its_columns() -> None:
    found = coupled(nn.Sequential(nn.Conv2d(1, 3, 2), nn.Flatten(), nn.Linear(12, 2)), 1, 3, 3)
    where = places(found.groups["0"])
    assert where["2.weight", 1] == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]


def test_a_residual_sum_couples_what_it_adds() -> None:
    found = net(
        lambda m, x: m.head(m.stem(x) + m.two(m.one(m.stem(x)).relu())),
        3,
        stem=nn.Linear(3, 4),
        one=nn.Linear(4, 5),
        two=nn.Linear(5, 4),
        head=nn.Linear(4, 2),
    )
    assert names(found) == {"stem": ("stem", "two"), "one": ("one",)}
    assert found.groups["stem"].consumers == ("one", "head")


def test_a_sum_with_the_input_must_stay() -> None:
    found = net(lambda m, x: m.head(x + m.one(x)), 4, one=nn.Linear(4, 4), head=nn.Linear(4, 2))
    assert names(found) == {}
    assert found.fixed["one"] == "it is joined with a tensor that stays as it is (add)"


def test_one_score_for_each_channel_spreads_over_all_places() -> None:
    """Squeeze and excitation: the gate of a channel goes with the channel."""
    found = net(
        lambda m, x: m.head(m.conv(x) * m.gate(m.conv(x).mean((2, 3), keepdim=True)).sigmoid()),
        *(2, 4, 4),
        conv=nn.Conv2d(2, 3, 1),
        gate=nn.Conv2d(3, 3, 1),
        head=nn.Conv2d(3, 2, 1),
    )
    assert names(found) == {"conv": ("conv", "gate")}


def test_a_transposed_convolution_keeps_its_inputs_first() -> None:
    model = nn.Sequential(nn.Conv2d(1, 3, 1), nn.ConvTranspose2d(3, 4, 2), nn.Conv2d(4, 2, 1))
    found = coupled(model, 1, 4, 4)
    assert ("1.weight", 0) in places(found.groups["0"])
    assert found.groups["0"].consumers == ("1",)
    assert set(places(found.groups["1"])) == {("1.weight", 1), ("1.bias", 0), ("2.weight", 1)}


def test_a_matrix_kept_with_its_inputs_first() -> None:
    class Turned(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight, self.bias = nn.Parameter(torch.randn(3, 4)), nn.Parameter(torch.zeros(4))

        def forward(self, x: Tensor) -> Tensor:
            return torch.addmm(self.bias, x, self.weight)

    found = net(
        lambda m, x: m.head(m.turned(m.first(x))),
        2,
        first=nn.Linear(2, 3),
        turned=Turned(),
        head=nn.Linear(4, 2),
    )
    assert ("turned.weight", 0) in places(found.groups["first"])


def test_features_of_an_embedding_go_with_what_is_added_to_them() -> None:
    class Words(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.one, self.head = nn.Embedding(9, 4), nn.Linear(3, 4), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.table((x[:, 0] > 0).long()) + self.one(x))

    found = coupled(Words(), 3)
    assert ("table.weight", 1) in places(found.groups["one"])
    assert ("table.weight", 0) not in places(found.groups["one"])
