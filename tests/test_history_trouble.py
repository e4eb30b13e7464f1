"""Does a history go on where its file cannot be used, and say so?"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from pruneviz.history import History
from pruneviz.history.file import FILE
from pruneviz.plan import Plan
from pruneviz.storage.database import transaction
from tests.history_files import MODEL, RECORD, filled, whole


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


def test_a_plan_that_was_damaged_is_said(tmp_path: Path) -> None:
    history = History(tmp_path)
    number = history.visit(MODEL, Plan())
    for text in ('{"criterion": 5}', "{", "[" * 200_000):
        with transaction(history._file.base):
            history._file.base.execute("UPDATE visits SET plan = ?", (text,))
        with pytest.raises(ValueError, match=f"the plan of visit {number} is damaged"):
            history.plan_of(number)
    history.close()
