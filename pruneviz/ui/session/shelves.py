"""Which networks of all visitors are in memory, and which makes room for another?"""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

from torch import Tensor

from pruneviz import limits
from pruneviz.data import Data
from pruneviz.sources import Source
from pruneviz.workbench import Workbench

_MEGA = 2**20


class Shelf(dict[str, Workbench]):
    """The networks that one visitor uploaded or trained, by name.

    screen: the one that is looked at, which is never taken away. gone: those that made room for
    others and were not spoken of yet. beside: what else holds them, by the same names.
    """

    def __init__(self) -> None:
        super().__init__()
        self.screen = ""
        self.gone: list[str] = []
        self.beside: list[dict[str, object]] = []

    def let_go(self, name: str) -> None:
        """Forget a network, so that its memory is free."""
        self.pop(name, None)
        for other in self.beside:
            other.pop(name, None)


_LOCK = threading.RLock()
_LIVING: weakref.WeakSet[Workbench] = weakref.WeakSet()
_OLDEST: list[tuple[weakref.ref[Shelf], str]] = []  # in the order in which they came


def make(more: int, what: str) -> None:
    """Room for so many bytes: the oldest networks that are on no screen go, their owners are told.

    ValueError: it is more than all the room there is, or what is on screens leaves too little.
    """
    limits.check("app_bytes", more, f"{what} takes about")
    most = limits.limit("app_bytes")
    with _LOCK:
        while used_bytes() + more > most:
            if not _drop_oldest():
                raise ValueError(
                    f"there is no room for {what} now: it takes about {-(-more // _MEGA):,} MiB, "
                    f"and {used_bytes() // _MEGA:,} of {most // _MEGA:,} MiB are taken by networks "
                    "that are in use; try again later, or open a smaller one"
                )


def put(shelf: Shelf, name: str, bench: Workbench) -> None:
    """Keep a network for its owner, as the newest of all."""
    with _LOCK:
        shelf[name] = bench
        _LIVING.add(bench)
        _OLDEST.append((weakref.ref(shelf), name))


def used_bytes() -> int:
    """Bytes of all networks that were put here and live, with their data; shared ones once."""
    with _LOCK:
        return sum(dict(_storages(*_LIVING)).values())


def bytes_of(bench: Workbench) -> int:
    """Bytes of a network and its data."""
    return sum(dict(_storages(bench)).values())


def _storages(*benches: Workbench) -> Iterator[tuple[int, int]]:
    for source in (one for bench in benches for one in _line(bench.source)):
        tensors = [*source.model.parameters(), *source.model.buffers()]
        for data in (source.calibration, source.validation, source.training):
            tensors += _tensors(data)
        for tensor in tensors:
            storage = tensor.untyped_storage()
            yield storage.data_ptr(), storage.nbytes()


def _line(source: Source) -> Iterator[Source]:
    """A network, and those that it was trained from, which it keeps in memory."""
    yield source
    if source.parent is not None:
        yield from _line(source.parent)


def _tensors(data: Data | None) -> list[Tensor]:
    if data is None:
        return []
    return [*data.tensors().values(), *([] if data.targets is None else [data.targets])]


def _drop_oldest() -> bool:
    """Whether there was one that nobody looks at."""
    for entry in list(_OLDEST):
        shelf = entry[0]()
        if shelf is None or entry[1] not in shelf:
            _OLDEST.remove(entry)
        elif shelf.screen != entry[1]:
            _OLDEST.remove(entry)
            shelf.let_go(entry[1])
            shelf.gone.append(entry[1])
            gc.collect()  # a network and what is known of it hold one another
            return True
    return False
