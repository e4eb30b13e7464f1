"""Do coupled layers ask, score and lose their units together?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.network.groups import Group, Groups
from pruneviz.plan import Plan
from pruneviz.pruning.units import cannot_units, levels
from pruneviz.workbench import Workbench


class Pair(nn.Module):
    """Two layers of three units that are added up; each unit's weights have a known sum."""

    def __init__(self, norm: bool = False) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(2, 3), nn.Linear(2, 3)
        self.norm = nn.BatchNorm1d(3) if norm else nn.Identity()
        self.head = nn.Linear(3, 2)
        with torch.no_grad():
            self.a.weight.copy_(torch.tensor([[1.0, 1.0], [2.0, 2.0], [0.0, 3.0]]))
            self.b.weight.copy_(torch.tensor([[5.0, 0.0], [0.0, 1.0], [2.0, 0.0]]))
            if norm:
                self.norm.weight.copy_(torch.tensor([0.5, 0.1, 0.9]))

    def forward(self, x: Tensor) -> Tensor:
        return self.head((self.norm(self.a(x)) + self.b(x)).relu())


DATA = torch.linspace(-1, 1, 80).reshape(40, 2), torch.arange(40) % 2


@pytest.fixture
def pair() -> Workbench:
    return pv.open(Pair().eval(), DATA)


# -- levels --------------------------------------------------------------------------------

GROUPS = Groups({"a": Group("a", ("a", "b"), 3, "neuron", {}, (), ())}, {"c": "it stays"})


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"a": 0.5}, {"a": 0.5}),
        ({"b": 0.5}, {"a": 0.5}),
        ({"a": 0.5, "b": 0.5}, {"a": 0.5}),
        ({"a": 0.0, "b": 0.5, "c": 0.25}, {"a": 0.5, "c": 0.25}),
        ({"b": 0.5, "a": 0.0}, {"a": 0.5}),
        ({"a": 0.0, "b": 0.0}, {"a": 0.0}),
    ],
)
def test_a_level_of_one_member_holds_for_all(
    asked: dict[str, float], found: dict[str, float]
) -> None:
    assert levels(Plan(granularity="neuron", sparsity=asked), GROUPS) == found


def test_two_levels_in_one_group_are_refused_by_both_names(pair: Workbench) -> None:
    words = "'a' and 'b' are cut together, but are asked for 0.3 and 0.6; give them the same"
    plan = Plan(granularity="neuron", sparsity={"a": 0.3, "b": 0.6})
    with pytest.raises(ValueError, match=words):
        levels(plan, GROUPS)
    with pytest.raises(ValueError, match=words):
        pair.prune(plan)


# -- scores --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("aggregate", "scores"),
    [("mean", [3.5, 2.5, 2.5]), ("sum", [7.0, 5.0, 5.0]), ("max", [5.0, 4.0, 3.0])],
)
def test_members_are_put_together_by_hand(
    pair: Workbench, aggregate: str, scores: list[float]
) -> None:
    """|a| sums to 2, 4, 3 and |b| to 5, 1, 2."""
    plan = Plan("magnitude", "neuron", sparsity={"b": 0.34}, aggregate=aggregate)
    found = pair.prune(plan)
    assert list(found.scores) == ["a"]
    assert found.scores["a"].tolist() == scores
    worst = scores.index(min(scores))
    assert found.units["a"].tolist() == [unit != worst for unit in range(3)]


def test_relative_scores_give_each_member_the_same_say(pair: Workbench) -> None:
    a, b = torch.tensor([2.0, 4.0, 3.0]).double(), torch.tensor([5.0, 1.0, 2.0]).double()
    plan = Plan("magnitude", "neuron", sparsity={"a": 0.34}, relative=True, aggregate="sum")
    expected = a / a.norm() + b / b.norm()
    torch.testing.assert_close(pair.prune(plan).scores["a"], expected)


def test_a_member_without_batch_norm_has_no_vote() -> None:
    bench = pv.open(Pair(norm=True).eval(), DATA)
    plan = Plan("bn_scale", "neuron", sparsity={"a": 0.34, "b": 0.34})
    pruned = bench.prune(plan)
    assert pruned.scores["a"].tolist() == pytest.approx([0.5, 0.1, 0.9])
    assert pruned.units["a"].tolist() == [True, False, True]
    assert not pruned.masks["b"][1].any()


