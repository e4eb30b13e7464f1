"""How do torch's exporters work without writing to the terminal?"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any, Literal, TextIO, cast

_LOGGERS = ("torch", "onnxscript", "onnx_ir")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Nothing that libraries print, log or warn of inside: what matters is in what they raise.

    For one thread at a time. What other threads print meanwhile comes out, and so does what they
    log by other loggers.
    """
    loggers = [logging.getLogger(name) for name in logging.root.manager.loggerDict]
    muted = [one for one in loggers if one.name.partition(".")[0] in _LOGGERS]
    before = [one.disabled for one in muted]
    with warnings.catch_warnings(), _without_this_thread("stdout"), _without_this_thread("stderr"):
        warnings.simplefilter("ignore")
        try:
            for one in muted:
                one.disabled = True
            yield
        finally:
            for one, was in zip(muted, before, strict=True):
                one.disabled = was


class _OtherThreads:
    """A stream without what the thread writes that makes this."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._thread: int | None = threading.get_ident()

    def write(self, text: str) -> int:
        if threading.get_ident() == self._thread:
            return len(text)
        return self._stream.write(text)

    def let_through(self) -> None:
        """From now on, what all threads write."""
        self._thread = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def _without_this_thread(name: Literal["stdout", "stderr"]) -> Iterator[None]:
    """The process's stream, without what this thread writes to it.

    Another thread may put a stream of its own there meanwhile: that one stays, and what it puts
    back afterwards lets everything through.
    """
    stream = getattr(sys, name)
    if stream is None:  # a process without a terminal may have none
        yield
        return
    others = _OtherThreads(stream)
    setattr(sys, name, cast(TextIO, others))
    try:
        yield
    finally:
        others.let_through()
        if getattr(sys, name) is others:
            setattr(sys, name, stream)
