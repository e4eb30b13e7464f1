"""Does a plan hold what was asked, refuse nonsense, and survive a link?"""

from __future__ import annotations

import json
import pickle
from dataclasses import FrozenInstanceError, replace

import pytest

from pruneviz.plan import Plan, pattern

PINS = {"conv1": {"5": False, "2:4,0:9": True}}

FULL = Plan(
    *("taylor", "weight", "global", {"conv1": 0.25, "fc.2": 1.0}, True, 7),
    pinned=PINS,
    aggregate="max",
    repair=("recalibrate",),
)

CHANGES = {
    "criterion": "wanda",
    "granularity": "neuron",
    "scope": "global",
    "sparsity": {"a": 0.5},
    "relative": True,
    "seed": 1,
    "pinned": {"a": {"5": False}},
    "aggregate": "sum",
    "repair": ("recalibrate",),
}


# -- what it holds -------------------------------------------------------------------------


def test_the_default_plan_is_the_dense_network() -> None:
    assert Plan().is_dense
    assert Plan(sparsity={"conv1": 0.0}).is_dense
    assert not Plan(sparsity={"conv1": 0.0, "fc": 0.01}).is_dense


def test_a_cut_by_hand_is_a_cut_and_a_weight_kept_by_hand_is_none() -> None:
    assert Plan(pinned={"conv1": {"5": True}}).is_dense
    assert not Plan(pinned={"conv1": {"4": True, "5": False}}).is_dense


def test_there_is_nothing_to_repair_in_a_dense_network() -> None:
    assert Plan(repair=("recalibrate",)).is_dense


def test_repairs_are_kept_in_the_order_in_which_they_are_done() -> None:
    asked = ["recalibrate", "fold", "reconstruct", "fold"]
    assert Plan(granularity="neuron", repair=asked).repair == ("fold", "reconstruct", "recalibrate")
    assert Plan(repair="recalibrate") == Plan(repair=("recalibrate",))


def test_a_layer_in_which_nothing_is_pinned_is_not_named() -> None:
    assert Plan(pinned={"conv1": {}, "fc": {"0": True}}) == Plan(pinned={"fc": {"0": True}})


@pytest.mark.parametrize("field", CHANGES)
def test_plans_are_equal_exactly_when_every_field_is(field: str) -> None:
    changed = replace(Plan(), **{field: CHANGES[field]})
    assert changed != Plan()
    assert changed == replace(Plan(), **{field: CHANGES[field]})
    assert len({Plan(), changed, replace(Plan(), **{field: CHANGES[field]})}) == 2


def test_the_order_in_which_layers_are_named_does_not_matter() -> None:
    one, other = Plan(sparsity={"a": 0.1, "b": 0.2}), Plan(sparsity={"b": 0.2, "a": 0.1})
    assert one == other
    assert hash(one) == hash(other)


def test_a_plan_cannot_be_changed() -> None:
    levels = {"a": 0.5}
    plan = Plan(sparsity=levels)
    levels["a"] = 0.9
    assert plan.sparsity["a"] == 0.5
    with pytest.raises(FrozenInstanceError):
        plan.seed = 3  # type: ignore[misc]
    with pytest.raises(TypeError):
        plan.sparsity["a"] = 0.9  # type: ignore[index]
    pins = {"a": {"5": False}}
    plan = Plan(pinned=pins)
    pins["a"]["5"] = True
    plan.pinned["a"]["6"] = True  # type: ignore[index]
    assert dict(plan.pinned["a"]) == {"5": False}
    with pytest.raises(TypeError):
        plan.pinned["b"] = {}  # type: ignore[index]


def test_a_plan_survives_plain_values_and_pickling() -> None:
    assert Plan.from_dict(json.loads(json.dumps(FULL.as_dict()))) == FULL
    assert pickle.loads(pickle.dumps(FULL)) == FULL
    assert set(FULL.as_dict()) == set(CHANGES)


# -- what it refuses -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [-0.1, 1.2, float("nan"), float("inf"), -float("inf"), pytest.param(10**400, id="huge")],
)
def test_sparsity_out_of_range_is_refused_by_layer(value: float) -> None:
    with pytest.raises(ValueError, match=r"sparsity of 'conv1' must be in \[0, 1\], got"):
        Plan(sparsity={"fc": 0.5, "conv1": value})


