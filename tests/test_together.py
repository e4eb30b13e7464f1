"""Do layers of one group share what they must share?"""

from __future__ import annotations

import torch

from pruneviz.network.groups import Group, Groups
from pruneviz.network.layers import Layer
from pruneviz.workbench.units import (
    even,
    lock_together,
    once_each,
    own_locks,
    unit_of_row,
    with_members,
)

ROWS = {"a": torch.tensor([0, 1, 2]), "c": torch.tensor([-1, 2, 1, 0])}
GROUPS = Groups({"a": Group("a", ("a", "c"), 3, "filter", ROWS, ("d",), ())}, {"d": "its why"})


def test_members_share_the_level_that_is_chosen() -> None:
    seen = []

    def choose(members: list[str]) -> float:
        seen.append(members)
        return 0.7

    levels = {"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.4}
    assert even(GROUPS, levels, choose) == levels | {"a": 0.7, "c": 0.7}
    assert seen == [["a", "c"]]
    assert even(GROUPS, levels | {"c": 0.1}, choose) == levels | {"c": 0.1}
    assert even(GROUPS, {"a": 0.1, "b": 0.2}, choose) == {"a": 0.1, "b": 0.2}
    assert even(Groups(), levels, choose) == levels


def test_who_is_not_named_follows_and_two_that_differ_stay_as_they_are() -> None:
    assert with_members(GROUPS, {"c": 0.5, "b": 0.2}) == {"a": 0.5, "b": 0.2, "c": 0.5}
    assert with_members(GROUPS, {"a": 0.0, "c": 0.5}) == {"a": 0.5, "c": 0.5}
    assert with_members(GROUPS, {"a": 0.2, "c": 0.5}) == {"a": 0.2, "c": 0.5}
    assert with_members(GROUPS, {"b": 0.2}) == {"b": 0.2}


def test_a_lock_holds_the_group_and_goes_with_its_own_reason() -> None:
    locked = lock_together(GROUPS, {"c": "mine", "d": ""})
    assert locked == {"c": "mine", "d": "", "a": "moves together with c"}
    assert own_locks(locked) == {"c": "mine", "d": ""}
    assert lock_together(GROUPS, locked) == locked


def test_a_group_is_counted_once() -> None:
    assert once_each(GROUPS, ["b", "a", "d", "c"]) == ["b", "a", "d"]
    assert once_each(GROUPS, ["c", "b", "a"]) == ["c", "b"]
    assert once_each(Groups(), ["c", "b", "a"]) == ["c", "b", "a"]


def test_a_row_belongs_to_a_unit_of_the_group_or_stays() -> None:
    assert unit_of_row(GROUPS, Layer("c", "linear", (4, 2), True)).tolist() == [-1, 2, 1, 0]
    assert unit_of_row(GROUPS, Layer("d", "linear", (3, 2), True)).tolist() == [0, 1, 2]
