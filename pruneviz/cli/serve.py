"""How is the app started from a terminal?"""

from __future__ import annotations

import errno
import os
import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import click

from pruneviz.cli import class_start
from pruneviz.cli.shared import plain_errors, what_to_open, workers_option
from pruneviz.lessons import read_lessons
from pruneviz.lessons.library import VARIABLE as LESSONS
from pruneviz.measuring.executor import VARIABLE, Workers
from pruneviz.options import opening_options, words
from pruneviz.sources import few

_HERE = "127.0.0.1"
_OWN = (_HERE, "localhost")
_PATH = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True)
@click.option(
    "--host",
    metavar="ADDRESS",
    help="The address of this machine at which to listen; 0.0.0.0: at all it has, for others too.  "
    f"[default: {_HERE}, of a class 0.0.0.0]",
)
@click.option(
    "--name",
    "names",
    metavar="NAME",
    multiple=True,
    help="A name or address that browsers may ask for, such as prune.school.example; without one, "
    "any. May be given again.",
)
@click.option(
    "--base-path",
    metavar="PATH",
    default="",
    help="The path under which a proxy passes it on, such as /pruneviz.",
)
@click.option(
    "--lessons",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Lessons of your own, Markdown files that stand on the page Learn beside ours.",
)
@click.option(
    "--samples",
    type=click.IntRange(few.LEAST, few.MOST),
    metavar="N",
    help="Measure every network on its first N validation samples: quicker where many share a "
    "machine, with wider intervals.  [default: all]",
)
@class_start.class_options
@workers_option
@opening_options
def app(
    port: int,
    host: str | None,
    names: tuple[str, ...],
    base_path: str,
    lessons: Path | None,
    samples: int | None,
    school: str | None,
    keep: str | None,
    share: str | None,
    workers: Workers,
    **values: Any,
) -> None:
    """Open the app in the browser, at MODEL if one is named.

    Example: pruneviz app --port 8502 --model lenet5
    """
    script, path = app_file(), _path(base_path)
    environment = {VARIABLE: str(workers)}
    if samples is not None:
        environment[few.VARIABLE] = str(samples)
    if lessons is not None:
        if school is not None:
            raise click.UsageError("in a class name your lessons in its file, not with --lessons")
        _check_lessons(lessons)
        environment[LESSONS] = str(lessons.resolve())
    if school is None and (keep or share):
        raise click.UsageError("--keep and --share are about a class: name one with --class")
    host = host or (_HERE if school is None else class_start.EVERYWHERE[0])
    _check_address(host, port)
    opened = words(what_to_open(values)) if values["model"] or values["given"] else []
    options = [("port", str(port)), ("address", host)]
    options += [("baseUrlPath", path)] if path else []
    options += [("allowedHosts", name) for name in _hosts(host, _names(names, share))]
    if school is None:
        _become(_command(script, options, opened), environment)
        return
    address = class_start.address_of(share, host, names, port, path)
    start = class_start.prepare(school, keep, address)
    click.echo(start.words)
    command = start.around(_command(script, [*options, *start.options], opened))
    _become(command, {**start.environment, **environment})


def _command(script: Path, options: list[tuple[str, str]], opened: list[str]) -> list[str]:
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += [word for option, text in options for word in (f"--server.{option}", text)]
    return [*command, "--", *opened] if opened else command


def _names(names: tuple[str, ...], share: str | None) -> tuple[str, ...]:
    """Those that browsers may ask for: also the one in the address that is shared."""
    shared = class_start.host_of(share) if share is not None else None
    return names if shared is None else tuple(dict.fromkeys((*names, shared)))


def _check_lessons(folder: Path) -> None:
    """ClickException names the file, line and field of what is wrong in a lesson."""
    with plain_errors():
        read_lessons(folder)


def _check_address(host: str, port: int) -> None:
    """ClickException where nobody can listen there."""
    unknown = click.ClickException(
        f"{host!r} is no address of this machine; take 127.0.0.1, 0.0.0.0, or its address in the "
        "network with --host"
    )
    try:
        family, kind, number, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError:
        raise unknown from None
    with socket.socket(family, kind, number) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(place)
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise unknown from None
            raise click.ClickException(
                f"port {port} is in use; stop what runs there or choose another with --port"
            ) from None


def _hosts(host: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names under which browsers may ask: a page of somebody else that has this machine's
    address behind a name of its own is refused. Where others are to come and no name is said: any.
    """
    if not names and host not in _OWN:
        return ("*",)
    return (*names, *_OWN)


def _path(text: str) -> str:
    """ClickException where it is no path of an address."""
    path = text.strip("/")
    if path and not _PATH.fullmatch(path):
        raise click.ClickException(
            f"--base-path {text!r} is no path; give letters, digits, -, _ and /, such as /pruneviz"
        )
    return path


def _become(command: list[str], environment: Mapping[str, str]) -> None:
    """Run `command` in place of this process: what ends the one has ended the other.

    environment: beside this process's own.
    """
    environment = {**os.environ, **environment}
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "nt":  # where another process takes over, the terminal does not wait for it
        raise SystemExit(subprocess.call(command, env=environment))
    os.execve(command[0], command, environment)


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
