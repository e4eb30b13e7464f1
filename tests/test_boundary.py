"""Does an error that nobody foresaw become a sentence, with its trace in the log alone?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from pruneviz.background import Job
from pruneviz.cli import main
from pruneviz.storage import faults
from pruneviz.storage.home import VARIABLE

NUMBER = re.compile(r"fault ([0-9a-f]{6})")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    return tmp_path


def broken(words: str) -> RuntimeError:
    try:
        raise RuntimeError(words)
    except RuntimeError as error:
        return error


def test_a_fault_has_a_number_that_stands_in_the_log_with_its_trace() -> None:
    said = faults.sentence(broken("shapes 3 and 4 do not fit"))
    assert "RuntimeError: shapes 3 and 4 do not fit" in said
    log = faults.log_file().read_text("utf-8")
    (number,) = NUMBER.findall(said)
    assert f"fault {number}" in log
    assert "Traceback (most recent call last)" in log
    assert Path(__file__).name in log


@pytest.mark.parametrize(
    "words",
    [
        "[Errno 2] No such file: '/srv/secret/net.safetensors'",
        "cannot open /home/someone/.cache/x: permission denied",
        "cannot read ~someone/net",
        r"cannot open C:\\Users\\someone\\net.bin",
        "first\nTraceback (most recent call last): File /srv/secret",
    ],
)
def test_no_place_on_the_disk_and_no_trace_is_told(words: str) -> None:
    said = faults.sentence(broken(words))
    for part in ("secret", "someone", "Traceback"):
        assert part not in said


def test_what_is_made_for_people_is_said_as_it_is(home: Path) -> None:
    assert faults.sentence(ValueError("no layer 'x' to prune")) == "no layer 'x' to prune"
    assert not list(home.iterdir())


def test_the_log_is_bounded(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "_BOUND", 500)
    for _ in range(9):
        faults.sentence(broken("again"))
    assert {path.name for path in home.iterdir()} == {"faults.log", "faults.log.1"}
    assert sum(path.stat().st_size for path in home.iterdir()) < 3_000


def test_a_home_that_cannot_be_written_stops_no_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (home / "file").write_text("")
    monkeypatch.setenv(VARIABLE, str(home / "file"))
    said = faults.sentence(broken("no room"))
    assert NUMBER.findall(said)[0] in caplog.text


def test_a_job_that_fails_says_no_more_than_a_sentence() -> None:
    def work(report: object) -> None:
        raise FileNotFoundError(2, "No such file", "/srv/secret/net")

    job = Job(work)
    job.wait()
    assert job.error is not None
    assert job.error.startswith("FileNotFoundError: ")
    assert NUMBER.search(job.error)
    assert "secret" not in job.error


# -- the pages -----------------------------------------------------------------------------------


def page() -> None:
    import streamlit as st

    from pruneviz.ui.boundary import fragment, part

    @part
    def first() -> None:
        st.write("before")
        raise KeyError("![](http://elsewhere/x.png) /srv/secret/a")

    def second() -> None:
        raise ZeroDivisionError

    @part
    def again() -> None:
        if "once" not in st.session_state:
            st.session_state["once"] = True
            st.rerun()
        st.write("again")

    first()
    fragment(second)()
    again()
    st.write("after")


def test_the_rest_of_a_page_stands() -> None:
    app = AppTest.from_function(page, default_timeout=60).run()
    assert not app.exception
    assert [box.value for box in app.markdown] == ["before", "again", "after"]
    one, two = (box.value for box in app.error)
    assert "KeyError" in one
    assert "ZeroDivisionError" in two
    assert "secret" not in one
    assert "![" not in one.replace("\\!\\[", ""), "foreign words are no Markdown"


# -- the command line ----------------------------------------------------------------------------


@pytest.fixture
def command() -> Iterator[str]:
    @click.command("break")
    def breaks() -> None:
        raise AssertionError("Global is not Linear")

    breaks.params.append(click.Option(["--debug"], is_flag=True, expose_value=False))
    breaks.params[-1].callback = main.params[-1].callback
    main.add_command(breaks)
    yield "break"
    del main.commands["break"]


def test_a_command_ends_in_a_sentence(command: str) -> None:
    found = CliRunner().invoke(main, [command])
    assert found.exit_code == 1
    assert "Traceback" not in found.output
    assert "AssertionError: Global is not Linear" in found.output
    (number,) = NUMBER.findall(found.output)
    assert number in faults.log_file().read_text("utf-8")


@pytest.mark.parametrize("arguments", [["--debug", "break"], ["break", "--debug"]])
def test_with_debug_it_ends_in_the_trace(command: str, arguments: list[str]) -> None:
    found = CliRunner().invoke(main, arguments)
    assert isinstance(found.exception, AssertionError)


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_takes_debug(name: str) -> None:
    assert any("--debug" in option.opts for option in main.commands[name].params)
