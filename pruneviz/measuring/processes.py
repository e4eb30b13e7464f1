"""How does a process of this machine measure parts of a study?"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from pruneviz.measuring.crew import ENDS, MODULE, Message, Part, WorkerLostError

_PATIENCE = 5.0  # seconds for a worker that is silent to have ended by itself


def search_path() -> str:
    """Where this process finds its modules, so that another one does, too."""
    return os.pathsep.join(path or str(Path.cwd()) for path in sys.path)


class ProcessWorker:
    """A process of this machine, spoken to by its standard input and output."""

    def __init__(self) -> None:
        self._process = _start()

    def begin(self, setup: bytes) -> None:
        """See `Worker`."""
        with self._speech() as (hears, _):
            hears.write(setup)

    def measure(self, part: Part) -> Iterator[Message]:
        """See `Worker`."""
        with self._speech() as (hears, says):
            pickle.dump(part, hears)
            hears.flush()
            while True:
                message: Message = pickle.load(says)
                yield message
                if message.kind in ENDS:
                    return

    def end(self) -> None:
        """See `Worker`."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError, ValueError):  # what it was about to be told is not sent
                if stream is not None:
                    stream.close()

    @contextmanager
    def _speech(self) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdin, process.stdout
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):
            with suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE)
            process.kill()
            code = process.wait()
            cause = f"signal {-code}" if code < 0 else f"exit code {code}"
            raise WorkerLostError(cause) from None


def _start() -> subprocess.Popen[bytes]:
    """A worker that waits for its setup, with the same modules within reach."""
    options: dict[str, Any] = {"start_new_session": True} if os.name == "posix" else {}
    return subprocess.Popen(
        [sys.executable, "-m", MODULE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": search_path()},
        **options,  # Ctrl-C in the terminal is for the one who asked
    )
