"""Does a worksheet say what was done, and does a class of them become one table?"""

from __future__ import annotations

import re

import pytest

from pruneviz.lessons import Record, read_lessons
from pruneviz.lessons.goal_record import GoalRecord
from pruneviz.lessons.goals import GOALS
from pruneviz.lessons.worksheet import MARK, csv, read_worksheet, table
from pruneviz.ui.learn.worksheet import worksheet_page

LESSON = next(each for each in read_lessons() if each.name.startswith("2_"))
MOMENT = {"accuracy": 0.5, "delta": -0.4, "kept": 0.3}
RECORD = Record(
    begun=True,
    moments={"half": {"accuracy": 0.9, "delta": -0.1, "kept": 0.6}, "cliff": MOMENT},
    guesses={"cliff": 0.8},
    answers={1: 1},
)


def sheet(name: str = "Ann <b>") -> bytes:
    goals = [(GOALS[0], GoalRecord(("a", "b"), {"word": "within chance", "accuracy": 0.97}))]
    return worksheet_page(name, [(LESSON, RECORD)], goals).encode()


def test_a_worksheet_shows_predictions_answers_and_results() -> None:
    text = sheet().decode()
    assert "Ann &lt;b&gt;" in text
    assert "<b>" not in text
    for words in ("Cutting connections", "80.0 %", "50.0 %", "2 of 4 steps", "within chance"):
        assert words in text
    assert "On the way from half to nine tenths." in text
    assert "http-equiv" in text, "nothing is fetched"
    assert "{" not in text.partition("<main>")[2].partition("</main>")[0]


def test_own_words_have_the_whole_width_of_the_paper() -> None:
    lab = next(each for each in read_lessons() if each.name.startswith("12_"))
    place = next(number for number, each in enumerate(lab.questions) if each.text)
    record = Record(begun=True, answers={place: "many are small,\nfew are <large>"})
    text = worksheet_page("Ann", [(lab, record)], [])
    assert '<p class="words">many are small,\nfew are &lt;large&gt;</p>' in text
    assert "many are small" not in "".join(re.findall(r"<td.*?</td>", text, re.DOTALL))


def test_a_class_becomes_one_table() -> None:
    frame = table([("a.html", read_worksheet(sheet())), ("b.html", read_worksheet(sheet("=Ben")))])
    assert len(frame) == 4
    first = frame.iloc[0]
    assert (first["name"], first["lesson or goal"]) == ("Ann <b>", "Cutting connections")
    assert (first["steps or attempts"], first["of"]) == (2, 4)
    assert first["guesses off by (points)"] == pytest.approx(30)
    assert (first["right answers"], first["questions"]) == (1, 2)
    assert frame.iloc[1]["best verdict"] == "within chance"
    assert "'=Ben" in csv(frame), "a spreadsheet runs no formula of a student"


@pytest.mark.parametrize(
    "content", [b"", b"<html></html>", b"\xff\xfe", f'id="{MARK}">AAAA<'.encode()]
)
def test_a_file_that_is_no_worksheet_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"no worksheet|changed or damaged"):
        read_worksheet(content)


def test_a_worksheet_that_somebody_improved_is_refused() -> None:
    content = sheet().decode()
    at = content.index(f'id="{MARK}" hidden>') + len(f'id="{MARK}" hidden>') + 40
    other = "A" if content[at] != "A" else "B"
    with pytest.raises(ValueError, match="changed or damaged"):
        read_worksheet((content[:at] + other + content[at + 1 :]).encode())


def test_nobody_who_did_nothing_is_in_the_table() -> None:
    assert table([("a.html", read_worksheet(worksheet_page("", [], []).encode()))]).empty
