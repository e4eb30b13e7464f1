"""What does a class need before its app starts?"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from pruneviz.classroom import VARIABLE, door, read_class
from pruneviz.cli.shared import plain_errors
from pruneviz.sources import few
from pruneviz.sources.networks.hub import OFF
from pruneviz.sources.networks.hub import VARIABLE as HUB
from pruneviz.storage import home

F = TypeVar("F", bound=Callable[..., Any])
EVERYWHERE = ("0.0.0.0", "::")
_TEACHER = "teacher"  # the page

_OPTIONS = (
    click.option("--class", "school", metavar="NAME|FILE",
                 help="Serve a class: lesson-4, or a YAML file of yours. Others may come then."),
    click.option("--keep", metavar="FOLDER",
                 help="Of a class: keep in this folder what it did, which is erased otherwise."),
    click.option("--share", metavar="URL",
                 help="Of a class: the address that students open, where a proxy or a container "
                      "stands between; without it, that of this machine in its network."),
)  # fmt: skip


def class_options(command: F) -> F:
    """The options of `pruneviz app` that are about a class."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True)
class ClassStart:
    """How the app of a class is run.

    environment: beside this process's own. options: of Streamlit's server. keeps: whether what
    the class did stays when it ends. words: for the teacher, at the start.
    """

    environment: Mapping[str, str]
    options: tuple[tuple[str, str], ...]
    keeps: bool
    words: str

    def around(self, command: list[str]) -> list[str]:
        """The command, in the care of what gives it a folder and erases that."""
        if self.keeps:
            return command
        script = Path(__file__).with_name("lodging.py")
        return [sys.executable, "-P", str(script), home.VARIABLE, *command]


def prepare(school: str, keep: str | None, address: str) -> ClassStart:
    """ClickException where the class cannot be as it is asked for."""
    with plain_errors():
        rules = read_class(school)
        own, code = _code()
    rules = replace(rules, address=address, lock=door.new_lock(code))
    environment = {VARIABLE: rules.as_text(), door.VARIABLE: ""}
    environment |= {} if keep is None else {home.VARIABLE: _folder(keep)}
    environment |= {} if rules.hub else {HUB: OFF}
    if rules.samples:
        environment[few.VARIABLE] = str(rules.samples)
    if rules.upload_mb:
        environment["PRUNEVIZ_UPLOAD_BYTES"] = str(rules.upload_mb * 2**20)
    said = "the one you chose" if own else code
    where = "a folder of its own, erased when this ends"
    where = where if keep is None else f"{environment[home.VARIABLE]}, and stays there"
    words = (
        f"Class “{rules.title}”: {', '.join(rules.networks)}\n"
        f"  Students open  {address}\n"
        f"  Your page      {address.rstrip('/')}/{_TEACHER}   code: {said}\n"
        f"  What they do lies in {where}. Ctrl-C ends the class.\n"
    )
    # In force where files come in, whatever a page draws: 0 refuses every file.
    options = (("maxUploadSize", str(rules.upload_mb)),)
    return ClassStart(environment, options, keep is not None, words)


def address_of(share: str | None, host: str, names: tuple[str, ...], port: int, path: str) -> str:
    """The address that students open."""
    if share is not None:
        return share
    name = names[0] if names else host if host not in EVERYWHERE else own_address()
    shown = f"[{name}]" if ":" in name else name
    return f"http://{shown}{'' if port == 80 else f':{port}'}/{f'{path}/' if path else ''}"


def host_of(address: str) -> str:
    """The name in an address; ClickException where it is none."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise click.ClickException(
            f"--share {address!r} is no address; give one such as https://prune.school.example/"
        )
    return parts.hostname


def own_address() -> str:
    """This machine's address in the network that leads on; 127.0.0.1 where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # tells the way there; nothing is sent
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def _code() -> tuple[bool, str]:
    """(whether the teacher chose it, the code)."""
    own = os.environ.get(door.VARIABLE, "").strip()
    if not own:
        return False, door.new_code()
    if len(own) < door.LEAST:
        raise ValueError(f"{door.VARIABLE} must have at least {door.LEAST} signs, got {len(own)}")
    return True, own


def _folder(keep: str) -> str:
    folder = Path(keep).expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(
            f"--keep {keep!r} is no folder that can be made: {error.strerror}"
        ) from None
    return str(folder)
