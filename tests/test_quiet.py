"""Is what libraries print kept off the terminal, and nothing else?"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import threading
from collections.abc import Callable

import pytest

from pruneviz.network.quiet import quiet


def in_a_thread(act: Callable[[], object]) -> None:
    thread = threading.Thread(target=act)
    thread.start()
    thread.join()


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_what_this_thread_prints_is_kept_back_and_what_others_print_is_not(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = getattr(sys, name)
    with quiet():
        print("a library's words", file=getattr(sys, name))
        in_a_thread(lambda: print("somebody else's", file=getattr(sys, name)))
    print("mine again", file=getattr(sys, name))
    assert getattr(capsys.readouterr(), "out" if name == "stdout" else "err") == (
        "somebody else's\nmine again\n"
    )
    assert getattr(sys, name) is before


def test_a_stream_that_another_thread_put_there_meanwhile_stays_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    theirs = io.StringIO()
    redirection = contextlib.redirect_stdout(theirs)
    with quiet():
        in_a_thread(redirection.__enter__)
    print("to theirs")
    assert theirs.getvalue() == "to theirs\n"
    redirection.__exit__(None, None, None)
    print("to the terminal")
    assert capsys.readouterr().out == "to the terminal\n"


def test_a_redirection_that_ends_meanwhile_stays_ended(capsys: pytest.CaptureFixture[str]) -> None:
    theirs = io.StringIO()
    redirection = contextlib.redirect_stdout(theirs)
    redirection.__enter__()
    with quiet():
        in_a_thread(lambda: redirection.__exit__(None, None, None))
    print("to the terminal")
    assert (capsys.readouterr().out, theirs.getvalue()) == ("to the terminal\n", "")


def test_a_process_without_a_terminal_works_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with quiet():
        assert sys.stdout is None


def test_loggers_of_torch_are_mute_inside_and_speak_afterwards() -> None:
    logger, own = logging.getLogger("torch.something"), logging.getLogger("somebody")
    with quiet():
        assert logger.disabled
        assert not own.disabled
    assert not logger.disabled
