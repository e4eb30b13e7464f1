"""Does an error that nobody foresaw become a sentence, with its trace in the log alone?"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from pruneviz import ui
from pruneviz.background import Job
from pruneviz.cli import main
from pruneviz.plan import Plan
from pruneviz.sources.data.reader import read_data
from pruneviz.sources.upload import open_upload
from pruneviz.storage import faults
from pruneviz.storage.home import VARIABLE
from tests import optional

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
    assert job.error.startswith("something went wrong that was not foreseen (FileNotFoundError: ")
    assert isinstance(job.exception, FileNotFoundError)
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


# -- whose words they are ------------------------------------------------------------------------


def caught(make: Callable[[], object]) -> BaseException:
    try:
        make()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def test_a_librarys_refusal_is_not_ours() -> None:
    ours = caught(lambda: Plan(sparsity={"a": 7.0}))
    theirs = caught(lambda: json.loads("no json"))
    assert faults.is_refusal(ours)
    assert not faults.is_refusal(theirs)
    assert faults.sentence(ours) == str(ours)
    assert NUMBER.search(faults.sentence(theirs))


def test_a_browser_reads_of_no_place_on_the_disk_in_our_own_words_either() -> None:
    error = caught(lambda: read_data("/srv/secret/no/such.npz"))
    assert "/srv/secret" in faults.sentence(error)
    assert "secret" not in faults.public(error)
    assert "there is no file or folder" in faults.public(error)


def test_no_page_shows_the_bare_words_of_an_error() -> None:
    for path in Path(ui.__file__).parent.rglob("*.py"):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            assert not re.search(r"str\(error\)|\{error\}", line), f"{path.name}:{number}"


LONG = "a/" * 2_500


@pytest.mark.parametrize(
    "arguments",
    [
        ["layers", LONG],
        ["layers", "~nobodyxx/net.safetensors", "--arch", "sample:lenet5"],
        ["layers", "hf:~nobodyxx"],
        ["layers", f"hf:{LONG}"],
        ["layers", "lenet5", "--data", LONG],
        ["layers", "lenet5", "--data", "~nobodyxx/data.npz"],
        ["layers", "lenet5", "--data", "a\0b.npz"],
    ],
)
def test_what_can_be_no_path_is_there_not(arguments: list[str]) -> None:
    optional.transformers()
    found = CliRunner().invoke(main, arguments)
    assert found.exit_code in (1, 2)
    assert isinstance(found.exception, SystemExit), found.exception
    assert "fault" not in found.output
    assert len(found.output) < 2_000


@pytest.mark.parametrize("name", ["好" * 90, "\ud800", "a\0b", "😀" * 300])
def test_a_name_that_no_file_system_takes_is_taken(name: str) -> None:
    held = io.BytesIO()
    np.savez(held, x=np.zeros((8, 1, 28, 28), np.float32), y=np.arange(8) % 3)
    source = open_upload(None, "", "sample:lenet5", held.getvalue(), f"{name}.npz")
    assert len(source.validation)
