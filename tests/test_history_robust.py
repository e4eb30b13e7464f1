"""Is nothing lost, whoever writes and however the program ends, and does trouble stop nobody?"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import threading
import time
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from pruneviz.history import History, Measurement, ModelVersion
from pruneviz.history.file import FILE
from pruneviz.history.schema import STEPS
from pruneviz.plan import Plan
from pruneviz.storage.database import close_with, open_database, transaction

MODEL = ModelVersion("lenet5", "a" * 12, "d" * 16)
PATIENCE = 120.0
KILLS, WRITERS, WRITES = 20, 20, 25
RECORD = Measurement(10, 0.9, 0.8, 0.95, 0.1, 0.0, 0.0, 0.0, 100, 50, 50, 10, 5)

# One process loads torch; the writers are forked from it.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.test_history_robust"])


def write(folder: Path, name: str, count: int, start: Event) -> None:
    """Visit after visit; each that was confirmed is told in a file, one byte each."""
    history = History(folder, session=name)
    parent = None
    with (folder / name).open("ab", buffering=0) as told:
        start.wait(PATIENCE)
        for k in range(count):
            parent = history.visit(MODEL, Plan(sparsity={"fc1": k / count}), parent)
            history.record_measurement(parent, RECORD)
            history.note(parent, f"{name} {k}")
            assert not history.complaint, history.complaint
            told.write(b".")


def writer(folder: Path, name: str, count: int, start: Event) -> ForkServerProcess:
    process = FORKS.Process(target=write, args=(folder, name, count, start))
    process.start()
    return process


def whole(folder: Path) -> bool:
    file = sqlite3.connect(folder / FILE)
    try:
        return bool(file.execute("PRAGMA integrity_check").fetchone() == ("ok",))
    finally:
        file.close()


@pytest.mark.parametrize(
    "odd",
    [
        "PRAGMA user_version = -5",
        "CREATE TRIGGER t AFTER INSERT ON visits BEGIN DELETE FROM visits; END",
        "CREATE TRIGGER t BEFORE INSERT ON models BEGIN DELETE FROM visits; END",
        "CREATE VIEW v AS SELECT * FROM visits",
    ],
)
def test_a_file_that_somebody_else_changed_is_left_as_it_is(odd: str, tmp_path: Path) -> None:
    first = History(tmp_path)
    visits = [first.visit(MODEL, Plan(sparsity={"fc1": k / 9})) for k in range(3)]
    first.close()
    file = sqlite3.connect(tmp_path / FILE)
    file.execute(odd)
    file.commit()
    file.close()
    second = History(tmp_path)
    second.visit(MODEL, Plan(sparsity={"fc1": 0.5}))
    assert second.complaint is not None
    second.close()
    file = sqlite3.connect(tmp_path / FILE)
    assert file.execute("SELECT count(*) FROM visits").fetchone() == (len(visits),)
    file.close()


# -- many at once, and ends of every kind ------------------------------------------------------


@pytest.mark.slow
def test_twenty_processes_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    start = FORKS.Event()
    names = [f"w{k}" for k in range(WRITERS)]
    writers = [writer(tmp_path, name, WRITES, start) for name in names]  # no file is there yet
    start.set()
    for process in writers:
        process.join(PATIENCE)
        assert process.exitcode == 0
    history = History(tmp_path)
    table = history.visits()
    assert len(table) == WRITERS * WRITES
    assert (table["n"] == 10).all()
    for name, rows in table.groupby("session"):
        assert rows["note"].tolist() == [f"{name} {k}" for k in range(WRITES)]
        assert rows["parent"].tolist()[1:] == rows["id"].tolist()[:-1]
    assert len(history.models()) == 1
    assert whole(tmp_path)
    history.close()


@pytest.mark.slow
def test_what_was_confirmed_survives_a_kill_at_any_moment(tmp_path: Path) -> None:
    chance, start = random.Random(0), FORKS.Event()
    start.set()
    for k in range(KILLS):
        told = tmp_path / f"k{k}"
        process = writer(tmp_path, told.name, 100_000, start)
        end = time.monotonic() + PATIENCE
        while not (told.exists() and told.stat().st_size) and time.monotonic() < end:
            time.sleep(0.005)
        time.sleep(chance.uniform(0.0, 0.05))
        process.kill()
        process.join(PATIENCE)
        assert process.exitcode == -signal.SIGKILL
        confirmed = told.stat().st_size
        history = History(tmp_path)
        rows = history.visits(session=f"k{k}")
        assert history.complaint == ""
        # of the one being written when the end came, some part may be there
        assert 0 < confirmed <= len(rows) <= confirmed + 1
        assert rows["note"].tolist()[:confirmed] == [f"k{k} {i}" for i in range(confirmed)]
        assert (rows["n"][:confirmed] == 10).all()
        history.close()
    assert whole(tmp_path)


def test_many_threads_share_one(tmp_path: Path) -> None:
    history = History(tmp_path)

    def work(name: int) -> None:
        for k in range(30):
            number = history.visit(MODEL, Plan(sparsity={"a": k / 30}), session=str(name))
            history.record_measurement(number, RECORD)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(history.visits()) == 180
    assert history.complaint == ""
    history.close()


# -- trouble -----------------------------------------------------------------------------------


def goes_on(history: History) -> str:
    """Everything works in memory, and the complaint says why; returns it."""
    root = history.visit(MODEL, Plan(sparsity={"x": 0.1}))
    number = history.visit(MODEL, Plan(sparsity={"x": 0.2}), root, "branch")
    history.record_measurement(number, RECORD)
    history.note(number, "a note")
    row = history.visits().set_index("id").loc[number]
    assert (row["note"], row["branch"], row["n"]) == ("a note", "branch", 10)
    assert history.plan_of(number) == Plan(sparsity={"x": 0.2})
    assert history.delete([number]) == 1
    assert len(history.export_csv().splitlines()) >= 2
    assert isinstance(history.version, tuple)
    assert str(history.path) in history.complaint
    assert "PRUNEVIZ_HOME" in history.complaint
    assert "in memory" in history.complaint
    return history.complaint


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "taken"
    folder.write_text("a file")
    goes_on(History(folder))
    goes_on(History(folder / "below"))
    assert folder.read_text() == "a file"


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    goes_on(History(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        goes_on(History(tmp_path))
    finally:
        tmp_path.chmod(0o700)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all, but long enough to look like one" * 50)
    before = (tmp_path / FILE).read_bytes()
    assert "not a database" in goes_on(History(tmp_path))
    assert (tmp_path / FILE).read_bytes() == before, "it is not ours to mend"


def filled(folder: Path, count: int = 200) -> None:
    history = History(folder)
    for k in range(count):
        history.visit(MODEL, Plan(sparsity={f"layer{i}": k / count for i in range(20)}))
    history.close()


def test_a_database_that_is_damaged_inside(tmp_path: Path) -> None:
    filled(tmp_path)
    content = bytearray((tmp_path / FILE).read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    (tmp_path / FILE).write_bytes(content)
    assert "malformed" in goes_on(History(tmp_path))


def test_a_database_cut_short(tmp_path: Path) -> None:
    filled(tmp_path)
    with (tmp_path / FILE).open("r+b") as file:
        file.truncate(3 * 4096)
    history = History(tmp_path)
    assert isinstance(history.visits(), type(history.tree()))
    goes_on(history)


def test_tables_that_somebody_took_away(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    history = History(tmp_path)
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("DROP TABLE visits")
    other.commit()
    other.close()
    assert "no such table" in goes_on(history)


def test_a_full_disk_keeps_what_was_there_in_sight(tmp_path: Path) -> None:
    filled(tmp_path, 50)
    history = History(tmp_path)
    pages = history._file.base.execute("PRAGMA page_count").fetchone()[0]
    history._file.base.execute(f"PRAGMA max_page_count = {pages}")
    for k in range(400):
        history.visit(MODEL, Plan(sparsity={f"layer{i}": k / 1000 for i in range(40)}))
    assert "full" in history.complaint
    assert "Make room" in history.complaint
    assert len(history.visits()) == 450, "what was there, what went in, and what did not"
    goes_on(history)
    again = History(tmp_path)
    assert 50 <= len(again.visits()) < 450
    assert whole(tmp_path)
    again.close()


def test_a_full_disk_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect

    def small(*args: object, **other: object) -> sqlite3.Connection:
        file = connect(*args, **other)  # type: ignore[call-overload]
        if args[0] != ":memory:":
            file.execute("PRAGMA max_page_count = 2")
        return file  # type: ignore[no-any-return]

    monkeypatch.setattr(sqlite3, "connect", small)
    assert "full" in goes_on(History(tmp_path))


def test_a_schema_from_the_future_is_left_as_it_is(tmp_path: Path) -> None:
    file = sqlite3.connect(tmp_path / FILE)
    file.execute("CREATE TABLE tomorrow (what TEXT)")
    file.execute("INSERT INTO tomorrow VALUES ('ours')")
    file.execute("PRAGMA user_version = 99")
    file.commit()
    file.close()
    before = (tmp_path / FILE).read_bytes()
    assert "newer version, schema 99" in goes_on(History(tmp_path))
    assert (tmp_path / FILE).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_somebody_who_never_lets_go(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    history = History(tmp_path, patience=0.2)
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    history.visit(MODEL, Plan())
    assert "locked" in history.complaint
    assert len(history.visits()) == 4
    other.execute("ROLLBACK")
    other.close()


def told(history: History) -> None:
    """It says that it follows its file, and goes on there."""
    assert "taken away or replaced while it was open" in history.complaint
    assert str(history.path) in history.complaint


@pytest.mark.parametrize("ending", ["*", ""], ids=["with what lies beside it", "alone"])
def test_a_file_taken_away_while_it_is_open_is_written_anew(tmp_path: Path, ending: str) -> None:
    history = History(tmp_path)
    first, gone = history.visit(MODEL, Plan()), history.visit(MODEL, Plan(sparsity={"x": 0.1}))
    history.record_measurement(first, RECORD)
    history.note(first, "before")
    history.delete([gone])
    for path in [*tmp_path.glob(f"{FILE}{ending}")]:
        path.unlink()
    second = history.visit(MODEL, Plan(sparsity={"x": 0.5}), first)
    assert second > gone, "the number of what was deleted is never given away"
    told(history)
    history.close()
    again = History(tmp_path)
    rows = again.visits().set_index("id")
    assert list(rows.index) == [first, second]
    assert rows.loc[first, ["note", "n"]].tolist() == ["before", 10]
    assert rows.loc[second, "parent"] == first
    assert whole(tmp_path)
    again.close()


def test_a_folder_taken_away_comes_again(tmp_path: Path) -> None:
    history = History(tmp_path / "home")
    history.visit(MODEL, Plan())
    shutil.rmtree(tmp_path / "home")
    assert len(history.visits()) == 1, "reading finds it out, too"
    told(history)
    history.close()
    assert len(History(tmp_path / "home").visits()) == 1


def test_two_who_have_it_open_end_in_one_file(tmp_path: Path) -> None:
    one, other = History(tmp_path), History(tmp_path)
    numbers = [each.visit(MODEL, Plan(), session=name) for name, each in (("1", one), ("2", other))]
    for path in [*tmp_path.iterdir()]:
        path.unlink()
    for number, name, each in zip(numbers, "12", (one, other), strict=True):
        each.note(number, f"note of {name}")
        each.visit(MODEL, Plan(sparsity={"x": 0.5}), number, session=name)
        told(each)
    for each in (one, other, History(tmp_path)):
        rows = each.visits().set_index("id")
        assert len(rows) == 4
        assert rows.loc[numbers, "note"].tolist() == ["note of 1", "note of 2"]
        each.close()
    assert whole(tmp_path)


def test_another_history_in_its_place_is_left_as_it_is(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.visit(MODEL, Plan())
    filled(tmp_path / "other", 3)
    (tmp_path / "other" / FILE).replace(tmp_path / FILE)
    before = (tmp_path / FILE).read_bytes()
    history.visit(MODEL, Plan(sparsity={"y": 0.5}))
    assert "another file took its place" in history.complaint
    assert "in memory" in history.complaint
    assert len(history.visits()) == 2
    history.close()
    again = History(tmp_path)
    assert len(again.visits()) == 3
    assert (tmp_path / FILE).read_bytes() == before
    assert whole(tmp_path)
    again.close()


def test_an_empty_history_in_its_place_takes_over(tmp_path: Path) -> None:
    history = History(tmp_path)
    number = history.visit(MODEL, Plan())
    filled(tmp_path / "other", 0)
    (tmp_path / "other" / FILE).replace(tmp_path / FILE)
    history.note(number, "kept")
    told(history)
    history.close()
    again = History(tmp_path)
    assert again.visits()["note"].tolist() == ["kept"]
    again.close()


def test_no_database_in_its_place_is_left_as_it_is(tmp_path: Path) -> None:
    history = History(tmp_path)
    number = history.visit(MODEL, Plan())
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).write_bytes(b"no database at all" * 500)
    history.note(number, "in memory")
    assert "not a database" in history.complaint
    assert history.visits()["note"].tolist() == ["in memory"]
    assert (tmp_path / FILE).read_bytes() == b"no database at all" * 500
    history.close()


def test_a_plan_that_was_damaged_is_said(tmp_path: Path) -> None:
    history = History(tmp_path)
    number = history.visit(MODEL, Plan())
    for text in ('{"criterion": 5}', "{", "[" * 200_000):
        with transaction(history._file.base):
            history._file.base.execute("UPDATE visits SET plan = ?", (text,))
        with pytest.raises(ValueError, match=f"the plan of visit {number} is damaged"):
            history.plan_of(number)
    history.close()


class Owner:
    """Somebody who holds a file."""


def test_a_file_is_closed_with_its_owner_and_only_once() -> None:
    owner, other = Owner(), Owner()
    files = [sqlite3.connect(":memory:") for _ in range(2)]
    close = close_with(owner, files[0])
    close_with(other, files[1])
    close()
    close()
    del other
    for file in files:
        with pytest.raises(sqlite3.ProgrammingError):
            file.execute("SELECT 1")


def test_a_history_that_nobody_holds_any_longer_lets_go_of_its_file(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.visit(MODEL, Plan())
    assert (tmp_path / f"{FILE}-wal").exists()
    del history
    assert not (tmp_path / f"{FILE}-wal").exists(), "SQLite takes it away with the last connection"


# -- schemas -----------------------------------------------------------------------------------


def _one(file: sqlite3.Connection) -> None:
    file.execute("CREATE TABLE things (name TEXT)")


def _two(file: sqlite3.Connection) -> None:
    file.execute("ALTER TABLE things ADD COLUMN size INTEGER DEFAULT 7")


def _wrong(file: sqlite3.Connection) -> None:
    file.execute("INSERT INTO things (name) VALUES ('half')")
    raise sqlite3.OperationalError("no")


def test_steps_lead_from_any_schema_to_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "things.sqlite3"
    old = open_database(path, (_one,))
    old.execute("INSERT INTO things VALUES ('kept')")
    old.close()
    for _ in range(2):
        new = open_database(path, (_one, _two))
        assert new.execute("SELECT * FROM things").fetchall() == [("kept", 7)]
        assert new.execute("PRAGMA user_version").fetchone() == (2,)
        new.close()
    with pytest.raises(sqlite3.DatabaseError, match="newer version, schema 2"):
        open_database(path, (_one,))


def test_a_step_that_fails_leaves_the_schema_before_it(tmp_path: Path) -> None:
    path = tmp_path / "things.sqlite3"
    open_database(path, (_one,)).close()
    with pytest.raises(sqlite3.OperationalError, match="no"):
        open_database(path, (_one, _two, _wrong))
    again = open_database(path, (_one,))
    assert again.execute("SELECT * FROM things").fetchall() == []
    again.close()


def test_the_first_schema_stays_as_it_was_released(tmp_path: Path) -> None:
    """Whoever changes a released step breaks the files that are out there: add a step instead."""
    file = open_database(tmp_path / FILE, STEPS[:1])
    columns = {
        table: [row[1] for row in file.execute(f"PRAGMA table_info({table})")]
        for table in ("models", "visits", "measured")
    }
    file.close()
    assert columns == {
        "models": ["id", "name", "weights", "data", "first"],
        "visits": [
            "id", "model", "session", "parent", "digest", "plan", "criterion", "granularity",
            "scope", "name", "note", "times", "first", "last",
        ],
        "measured": [
            "visit", "n", "accuracy", "low", "high", "loss", "delta", "delta_low", "delta_high",
            "params", "params_kept", "params_shrunk", "macs", "macs_kept", "layers", "per_class",
            "answers",
        ],
    }  # fmt: skip
