"""Is nothing lost where a history's file is taken away or replaced while it is open?"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pruneviz.history import History
from pruneviz.history.file import FILE
from pruneviz.plan import Plan
from tests.history_files import MODEL, RECORD, filled, whole


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
