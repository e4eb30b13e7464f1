"""How are results kept, by several threads, without growing for ever?"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Cache(Generic[T]):
    """The results used last, by key, up to a bound; safe to share between threads.

    size: what a result counts against the bound; one each by default. The last one stays always.
    """

    def __init__(self, bound: int, size: Callable[[T], int] = lambda value: 1) -> None:
        self._bound, self._size, self._full = bound, size, 0
        self._lock = threading.Lock()
        self._items: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        """What is kept under `key`, or None."""
        with self._lock:
            if key in self._items:
                self._items.move_to_end(key)
            return self._items.get(key)

    def get_or(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is kept under `key`, made first if need be; of two makers the first one wins."""
        value = self.get(key)
        return self.put(key, make()) if value is None else value

    def put(self, key: Hashable, value: T) -> T:
        """Keep `value` unless something is kept already; returns what is kept."""
        with self._lock:
            if key not in self._items:
                self._items[key] = value
                self._full += self._size(value)
            self._items.move_to_end(key)
            while self._full > self._bound and len(self._items) > 1:
                self._full -= self._size(self._items.popitem(last=False)[1])
            return self._items[key]