def test_a_group_in_which_nobody_has_a_batch_norm_is_refused(pair: Workbench) -> None:
    with pytest.raises(ValueError, match="'bn_scale': layer 'a' has no 'scale'"):
        pair.prune(Plan("bn_scale", "neuron", sparsity={"b": 0.34}))


def test_a_head_is_scored_by_all_its_rows(benches: Callable[[str], Workbench]) -> None:
    bench = benches("vit")
    name = "blocks.1.attn.qkv"
    rows = bench.weight(name).double().abs().sum(1)
    expected = torch.stack([rows.reshape(3, 4, -1)[:, head].sum() for head in range(4)])
    for granularity in ("neuron", "head"):
        found = bench.prune(Plan("magnitude", granularity, sparsity={name: 0.25})).scores[name]
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=0)


# -- what goes -----------------------------------------------------------------------------


def test_a_unit_of_a_group_goes_with_all_its_parameters(pair: Workbench) -> None:
    pruned = pair.prune(Plan("magnitude", "neuron", sparsity={"a": 0.34}, aggregate="max"))
    gone = {name: (~mask).nonzero().tolist() for name, mask in pruned.parameter_masks.items()}
    assert gone == {
        **{f"{name}.weight": [[2, 0], [2, 1]] for name in ("a", "b")},
        **{f"{name}.bias": [[2]] for name in ("a", "b")},
        "head.weight": [[0, 2], [1, 2]],
    }
    report = pruned.report.set_index("layer")
    assert report.loc["a", "got"] == report.loc["b", "got"] == pytest.approx(1 / 3)
    assert (report.loc["a", "asked"], report.loc["b", "asked"]) == (0.34, 0.34)
    assert (report.loc["head", "got"], report.loc["head", "kept"]) == (0, 4)


def test_units_of_a_layer_that_stays_are_masked_for_themselves(pair: Workbench) -> None:
    pruned = pair.prune(Plan("magnitude", "neuron", sparsity={"head": 0.5}))
    assert list(pruned.units) == ["head"]
    assert set(pruned.parameter_masks) == {"head.weight", "head.bias"}
    assert int((~pruned.units["head"]).sum()) == 1


def test_rankings_have_one_item_a_unit_by_the_lead(benches: Callable[[str], Workbench]) -> None:
    bench = benches("resnet20")
    named = dict.fromkeys(("layer2.1.conv2", "layer1.0.conv1", "fc"), 0.5)
    found = bench.rankings(Plan("l2", "neuron", sparsity=named))
    sizes = {name: ranking.items for name, ranking in found.items()}
    assert sizes == {"layer1.0.conv1": 16, "layer2.0.conv2": 32, "fc": 10}


# -- heads alone ---------------------------------------------------------------------------


def test_heads_are_cut_in_attention_alone(benches: Callable[[str], Workbench]) -> None:
    bench = benches("vit")
    for name, layer in bench.layer_of.items():
        reason = cannot_units(bench.groups, layer, "head")
        assert (reason is None) == name.endswith("qkv"), name
    pruned = bench.prune(Plan("l2", "head", sparsity={"blocks.0.attn.qkv": 0.5}))
    assert int(pruned.units["blocks.0.attn.qkv"].sum()) == 2


@pytest.mark.parametrize(
    ("network", "layer"), [("vit", "blocks.0.mlp.fc1"), ("vit", "head"), ("lenet5", "fc1")]
)
def test_heads_are_refused_where_there_are_none(
    benches: Callable[[str], Workbench], network: str, layer: str
) -> None:
    with pytest.raises(
        ValueError, match=f"{layer}.*no attention heads|no attention heads.*{layer}"
    ):
        benches(network).prune(Plan("l2", "head", sparsity={layer: 0.5}))


def test_a_layer_of_one_unit_is_refused() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    bench = pv.open(model, (DATA[0], DATA[1].float().unsqueeze(1)))
    for granularity in ("neuron", "head"):
        with pytest.raises(ValueError, match="'1' cannot be pruned so: it has one neuron only"):
            bench.prune(Plan("l2", granularity, sparsity={"1": 0.5}))
