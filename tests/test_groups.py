"""Are the groups of the sample networks those that one reads off their code?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from pruneviz.network.groups import Group, Groups, Place, masks_of
from pruneviz.workbench import Workbench

ANSWER = "it is the network's answer"
NORMED = "it is normalised together (layer_norm): without some, the others would change"


def test_a_chain_has_a_group_for_each_layer_but_the_last(
    benches: Callable[[str], Workbench],
) -> None:
    for name, sizes in (
        ("lenet300", {"fc1": 300, "fc2": 100}),
        ("lenet5", {"conv1": 6, "conv2": 16, "fc1": 120, "fc2": 84}),
    ):
        found = benches(name).groups
        assert {lead: group.units for lead, group in found.groups.items()} == sizes
        layers = list(benches(name).layer_of)
        assert found.fixed == {layers[-1]: ANSWER}
        for lead, group in found.groups.items():
            assert group.layers == (lead,)
            assert group.consumers == (layers[layers.index(lead) + 1],)


def test_a_filter_of_lenet5_owns_its_25_columns(benches: Callable[[str], Workbench]) -> None:
    group = benches("lenet5").groups.groups["conv2"]
    columns = next(place.unit for place in group.places if place.tensor == "fc1.weight")
    assert columns.tolist() == [unit for unit in range(16) for _ in range(25)]


def test_a_stage_of_resnet20_is_one_group(benches: Callable[[str], Workbench]) -> None:
    found = benches("resnet20").groups
    stages = {
        "conv1": ("conv1", *(f"layer1.{i}.conv2" for i in range(3))),
        "layer2.0.conv2": (
            *("layer2.0.conv2", "layer2.0.downsample.0"),
            *("layer2.1.conv2", "layer2.2.conv2"),
        ),
        "layer3.0.conv2": (
            *("layer3.0.conv2", "layer3.0.downsample.0"),
            *("layer3.1.conv2", "layer3.2.conv2"),
        ),
    }
    inner = {f"layer{s}.{i}.conv1": (f"layer{s}.{i}.conv1",) for s in (1, 2, 3) for i in range(3)}
    assert {lead: group.layers for lead, group in found.groups.items()} == stages | inner
    assert found.fixed == {"fc": ANSWER}
    assert found.groups["layer3.0.conv2"].consumers == ("layer3.1.conv1", "layer3.2.conv1", "fc")
    norms = {place.tensor for place in found.groups["conv1"].places if "running" in place.tensor}
    means = {name for name in norms if name.endswith("running_mean")}
    assert means == {"bn1.running_mean", *(f"layer1.{i}.bn2.running_mean" for i in range(3))}


def test_lead_of_and_members(benches: Callable[[str], Workbench]) -> None:
    found = benches("resnet20").groups
    assert found.lead("layer1.2.conv2") == "conv1"
    assert found.of("layer1.2.conv2") is found.groups["conv1"]
    assert found.members("layer1.2.conv2") == found.groups["conv1"].layers
    assert (found.lead("fc"), found.of("fc"), found.members("fc")) == ("fc", None, ("fc",))


def test_heads_of_the_vision_transformer(benches: Callable[[str], Workbench]) -> None:
    found = benches("vit").groups
    heads = {lead: group for lead, group in found.groups.items() if group.word == "head"}
    assert list(heads) == [f"blocks.{i}.attn.qkv" for i in range(4)]
    for lead, group in heads.items():
        width = len(group.rows[lead]) // 3 // group.units
        rows = [head for _ in range(3) for head in range(4) for _ in range(width)]
        assert (group.units, group.rows[lead].tolist()) == (4, rows)
        assert group.consumers == (lead.replace("qkv", "proj"),)
    assert [lead for lead in found.groups if lead not in heads] == [
        f"blocks.{i}.mlp.fc1" for i in range(4)
    ]


def test_the_stream_of_the_vision_transformer_stays(benches: Callable[[str], Workbench]) -> None:
    bench = benches("vit")
    stream = [
        *("patch_embed",),
        *(f"blocks.{i}.{n}" for i in range(4) for n in ("attn.proj", "mlp.fc2")),
    ]
    assert bench.groups.fixed == dict.fromkeys(stream, NORMED) | {"head": ANSWER}


def test_every_layer_is_in_one_group_or_told_why_not(bench: Workbench) -> None:
    found = bench.groups
    members = [layer for group in found.groups.values() for layer in group.layers]
    assert len(members) == len(set(members))
    assert sorted([*members, *found.fixed]) == sorted(bench.layer_of)


def test_every_unit_has_rows_in_a_member_and_every_place_fits(bench: Workbench) -> None:
    shapes = {name: tensor.shape for name, tensor in bench.source.model.state_dict().items()}
    for group in bench.groups.groups.values():
        assert {int(u) for row in group.rows.values() for u in row if u >= 0} == set(
            range(group.units)
        )
        assert all(len(group.rows[name]) == bench.layer_of[name].units for name in group.layers)
        for place in group.places:
            assert len(place.unit) == shapes[place.tensor][place.dim]
            assert -1 <= int(place.unit.min()) <= int(place.unit.max()) < group.units


def test_groups_that_were_found_are_kept(bench: Workbench) -> None:
    assert bench.groups is bench.groups


def test_what_goes_with_units_by_hand() -> None:
    unit = torch.tensor
    group = Group(
        "a", ("a",), 2, "neuron", {"a": unit([0, 1, -1])}, ("b",),
        (Place("a.weight", 0, unit([0, 1, -1])), Place("b.weight", 1, unit([1, 0]))),
    )  # fmt: skip
    tensors = {"a.weight": torch.zeros(3, 2), "b.weight": torch.zeros(2, 2)}
    found: dict[str, torch.Tensor] = {}
    masks_of(group, torch.tensor([True, False]), tensors, found)
    assert found["a.weight"].int().tolist() == [[1, 1], [0, 0], [1, 1]]
    assert found["b.weight"].int().tolist() == [[0, 1], [0, 1]]
    masks_of(group, torch.tensor([False, True]), tensors, found)
    assert found["a.weight"].int().tolist() == [[0, 0], [0, 0], [1, 1]]
    assert not found["b.weight"].any()


@pytest.mark.parametrize("layer", ["a", "nope"])
def test_of_no_groups_every_layer_leads_itself(layer: str) -> None:
    assert Groups().lead(layer) == layer
    assert Groups().of(layer) is None
    assert Groups().members(layer) == (layer,)
