"""What does a process do that measures parts of a study for another one?"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from typing import IO

import torch

from pruneviz.measuring.crew import Message, Part, Setup
from pruneviz.workbench import Workbench

Say = Callable[[Message], None]


class Wire:
    """Measurements that are known, and those made here, which are said at once."""

    def __init__(self, known: dict[str, str], say: Say) -> None:
        self._known, self._say = known, say

    def get(self, key: str) -> str | None:
        """What is known under `key`, or None."""
        return self._known.get(key)

    def put(self, key: str, value: str) -> None:
        """Keep `value` under `key`, and say so."""
        self._known[key] = value
        self._say(Message("put", key, value))


class Station:
    """A network that is opened once, and measures part after part. setup: a pickled `Setup`."""

    def __init__(self, setup: bytes | IO[bytes]) -> None:
        self._known: dict[str, str] = {}
        self._bench: Workbench | None = None
        self._refusal = ""
        try:
            content: Setup = pickle.loads(setup) if isinstance(setup, bytes) else pickle.load(setup)
            self._known = dict(content.known)
            self._bench = _open(content)
        except Exception as error:  # whatever a network of somebody's own raises
            self._refusal = f"another process cannot open the network ({error})"

    def measure(self, part: Part, say: Say) -> bool:
        """Say what `part` measures; returns whether there is a network to measure."""
        if self._bench is None:
            say(Message("refused", self._refusal))
            return False
        memory = Wire(self._known, say)
        try:
            part(self._bench, memory, lambda name, done: say(Message("progress", name, share=done)))
        except Exception as error:
            say(Message("failed", str(error)))
        else:
            say(Message("done"))
        return True


def work(stream: IO[bytes], say: Say) -> None:
    """Do what the stream brings, until it ends."""
    station = Station(stream)
    while True:
        try:
            part: Part = pickle.load(stream)
        except EOFError:
            return
        if not station.measure(part, say):
            return


def _open(setup: Setup) -> Workbench:
    torch.set_num_threads(setup.gathering_threads)  # sums of evidence depend on it
    bench = Workbench(setup.source)
    if bench.identity != setup.identity:
        raise ValueError("its weights, data or code look different there")
    if setup.evidence:
        bench.evidence(*setup.evidence)
    torch.set_num_threads(setup.threads)
    return bench


def main() -> None:
    """Work for the process that started this one: `python -m pruneviz.workbench.worker`.

    A `Setup` and then parts are read from standard input, each pickled by that process and nobody
    else; messages go to standard output. It ends when its input does, or nobody hears it.
    """
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a network prints is no message

    def say(message: Message) -> None:
        pickle.dump(message, out)
        out.flush()

    try:
        work(sys.stdin.buffer, say)
    except BrokenPipeError:  # whoever asked is gone
        os._exit(1)


if __name__ == "__main__":
    main()