@pytest.mark.parametrize("value", [True, False, "0.5", None, [0.5], 0.5j])
def test_sparsity_that_is_no_number_is_refused_by_layer(value: object) -> None:
    with pytest.raises(ValueError, match=r"sparsity of 'conv1' must be a number in \[0, 1\], got"):
        Plan(sparsity={"conv1": value})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("scope", v) for v in ("everything", None, 1, [])),
        *(("granularity", v) for v in ("row", "", None, 2, ["weight"], "2:", "0:4", "2:4:8")),
        *(("granularity", v) for v in ("4:4", "4:2", "-1:4", "02:4", " 2:4", "２:４")),
        *(("criterion", v) for v in (None, 3, ["magnitude"])),
        *(("relative", v) for v in ("yes", 1, None)),
        *(("seed", v) for v in (-1, 0.5, True, "0", None)),
        *(("sparsity", v) for v in (0.5, [("a", 0.5)], None, "a")),
        *(("granularity", v) for v in ("heads", "Neuron", "neurons")),
        *(("pinned", v) for v in (0.5, [("a", {"5": True})], None, "a", {"a": "5"}, {3: {}})),
        *(("pinned", {"a": {v: True}}) for v in (5, "", "-1", "a", "5:", "2:4", "2:4,0", "1.5")),
        *(("pinned", {"a": {"5": v}}) for v in (1, 0, None, "cut")),
        *(("aggregate", v) for v in ("min", "", None, ["mean"])),
        *(("repair", v) for v in ("mend", ("fold", "mend"), None, 3)),
    ],
)
def test_a_field_out_of_range_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        Plan(**{field: value})  # type: ignore[arg-type]


def test_layer_names_must_be_names() -> None:
    with pytest.raises(ValueError, match="layer names, got 3"):
        Plan(sparsity={3: 0.5})  # type: ignore[dict-item]


def test_a_pattern_competes_inside_its_groups_only() -> None:
    with pytest.raises(ValueError, match=r"granularity '2:4'.*scope='layer'"):
        Plan(granularity="2:4", scope="global")


@pytest.mark.parametrize("granularity", ["neuron", "head"])
def test_whole_units_have_no_blocks_of_weights_to_pin(granularity: str) -> None:
    assert Plan(granularity=granularity, pinned={"a": {"5": True}}).pinned["a"] == {"5": True}
    with pytest.raises(ValueError, match=f"'{granularity}' cannot pin '0:1,0:2' of 'a'"):
        Plan(granularity=granularity, pinned={"a": {"5": True, "0:1,0:2": False}})


def test_nothing_is_pinned_in_a_pattern() -> None:
    with pytest.raises(ValueError, match="granularity '2:4' cannot pin 'units' of 'a'"):
        Plan(granularity="2:4", pinned={"a": {"5": True}})


@pytest.mark.parametrize("repair", ["fold", "reconstruct"])
def test_what_units_leave_behind_is_mended_where_units_go(repair: str) -> None:
    assert Plan(granularity="head", repair=repair).repair == (repair,)
    with pytest.raises(ValueError, match=f"repair '{repair}' .*'neuron' or 'head'"):
        Plan(repair=repair)


@pytest.mark.parametrize("granularity", ["neuron", "head"])
def test_single_weights_are_updated_where_they_go(granularity: str) -> None:
    for able in ("weight", "2:4"):
        assert Plan(granularity=able, repair="update").repair == ("update",)
    with pytest.raises(ValueError, match=r"repair 'update' .*'weight' or 'N:M'.*'reconstruct'"):
        Plan(granularity=granularity, repair="update")


@pytest.mark.parametrize("key", ["Criterion", "sparsitty", 5])
def test_unknown_keys_are_refused_by_name(key: object) -> None:
    with pytest.raises(ValueError, match=f"unknown key {key!r}"):
        Plan.from_dict({key: 1, "seed": 2})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("weight", None),
        ("neuron", None),
        ("head", None),
        ("2:4", (2, 4)),
        ("1:16", (1, 16)),
        ("3:7", (3, 7)),
    ],
)
def test_patterns_are_read(text: str, found: tuple[int, int] | None) -> None:
    assert pattern(text) == found
