"""How do several processes of this machine measure parts of one study?"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, Queue
from typing import IO, Any

import torch

from pruneviz.measuring.bench import Bench
from pruneviz.progress import Progress
from pruneviz.pruning.criteria import has_own_criteria
from pruneviz.sources import Source
from pruneviz.storage.measurement_store import Memory

Part = Callable[[Bench, Memory, Progress], None]  # what one process measures by itself; pickled

VARIABLE = "PRUNEVIZ_WORKERS"
MODULE = "pruneviz.workbench.worker"  # what a worker runs
_DEATHS = 2  # of workers, for each that was to be, until the rest is left to whoever asked
_LOOK = 0.2  # seconds between two chances to cancel
_PATIENCE = 5.0  # seconds for a worker that is silent to have ended by itself


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
    "failed", or "refused" where it has no network to measure. "home" is said of one that has
    nothing left to do.
    """

    kind: str
    words: str = ""
    value: str = ""
    share: float = 0.0


def usual_workers() -> int:
    """As many as the environment variable PRUNEVIZ_WORKERS says, or one; ValueError names it."""
    text = os.environ.get(VARIABLE, "1")
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{VARIABLE} must be a number of processes from 1 on, got {text!r}")
    return int(text)


def measure_apart(
    bench: Bench,
    parts: Mapping[str, Part],
    memory: Memory,
    known: Mapping[str, str],
    evidence: Sequence[str],
    workers: int,
    progress: Progress,
) -> list[str]:
    """Have `parts` measured by `workers` processes, each with a copy of the network and its data.

    What they measure is in `memory` at once. Whatever they leave undone is for the caller: where
    too many of them ended before their time, where no process can be given the network, and what
    follows on a part that failed. known: what of `memory` they may use. `progress` may raise
    to stop: no process is left behind then. Returns sentences on what did not go as it should.
    """
    if has_own_criteria():
        return ["criteria of your own are not known to other processes: one process measures"]
    try:
        setup = pickle.dumps(_setup(bench, known, evidence, workers))
    except Exception as error:  # whatever a network of somebody's own raises
        return [f"the network cannot be sent to other processes ({error}): one process measures"]
    crew = _Crew(setup, parts, min(workers, len(parts)))
    try:
        crew.hear(memory, progress)
    finally:
        crew.end()
    return crew.notes


def _setup(bench: Bench, known: Mapping[str, str], evidence: Sequence[str], workers: int) -> Setup:
    source, parent = bench.plain_source, bench.parent
    if parent is not None and source.parent is None:
        source = replace(source, parent=parent.plain_source)
    threads = torch.get_num_threads()
    each = max(1, threads // workers)
    return Setup(source, dict(known), tuple(evidence), bench.identity, threads, each)


class _Crew:
    """Workers at work on the parts that are left; a thread of this process waits for each."""

    def __init__(self, setup: bytes, parts: Mapping[str, Part], workers: int) -> None:
        self.notes: list[str] = []
        self._setup, self._parts = setup, parts
        self._left = deque(parts)
        self._spare = _DEATHS * workers
        self._shares = dict.fromkeys(parts, 0.0)
        self._heard: Queue[tuple[int, str, Message | None]] = Queue()
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
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
            if message is None:
                self._lose(number, name)
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
        """End every process that is still there."""
        with self._lock:
            self._ended = True
            processes = list(self._processes.values())
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()
        for thread in self._threads:
            thread.join()

    def _begin(self) -> None:
        self._alive += 1
        number = len(self._processes)
        self._processes[number] = process = _start()
        thread = threading.Thread(target=self._serve, args=(number, process), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _lose(self, number: int, name: str) -> None:
        """A worker has ended before its part was done."""
        self._alive -= 1
        code = self._processes[number].wait()
        cause = f"signal {-code}" if code < 0 else f"exit code {code}"
        self.notes.append(f"worker {number + 1} ended ({cause}); {name!r} is measured again")
        self._shares[name] = 0.0
        self._left.append(name)
        if self._spare:
            self._spare -= 1
            self._begin()

    def _serve(self, number: int, process: subprocess.Popen[bytes]) -> None:
        """Give one worker part after part, and pass on what it says."""
        assert process.stdin is not None
        assert process.stdout is not None
        name, last = self._next(), None
        try:
            process.stdin.write(self._setup)
            while name:
                pickle.dump(self._parts[name], process.stdin)
                process.stdin.flush()
                self._pass_on(number, name, process.stdout)
                name = self._next()
            last = Message("home")  # it is idle, and would take seconds to leave by itself
        except (OSError, EOFError, pickle.UnpicklingError):
            with suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE)
        process.kill()
        for stream in (process.stdin, process.stdout):
            with suppress(OSError):
                stream.close()
        self._heard.put((number, name, last))

    def _pass_on(self, number: int, name: str, stream: IO[bytes]) -> None:
        """What a worker says of a part, until that is done."""
        while True:
            message: Message = pickle.load(stream)
            self._heard.put((number, name, message))
            if message.kind in ("done", "failed", "refused"):
                return

    def _next(self) -> str:
        with self._lock:
            return "" if self._ended or not self._left else self._left.popleft()


def _start() -> subprocess.Popen[bytes]:
    """A worker that waits for its setup, with the same modules within reach."""
    paths = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    options: dict[str, Any] = {"start_new_session": True} if os.name == "posix" else {}
    return subprocess.Popen(
        [sys.executable, "-m", MODULE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": paths},
        **options,  # Ctrl-C in the terminal is for the one who asked
    )
