"""Does a plan hold what was asked, refuse nonsense, and survive a link?"""

from __future__ import annotations

import base64
import json
import pickle
import random
import zlib
from dataclasses import FrozenInstanceError, replace

import pytest

from pruneviz.plan import Plan, from_link, pattern, to_link

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


def link(text: str) -> str:
    """A well-packed link with any content."""
    return base64.urlsafe_b64encode(zlib.compress(text.encode())).decode().rstrip("=")


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


# -- links ---------------------------------------------------------------------------------


UNITS = Plan("l2", "neuron", pinned=PINS | {"conv1": {"5": False}}, repair=("fold",))


@pytest.mark.parametrize("plan", [Plan(), FULL, UNITS, Plan(sparsity={"blöcke.0/ü": 0.1 + 0.2})])
def test_a_link_returns_exactly_the_plan(plan: Plan) -> None:
    assert from_link(to_link(plan, "cafe"), "cafe") == plan


def test_a_link_keeps_a_layer_left_whole_only_where_it_competes() -> None:
    levels = {"a": 0.5, "b": 0.0}
    alone, pooled = Plan(sparsity=levels), Plan(scope="global", sparsity=levels)
    assert from_link(to_link(alone, "cafe"), "cafe") in (alone, Plan(sparsity={"a": 0.5}))
    assert from_link(to_link(pooled, "cafe"), "cafe") == pooled


def test_a_link_of_old_without_the_newer_fields_is_read() -> None:
    old = {"criterion": "l2", "granularity": "neuron", "sparsity": {"a": 0.5}}
    text = link(json.dumps({"for": "cafe", "plan": old}))
    assert from_link(text, "cafe") == Plan("l2", "neuron", sparsity={"a": 0.5})


def test_the_order_in_which_pins_are_laid_over_each_other_survives_a_link() -> None:
    one = Plan(pinned={"a": {"0:2,0:2": False, "1": True}})
    other = Plan(pinned={"a": {"1": True, "0:2,0:2": False}})
    assert one != other
    assert list(from_link(to_link(one, "cafe"), "cafe").pinned["a"]) == ["0:2,0:2", "1"]
    assert list(from_link(to_link(other, "cafe"), "cafe").pinned["a"]) == ["1", "0:2,0:2"]


def test_a_link_needs_no_escaping_in_a_url() -> None:
    text = to_link(FULL, "cafe")
    assert text.replace("-", "").replace("_", "").isalnum()
    assert text.isascii()


def test_the_link_of_a_deep_network_is_short() -> None:
    deep = Plan(sparsity={f"layer{i}.conv{j}": i / 64 for i in range(50) for j in range(2)})
    assert len(to_link(deep, "cafe")) < 2000


def test_a_link_for_other_weights_says_so() -> None:
    with pytest.raises(ValueError, match=r"other weights \(cafe, here beef\)"):
        from_link(to_link(FULL, "cafe"), "beef")


def test_a_link_cut_short_anywhere_is_damaged() -> None:
    text = to_link(FULL, "cafe")
    for length in range(len(text) - 2):
        with pytest.raises(ValueError, match="damaged"):
            from_link(text[:length], "cafe")


def test_a_link_with_a_changed_character_is_damaged_or_the_same() -> None:
    text = to_link(FULL, "cafe")
    chance = random.Random(0)
    refused = 0
    for position in range(len(text)):
        other = chance.choice("AZaz09-_ é%\n")
        changed = text[:position] + other + text[position + 1 :]
        try:
            assert from_link(changed, "cafe") == FULL  # spare bits at the end carry nothing
        except ValueError:
            refused += 1
    assert refused >= 0.9 * len(text)


def test_random_text_is_damaged() -> None:
    chance = random.Random(0)
    for _ in range(300):
        text = "".join(chance.choices("abcXYZ019-_=+/ \0é", k=chance.randrange(40)))
        with pytest.raises(ValueError, match="damaged"):
            from_link(text, "cafe")


def test_a_zip_bomb_is_refused_unopened() -> None:
    with pytest.raises(ValueError, match="damaged"):
        from_link(link(" " * 50_000_000 + "{}"), "cafe")


@pytest.mark.parametrize(
    "content",
    [
        *("", "{}", "[]", "null", "3", '"for"', "[1]", "{", "nan", '{"for": "cafe"}'),
        *(f'{{"for": "cafe", "plan": {p}}}' for p in ("1", "[]", "null", '"x"', '{"x": 1}')),
        *(
            f'{{"for": "cafe", "plan": {{"sparsity": {s}}}}}'
            for s in ("0.5", '{"a": 2}', '{"a": NaN}', '{"a": Infinity}', '{"a": true}', "[[1]]")
        ),
        pytest.param("[" * 100_000, id="deeply nested"),
        pytest.param(
            '{"for": "cafe", "plan": {"sparsity": {"a": 1' + "0" * 400 + "}}}", id="huge number"
        ),
        pytest.param('{"for": "cafe", "plan": {"seed": 1' + "0" * 5000 + "}}", id="endless number"),
    ],
)
def test_a_link_with_other_content_is_damaged(content: str) -> None:
    with pytest.raises(ValueError, match="damaged"):
        from_link(link(content), "cafe")
