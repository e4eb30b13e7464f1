"""What does a process do that measures parts of a study for another one?"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Mapping
from typing import IO

import torch

from pruneviz.measuring.processes import Message, Part, Setup
from pruneviz.workbench import Workbench

Say = Callable[[Message], None]


class Wire:
    """Measurements that are known, and those made here, which are said at once."""

    def __init__(self, known: Mapping[str, str], say: Say) -> None:
        self._known, self._say = dict(known), say

    def get(self, key: str) -> str | None:
        """What is known under `key`, or None."""
        return self._known.get(key)

    def put(self, key: str, value: str) -> None:
        """Keep `value` under `key`, and say so."""
        self._known[key] = value
        self._say(Message("put", key, value))


def work(stream: IO[bytes], say: Say) -> None:
    """Do what the stream brings, until it ends."""
    bench, memory = None, Wire({}, say)
    try:
        setup: Setup = pickle.load(stream)
        memory = Wire(setup.known, say)
        bench = _open(setup)
        refusal = ""
    except Exception as error:  # whatever a network of somebody's own raises
        refusal = f"another process cannot open the network ({error})"
    while True:
        try:
            part: Part = pickle.load(stream)
        except EOFError:
            return
        if bench is None:
            say(Message("refused", refusal))
            return
        try:
            part(bench, memory, lambda label, done: say(Message("progress", label, share=done)))
        except Exception as error:
            say(Message("failed", str(error)))
        else:
            say(Message("done"))


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
