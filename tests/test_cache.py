"""Is what is kept bounded, the latest used, and the same for every thread?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from pruneviz.storage.cache import Cache


def test_what_was_made_is_not_made_again() -> None:
    made: list[int] = []
    kept: Cache[int] = Cache(4)
    for _ in range(3):
        assert kept.get_or("a", lambda: made.append(1) or 7) == 7
    assert made == [1]


def test_what_was_never_kept_is_none() -> None:
    assert Cache[int](4).get("a") is None


def test_the_first_to_keep_wins() -> None:
    kept: Cache[str] = Cache(4)
    assert kept.put("a", "first") == "first"
    assert kept.put("a", "second") == "first"
    assert kept.get("a") == "first"


def test_it_never_holds_more_than_its_bound() -> None:
    kept: Cache[int] = Cache(3)
    for key in range(10):
        kept.put(key, key)
    assert [kept.get(key) for key in range(10)] == [None] * 7 + [7, 8, 9]


def test_what_was_used_last_stays() -> None:
    kept: Cache[int] = Cache(2)
    kept.put("a", 1)
    kept.put("b", 2)
    kept.get("a")
    kept.put("c", 3)
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (1, None, 3)


def test_two_makers_at_once_get_the_same_thing() -> None:
    kept: Cache[object] = Cache(2)
    together = Barrier(2, timeout=30)

    def make() -> object:
        together.wait()
        return object()

    with ThreadPoolExecutor(2) as pool:
        one, other = (pool.submit(kept.get_or, "a", make) for _ in range(2))
        assert one.result() is other.result()


def test_many_threads_keep_it_bounded_and_right() -> None:
    kept: Cache[int] = Cache(8)

    def work(start: int) -> bool:
        return all(kept.get_or(k % 20, lambda k=k: k % 20) == k % 20 for k in range(start, 2000))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))
    assert sum(kept.get(key) is not None for key in range(20)) == 8
