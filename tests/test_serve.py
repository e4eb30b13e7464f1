"""Is the app started as it was asked for, and answers whom it should?"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from pruneviz.cli import main, serve
from tests.browser.serving import free_port

ROOT = Path(__file__).parents[1]
OWN = ["127.0.0.1", "localhost"]


def started(monkeypatch: pytest.MonkeyPatch, *words: str) -> list[str]:
    """The command that the app is started with."""
    commands: list[list[str]] = []
    monkeypatch.setattr(serve, "_become", lambda words, environment: commands.append(words))
    port = str(free_port())
    done = CliRunner().invoke(main, ["app", "--port", port, *words])
    assert done.exit_code == 0, done.output
    return commands[0]


def values(command: list[str], option: str) -> list[str]:
    return [command[at + 1] for at, word in enumerate(command) if word == f"--server.{option}"]


def test_alone_it_listens_and_answers_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    command = started(monkeypatch)
    assert values(command, "address") == ["127.0.0.1"]
    assert values(command, "allowedHosts") == OWN
    assert values(command, "baseUrlPath") == []


@pytest.mark.parametrize(
    ("words", "hosts"),
    [
        (["--host", "0.0.0.0"], ["*"]),
        (["--host", "0.0.0.0", "--name", "prune.example"], ["prune.example", *OWN]),
        (["--name", "a.example", "--name", "b.example"], ["a.example", "b.example", *OWN]),
        (["--host", "localhost"], OWN),
    ],
)
def test_others_come_by_the_names_that_are_said(
    monkeypatch: pytest.MonkeyPatch, words: list[str], hosts: list[str]
) -> None:
    assert values(started(monkeypatch, *words), "allowedHosts") == hosts


@pytest.mark.parametrize("path", ["/pruneviz", "pruneviz/", "/a/b-c_1"])
def test_a_path_is_taken_with_or_without_strokes(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    found = values(started(monkeypatch, "--base-path", path), "baseUrlPath")
    assert found == [path.strip("/")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--host", "203.0.113.7"], "'203.0.113.7' is no address of this machine"),
        (["--host", "no.such.invalid"], "'no.such.invalid' is no address of this machine"),
        (["--base-path", "a b"], "--base-path 'a b' is no path"),
        (["--base-path", "a//b"], "--base-path 'a//b' is no path"),
        (["--base-path", "../x"], "--base-path '../x' is no path"),
    ],
)
def test_what_cannot_be_served_is_said(words: list[str], said: str) -> None:
    done = CliRunner().invoke(main, ["app", "--port", str(free_port()), *words])
    assert done.exit_code == 1
    assert said in done.output


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The app at work under a path, where its settings alone say who may ask."""
    found, home = free_port(), tmp_path_factory.mktemp("home")
    words = ["--server.port", str(found), "--server.headless", "true"]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", *words, "--server.baseUrlPath", "a/b"],
        cwd=ROOT, env={**os.environ, "PRUNEVIZ_HOME": str(home)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        end = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < end:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{found}/a/b/_stcore/health", timeout=5)
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        yield found
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "somebody.example"])
def test_a_page_that_calls_this_machine_by_a_name_of_its_own_is_refused(
    port: int, name: str
) -> None:
    address = f"ws://{name}:{port}/a/b/_stcore/stream"

    def ask() -> None:
        there = socket.create_connection(("127.0.0.1", port), timeout=30)
        with connect(address, sock=there) as opened:
            opened.ping().wait(30)

    if name in OWN:
        ask()
        return
    with pytest.raises(InvalidStatus) as refusal:
        ask()
    assert refusal.value.response.status_code == 403
