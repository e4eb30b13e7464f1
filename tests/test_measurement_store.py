"""Does what was measured outlive the process, and does trouble with the file stop nobody?"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import pruneviz.storage.measurement_store as module
from pruneviz.cli import main
from pruneviz.plan import Plan
from pruneviz.storage.home import VARIABLE
from pruneviz.storage.measurement_store import MeasurementStore
from pruneviz.workbench import Workbench

FILE = "measured.sqlite3"
PATIENCE = 60.0


def test_what_was_put_is_there(tmp_path: Path) -> None:
    memory = MeasurementStore(tmp_path)
    assert memory.get("a") is None
    memory.put("a", "1")
    memory.put("a", "2")
    assert (memory.get("a"), memory.complaint) == ("2", "")
    memory.close()
    assert memory.get("a") == "2"
    again = MeasurementStore(tmp_path)
    assert again.get("a") == "2"
    again.close()


def test_without_a_folder_it_lasts_as_long_as_the_object() -> None:
    memory = MeasurementStore(None)
    memory.put("a", "1")
    assert (memory.get("a"), memory.get("b"), memory.complaint) == ("1", None, "")
    assert memory.path is None


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    memory = MeasurementStore(tmp_path / "not" / "there")
    memory.put("a", "1")
    assert memory.complaint == ""
    assert memory.path is not None
    assert memory.path.is_file()
    memory.close()


def test_two_see_what_the_other_has_found(tmp_path: Path) -> None:
    one, two = MeasurementStore(tmp_path), MeasurementStore(tmp_path)
    before = one.version, two.version
    one.put("a", "1")
    assert two.get("a") == "1"
    assert one.version != before[0]
    assert two.version != before[1], "also the one that did not write is told"
    assert one.version == one.version
    one.close()
    two.close()


def test_many_threads_share_one(tmp_path: Path) -> None:
    memory = MeasurementStore(tmp_path)

    def work(name: int) -> None:
        for k in range(50):
            memory.put(f"{name}-{k}", str(k))
            assert memory.get(f"{name}-{k}") == str(k)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    memory.close()
    again = MeasurementStore(tmp_path)
    assert [again.get(f"{name}-49") for name in range(4)] == ["49"] * 4
    assert (memory.complaint, again.complaint) == ("", "")
    again.close()


@pytest.mark.slow
def test_what_put_has_returned_from_survives_a_kill(tmp_path: Path) -> None:
    script = (
        "import os, sys, pathlib\n"
        "from pruneviz.storage.measurement_store import MeasurementStore\n"
        "memory = MeasurementStore(pathlib.Path(sys.argv[1]))\n"
        "for k in range(100):\n    memory.put(str(k), 'x' * 1000)\n"
        f"os.kill(os.getpid(), {signal.SIGKILL:d})\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], timeout=PATIENCE)
    assert done.returncode == -signal.SIGKILL
    memory = MeasurementStore(tmp_path)
    assert all(memory.get(str(k)) == "x" * 1000 for k in range(100))
    assert memory.complaint == ""
    memory.close()


def test_the_oldest_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BOUND", 10)
    memory = MeasurementStore(tmp_path)
    for k in range(25):
        memory.put(str(k), "x")
    memory.close()
    again = MeasurementStore(tmp_path)
    assert [k for k in range(25) if again.get(str(k))] == list(range(15, 25))
    again.close()


# -- trouble -----------------------------------------------------------------------------------


def goes_on(folder: Path) -> str:
    """The complaint about a folder; everything works all the same."""
    memory = MeasurementStore(folder)
    memory.put("a", "1")
    assert (memory.get("a"), memory.get("b")) == ("1", None)
    assert isinstance(memory.version, tuple)
    memory.close()
    assert str(folder / FILE) in memory.complaint
    assert "PRUNEVIZ_HOME" in memory.complaint
    assert "stay in memory" in memory.complaint
    return memory.complaint


def test_a_file_that_is_damaged(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all, but long enough to look like one" * 50)
    assert "not a database" in goes_on(tmp_path)
    assert (tmp_path / FILE).read_bytes().startswith(b"no database"), "it is not ours to delete"


def test_a_file_that_is_damaged_inside(tmp_path: Path) -> None:
    memory = MeasurementStore(tmp_path)
    for k in range(500):
        memory.put(str(k), "x" * 200)
    memory.close()
    content = bytearray((tmp_path / FILE).read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    (tmp_path / FILE).write_bytes(content)
    goes_on(tmp_path)


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "taken"
    folder.write_text("a file")
    goes_on(folder)
    goes_on(folder / "below")


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    goes_on(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        goes_on(tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_a_file_that_may_only_be_read_once_it_is_open(tmp_path: Path) -> None:
    memory = MeasurementStore(tmp_path)
    memory.put("a", "1")
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("DROP TABLE measured")
    other.commit()
    other.close()
    memory.put("b", "2")
    assert "no such table" in memory.complaint
    assert (memory.get("a"), memory.get("b"), memory.get("c")) == ("1", "2", None)
    memory.close()


def test_a_file_from_the_future(tmp_path: Path) -> None:
    file = sqlite3.connect(tmp_path / FILE)
    file.execute("PRAGMA user_version = 99")
    file.close()
    assert "newer version, schema 99" in goes_on(tmp_path)
    file = sqlite3.connect(tmp_path / FILE)
    assert file.execute("PRAGMA user_version").fetchone() == (99,)
    assert not file.execute("SELECT name FROM sqlite_master").fetchall(), "nothing was written"
    file.close()


def test_somebody_who_never_lets_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.2)
    MeasurementStore(tmp_path).close()
    memory = MeasurementStore(tmp_path)
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    memory.put("a", "1")
    assert "locked" in memory.complaint
    assert memory.get("a") == "1"
    other.execute("ROLLBACK")
    other.close()
    memory.close()


# -- of a workbench ----------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


def test_a_scan_goes_on_where_nothing_can_be_kept(
    home: Path, new_bench: Callable[[str], Workbench]
) -> None:
    home.write_text("a file")
    bench = new_bench("lenet300")
    table = bench.scan(Plan(), (0.5,))
    assert len(table) == 3
    assert "cannot be kept" in bench.studies.memory.complaint
    home.unlink()
    other = new_bench("lenet300")
    assert other.scan(Plan(), (0.5,)).equals(table)
    assert other.studies.memory.complaint == ""
    other.studies.memory.close()


def test_a_workbench_lets_go_of_its_file(home: Path, new_bench: Callable[[str], Workbench]) -> None:
    bench, beside = new_bench("lenet300"), home / f"{FILE}-wal"
    bench.close()
    assert not home.exists(), "nothing was measured, so nothing was opened"
    table = bench.scan(Plan(), (0.5,))
    assert beside.exists()
    bench.close()
    assert not beside.exists()
    assert bench.scan(Plan(), (0.5,)).equals(table)


def test_a_command_lets_go_of_its_file(home: Path) -> None:
    result = CliRunner().invoke(main, ["scan", "lenet300", "--levels", "0.5", "--json"])
    assert result.exit_code == 0
    assert (home / FILE).exists()
    assert not (home / f"{FILE}-wal").exists()


def test_what_a_function_of_ones_own_measures_is_not_kept(
    home: Path, new_bench: Callable[[str], Workbench]
) -> None:
    source = new_bench("lenet300").source

    def metric(outputs: object, targets: object) -> object:
        raise AssertionError("nothing is measured here")

    assert Workbench(replace(source, metric=metric)).studies.memory.path is None
    assert Workbench(source).studies.memory.path == home / FILE
