"""How is the app started from a terminal?"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import click

from pruneviz.cli.shared import what_to_open, workers_option
from pruneviz.measuring.processes import VARIABLE
from pruneviz.options import opening_options, words


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8501, show_default=True, help="On 127.0.0.1."
)
@workers_option
@opening_options
def app(port: int, workers: int, **values: Any) -> None:
    """Open the app in the browser, at MODEL if one is named.

    Example: pruneviz app --port 8502 --model lenet5
    """
    script = app_file()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise click.ClickException(
                f"port {port} is in use; stop what runs there or choose another with --port"
            ) from None
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    if values["model"] or values["given"]:
        command += ["--", *words(what_to_open(values))]
    os.environ[VARIABLE] = str(workers)
    _become(command)


def _become(command: list[str]) -> None:
    """Run `command` in place of this process: what ends the one has ended the other."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "nt":  # where another process takes over, the terminal does not wait for it
        raise SystemExit(subprocess.call(command))
    os.execv(command[0], command)


def app_file(checkout: Path = Path(__file__).parents[2]) -> Path:
    """The app's script: of the checkout, or where it was installed, with its settings beside it."""
    if (checkout / "pyproject.toml").is_file():
        return checkout / "app.py"
    try:
        installed_files = files("pruneviz") or []
    except PackageNotFoundError:
        installed_files = []
    for file in installed_files:
        path = Path(str(file.locate()))
        if file.name == "app.py" and file.parent.name == "pruneviz" and path.is_file():
            return path.resolve()
    raise click.ClickException("app.py was not installed with pruneviz; run it from a checkout")
