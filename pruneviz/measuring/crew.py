"""How do workers measure the parts of a study, wherever they are?"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from queue import Empty, Queue
from typing import Protocol

from pruneviz.measuring.bench import Bench
from pruneviz.progress import Progress
from pruneviz.sources import Source
from pruneviz.storage.measurement_store import Memory

Part = Callable[[Bench, Memory, Progress], None]  # what one worker measures by itself; pickled

MODULE = "pruneviz.workbench.worker"  # what a worker runs
ENDS = ("done", "failed", "refused")
_DEATHS = 2  # of workers, for each that was to be, until the rest is left to whoever asked
_LOOK = 0.2  # seconds between two chances to cancel


@dataclass(frozen=True)
class Setup:
    """What a worker is told once. known: measurements by key; evidence: parts of it to gather, as
    whoever asked would, with so many threads; identity: of the network as that one knows it.
    """

    source: Source
    known: Mapping[str, str]
    evidence: tuple[str, ...]
    identity: str
    gathering_threads: int
    threads: int


@dataclass(frozen=True)
class Message:
    """What a worker says. kind: "put" (words: the key), "progress" (words: the label), "done",
    "failed", or "refused" where it has no network to measure; these end a part, see ENDS. "home" is
    said of one that has nothing left to do, "lost" of one that ended (words: how).
    """

    kind: str
    words: str = ""
    value: str = ""
    share: float = 0.0


class Worker(Protocol):
    """One that measures parts, here or elsewhere."""

    def begin(self, setup: bytes) -> None:
        """Take the pickled `Setup`; WorkerLostError where it ended before."""

    def measure(self, part: Part) -> Iterator[Message]:
        """What it says of a part, up to "done", "failed" or "refused"; WorkerLostError."""

    def end(self) -> None:
        """End it on the spot, whatever it does; once more does nothing."""


class WorkerLostError(Exception):
    """A worker ended before its part was done; the words say how."""


class Crew:
    """Workers at work on the parts that are left; a thread of this process waits for each."""

    def __init__(
        self, start: Callable[[], Worker], setup: bytes, parts: Mapping[str, Part], workers: int
    ) -> None:
        self.notes: list[str] = []
        self._start, self._setup, self._parts = start, setup, parts
        self._left = deque(parts)
        self._spare = _DEATHS * workers
        self._shares = dict.fromkeys(parts, 0.0)
        self._heard: Queue[tuple[int, str, Message]] = Queue()
        self._workers: list[Worker] = []
        self._threads: list[threading.Thread] = []
        self._lock, self._ended = threading.Lock(), False
        self._alive = 0
        for _ in range(workers):
            self._begin()

    def hear(self, memory: Memory, progress: Progress) -> None:
        """Until nobody is at work: keep what is measured, tell how far it is."""
        label = f"starting {self._alive} processes"
        while self._alive:
            progress(label, sum(self._shares.values()) / len(self._shares))
            try:
                number, name, message = self._heard.get(timeout=_LOOK)
            except Empty:
                continue
            if message.kind == "lost":
                self._lose(number, name, message.words)
            elif message.kind == "put":
                memory.put(message.words, message.value)
            elif message.kind == "progress":
                label, self._shares[name] = message.words, message.share
            elif message.kind == "home":
                self._alive -= 1
            elif message.kind == "done":
                self._shares[name] = 1.0
            elif message.kind == "failed":  # whoever asked will meet the same
                return
            elif message.kind == "refused":
                self.notes.append(f"{message.words}: one process measures")
                return

    def end(self) -> None:
        """End every worker that is still there."""
        with self._lock:
            self._ended = True
        for worker in self._workers:
            worker.end()
        for thread in self._threads:
            thread.join()

    def _begin(self) -> None:
        self._alive += 1
        worker, number = self._start(), len(self._workers)
        self._workers.append(worker)
        thread = threading.Thread(target=self._serve, args=(number, worker), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _lose(self, number: int, name: str, cause: str) -> None:
        """A worker has ended before its part was done."""
        self._alive -= 1
        self.notes.append(f"worker {number + 1} ended ({cause}); {name!r} is measured again")
        self._shares[name] = 0.0
        self._left.append(name)
        if self._spare:
            self._spare -= 1
            self._begin()

    def _serve(self, number: int, worker: Worker) -> None:
        """Give one worker part after part, and pass on what it says."""
        name, last = self._next(), Message("home")  # it is idle, and takes seconds to leave
        try:
            worker.begin(self._setup)
            while name:
                for message in worker.measure(self._parts[name]):
                    self._heard.put((number, name, message))
                name = self._next()
        except WorkerLostError as error:
            last = Message("lost", str(error))
        worker.end()
        self._heard.put((number, name, last))

    def _next(self) -> str:
        with self._lock:
            return "" if self._ended or not self._left else self._left.popleft()
