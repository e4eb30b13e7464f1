"""Is a class started by one command, and erased at its end?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from pruneviz.classroom import VARIABLE, ClassRules, current_rules, door
from pruneviz.cli import class_start, lodging, main, serve
from pruneviz.plan import Plan
from pruneviz.sources.networks import hub
from pruneviz.training import Training
from pruneviz.ui.session import jobs, networks
from pruneviz.ui.session import start as begin_session
from pruneviz.ui.train.class_limit import within_class
from pruneviz.ui.workbench import news
from tests.browser.serving import free_port
from tests.small import small_bench


def start(monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[list[str], dict[str, str], str]:
    """(command, environment, what was printed) of an app that is started."""
    calls: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(serve, "_become", lambda *values: calls.append(values))
    done = CliRunner().invoke(main, ["app", "--port", str(free_port()), *words])
    assert done.exit_code == 0, done.output
    return *calls[0], done.output


def test_a_class_is_started_by_one_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(door.VARIABLE, raising=False)
    command, environment, output = start(monkeypatch, "--class", "lesson-4")
    assert command[command.index("--server.address") + 1] == "0.0.0.0"
    assert command[command.index("--server.maxUploadSize") + 1] == "0"
    assert environment[hub.VARIABLE] == hub.OFF
    rules = ClassRules.from_text(environment[VARIABLE])
    code = output.partition("code: ")[2].split()[0]
    assert door.fits(code, rules.lock)
    assert code not in " ".join((*command, *environment.values()))
    assert f"http://{class_start.own_address()}:" in rules.address
    assert f"{rules.address}teacher" in output


def test_a_code_of_the_teachers_own_is_printed_nowhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(door.VARIABLE, "geheim77")
    words = ["--class", "lesson-4", "--keep", str(tmp_path / "kept")]
    words += ["--share", "https://prune.school.example/x/"]
    command, environment, output = start(monkeypatch, *words)
    assert "geheim77" not in " ".join((*command, *environment.values(), output))
    assert environment["PRUNEVIZ_HOME"] == str(tmp_path / "kept")
    assert "https://prune.school.example/x/teacher" in output
    assert "prune.school.example" in command
    assert "lodging.py" not in " ".join(command)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--class", "lesson-99"], "there is no 'lesson-99'"),
        (["--keep", "here"], "are about a class"),
        (["--class", "lesson-1", "--share", "school"], "--share 'school' is no address"),
    ],
)
def test_what_cannot_be_started_is_said(words: list[str], said: str) -> None:
    done = CliRunner().invoke(main, ["app", "--port", str(free_port()), *words])
    assert done.exit_code != 0
    assert said in done.output


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_what_a_class_did_is_erased_at_the_end(tmp_path: Path) -> None:
    told = tmp_path / "where"
    script = (
        "import os, pathlib, time; home = os.environ['THE_HOME']; "
        "pathlib.Path(home, 'kept').write_text('x'); "
        f"pathlib.Path({str(told)!r}).write_text(home); time.sleep(60)"
    )
    command = [sys.executable, "-P", lodging.__file__, "THE_HOME", sys.executable, "-c", script]
    process = subprocess.Popen(command)
    end = time.monotonic() + 60
    while not (told.exists() and told.read_text()) and time.monotonic() < end:
        time.sleep(0.02)
    folder = Path(told.read_text())
    assert (folder / "kept").exists()
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    assert not folder.exists()


def test_boards_look_less_often_for_news_the_more_visitors_are_at_work() -> None:
    session = begin_session(small_bench())
    with patch.object(news, "turns") as queue:
        for visitors, seconds in ((1, 0.4), (4, 0.4), (8, 0.8), (16, 1.6), (60, 4.0)):
            queue.return_value.visitors.return_value = visitors
            assert news.next_look(session) == pytest.approx(seconds)


def test_a_board_whose_plan_is_measured_already_looks_for_no_news() -> None:
    """Somebody else had settled on it before: the page would draw itself again for ever."""
    bench = small_bench()
    session = begin_session(bench)
    assert session.unmeasured
    assert news.next_look(session)
    measured = jobs.measure(bench, session.settled)
    measured.wait(60)
    assert session.unmeasured
    assert news.next_look(session) is None
    session.settle(Plan(sparsity={"0": 0.5}))
    assert news.next_look(session)


def test_a_job_that_ends_while_its_board_is_drawn_is_news() -> None:
    """Else what stands beside the board, as a step of a lesson, would wait for it for ever."""
    session = begin_session(small_bench())
    session.job, session.unmeasured = jobs.measure(session.bench, session.settled), False
    session.job.wait(60)
    assert not session.job.running
    assert news.next_look(session)
    session.job = None
    assert news.next_look(session) is None


def test_a_plan_goes_on_as_ever_outside_of_a_class() -> None:
    assert current_rules() is None
    assert "vit" in networks.names()
    within_class(Training(epochs=500), lambda label, done: None)("epoch", 0.1)
