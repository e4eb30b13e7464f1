"""How do workers of a Ray cluster measure parts of a study?"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pruneviz.measuring.crew import MODULE, Message, Part, Worker, WorkerLostError
from pruneviz.measuring.processes import search_path


@contextmanager
def cluster(address: str) -> Iterator[tuple[Callable[[], Worker], int]]:
    """(what starts a worker, how many there is room for: one a core), while it is in use.

    address: of a cluster that runs, "auto" for the one of this machine; "": one is started here,
    and ended afterwards. ValueError where Ray is not installed, or nobody answers.
    """
    ray = _ray()
    mine = not ray.is_initialized()
    if mine:
        try:
            ray.init(
                address=address or "local",
                include_dashboard=None if address else False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                runtime_env={"env_vars": {"PYTHONPATH": search_path()}},
            )
        except (ConnectionError, ValueError, RuntimeError, OSError) as error:
            raise ValueError(f"no Ray cluster answers at {address or 'local'!r}: {error}") from None
    try:
        shelf = _Shelf(ray)
        yield lambda: RayWorker(shelf), max(1, int(ray.cluster_resources().get("CPU", 1)))
    finally:
        if mine:
            ray.shutdown()


class RayWorker:
    """An actor with a network of its own; it keeps what lies before a layer from part to part."""

    def __init__(self, shelf: _Shelf) -> None:
        self._shelf, self._actor = shelf, None

    def begin(self, setup: bytes) -> None:
        """See `Worker`."""
        self._actor = self._shelf.actor.remote(self._shelf.put(setup))

    def measure(self, part: Part) -> Iterator[Message]:
        """See `Worker`: of a part all is said when it is done."""
        ray = self._shelf.ray
        if self._actor is None:
            raise WorkerLostError("it never began")
        try:
            yield from ray.get(self._actor.measure.remote(part))
        except ray.exceptions.RayError as error:
            raise WorkerLostError(str(error).partition("\n")[0] or type(error).__name__) from None

    def end(self) -> None:
        """See `Worker`."""
        if self._actor is not None:
            with suppress(Exception):  # it is gone already, and the cluster with it
                self._shelf.ray.kill(self._actor)


class _Shelf:
    """What all workers of a study share: the network lies in the object store once."""

    def __init__(self, ray: Any) -> None:
        self.ray = ray
        self.actor = ray.remote(num_cpus=1)(_Measurer)
        self._place: Any = None

    def put(self, setup: bytes) -> Any:
        """Where it lies; of workers that begin at once it may lie there twice."""
        if self._place is None:
            self._place = self.ray.put(setup)
        return self._place


class _Measurer:
    """What runs on the cluster."""

    def __init__(self, setup: bytes) -> None:
        self._station = importlib.import_module(MODULE).Station(setup)

    def measure(self, part: Part) -> list[Message]:
        """All that is said of a part."""
        messages: list[Message] = []
        self._station.measure(part, messages.append)
        return messages


def _ray() -> Any:
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise ValueError(f"Ray is not here ({error}); pip install 'pruneviz[ray]'") from None
