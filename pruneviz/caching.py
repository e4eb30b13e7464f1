"""How are results kept, by several threads, without growing for ever?"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """The `bound` results used last, by key; safe to share between threads."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
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
        found = self.get(key)
        return self.put(key, make()) if found is None else found

    def put(self, key: Hashable, value: T) -> T:
        """Keep `value` unless something is kept already; returns what is kept."""
        with self._lock:
            found = self._items.setdefault(key, value)
            self._items.move_to_end(key)
            while len(self._items) > self._bound:
                self._items.popitem(last=False)
            return found
