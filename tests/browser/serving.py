"""How is the app served to a test?"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_PATIENCE = 120.0


@dataclass(frozen=True)
class Served:
    """The app at work."""

    address: str
    process: subprocess.Popen[bytes]


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(
    log: Path,
    port: int,
    words: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[Served]:
    """The app at this port, started with `words`, until the block ends."""
    options = {"server.port": port, "server.headless": "true", "server.address": "127.0.0.1"}
    flags = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", *flags]
    if words:
        command += ["--", *words]
    with log.open("a") as sink:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=sink, stderr=sink
        )
        try:
            wait_for_health(process, port, log)
            yield Served(f"http://127.0.0.1:{port}", process)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Server:
    """The app at one address, which can be killed and started again."""

    def __init__(self, home: Path, models: Path) -> None:
        self.port, self._home, self._models = free_port(), home, models
        self._up = ExitStack()
        self._app: Served | None = None

    @property
    def address(self) -> str:
        """Where it is served."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Served:
        """Serve."""
        known = {"PRUNEVIZ_HOME": str(self._home), "PYTHONPATH": str(self._models)}
        self._app = self._up.enter_context(served(self._home / "log", self.port, (), known))
        return self._app

    def kill(self) -> None:
        """End it as the power does."""
        assert self._app is not None
        self._app.process.kill()
        self._app.process.wait()
        self._up.close()

    def close(self) -> None:
        """Stop serving."""
        self._up.close()


def wait_for_health(process: subprocess.Popen[bytes], port: int, log: Path, path: str = "") -> None:
    """Until the app answers under this path."""
    end = time.monotonic() + _PATIENCE
    while True:
        if process.poll() is not None or time.monotonic() > end:
            pytest.fail(f"the app did not start:\n{log.read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}/_stcore/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
