"""Is the memory that visitors' networks take bounded, and is it said what went?"""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from pruneviz.sources.opening import find_source
from pruneviz.ui.session import shelves
from pruneviz.workbench import Workbench

MEGA = 2**20


@pytest.fixture(scope="module", autouse=True)
def _held_by_others() -> Iterator[None]:
    """What other tests hold is not searched at every collection."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def bound(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    gc.collect()
    assert shelves.used_bytes() == 0
    monkeypatch.setenv("PRUNEVIZ_APP_BYTES", str(5 * MEGA))
    yield
    gc.collect()


def network() -> Workbench:
    """About one MiB of weights."""
    data = (torch.randn(8, 512), torch.randint(0, 4, (8,)))
    return Workbench(find_source(nn.Sequential(nn.Linear(512, 508), nn.Linear(508, 4)), data))


def fill(shelf: shelves.Shelf, *names: str) -> None:
    for name in names:
        shelves.put(shelf, name, network())


@pytest.mark.slow
def test_the_oldest_that_is_on_no_screen_makes_room_and_its_owner_is_told() -> None:
    mine, yours = shelves.Shelf(), shelves.Shelf()
    fill(mine, "a", "b")
    fill(yours, "c", "d")
    mine.screen = "a"
    more = 7 * MEGA // 4
    shelves.make(more, "e")
    assert list(mine) == ["a"]
    assert mine.gone == ["b"]
    assert shelves.used_bytes() + more <= 5 * MEGA
    assert list(yours) == ["c", "d"]
    assert not yours.gone


def test_what_is_on_screens_stays_and_the_request_is_refused() -> None:
    several = [shelves.Shelf() for _ in range(4)]
    for shelf in several:
        fill(shelf, "a")
        shelf.screen = "a"
    with pytest.raises(ValueError, match=r"no room for what you upload now.*MiB"):
        shelves.make(2 * MEGA, "what you upload")
    assert all(list(shelf) == ["a"] for shelf in several)


def test_more_than_all_the_shelves_is_refused_and_nothing_goes() -> None:
    mine = shelves.Shelf()
    fill(mine, "a")
    with pytest.raises(ValueError, match="PRUNEVIZ_APP_BYTES"):
        shelves.make(6 * MEGA, "what you upload")
    assert list(mine) == ["a"]


def test_a_visitor_who_left_takes_no_room() -> None:
    fill(shelves.Shelf(), "a", "b")
    gc.collect()
    assert shelves.used_bytes() == 0
    shelves.make(5 * MEGA, "all")


def test_shared_memory_counts_once_and_what_else_holds_a_network_lets_go() -> None:
    mine, bench = shelves.Shelf(), network()
    versions: dict[str, object] = {"a": bench}
    mine.beside.append(versions)
    shelves.put(mine, "a", bench)
    shelves.put(mine, "b", Workbench(bench.source))
    assert MEGA <= shelves.used_bytes() < 1.2 * MEGA
    del bench
    shelves.make(5 * MEGA, "much")
    assert not mine
    assert not versions
    assert mine.gone == ["a", "b"]
