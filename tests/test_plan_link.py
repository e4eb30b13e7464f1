"""Does a plan fit into a link, and come out of it?"""

from __future__ import annotations

import base64
import json
import random
import zlib

import pytest

from pruneviz.plan import Plan, from_link, to_link
from tests.test_plan import FULL, PINS


def link(text: str) -> str:
    """A well-packed link with any content."""
    return base64.urlsafe_b64encode(zlib.compress(text.encode())).decode().rstrip("=")


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
