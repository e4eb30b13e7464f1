"""Does a teacher's link reach a student, and do goals and worksheets come back to the teacher?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from driving import Board, press, rest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def make_link(board: Board) -> str:
    """For lesson 4 on vit, with the scores alone in sight."""
    page = board.page
    page.get_by_text("For teachers", exact=True).click()
    board.choose("Lesson", "4. Minor, relative, active")
    board.choose("Network to work on", "vit")
    rest(page)
    page.get_by_role("button", name="Remove Criterion").click()
    link = page.get_by_role("textbox", name="link for your class").and_(page.locator(":visible"))
    expect(page.get_by_text("2 steps and 2 questions")).to_be_visible()
    rest(page)
    assert "assignment=" in link.input_value()
    return link.input_value()


def test_a_link_fixes_the_network_and_hides_the_criterion(visit: Callable[..., Board]) -> None:
    teacher = visit("learn?model=lenet300", measured=False)
    link = make_link(teacher)
    before = teacher.page.url
    student = visit(link, stranger=True)
    page = student.page
    expect(page.get_by_text("From your teacher")).to_be_visible()
    expect(page.get_by_role("combobox", name="Network")).to_be_hidden()
    expect(page.get_by_role("combobox", name="Criterion")).to_be_hidden()
    expect(page.get_by_text("All controls")).to_have_count(0)
    assert "head" in student.percents(), "it is vit"
    press(page, "Begin")
    student.open()
    press(page, "That is my guess")
    expect(page.locator(".st-key-step")).to_contain_text("You expect 50 %.")
    student.type("master-number", "50")
    lesson = page.locator(".st-key-lesson")
    expect(lesson).to_contain_text("You expected 50 %, and measured")
    page.reload()
    student.open()
    expect(lesson).to_contain_text("You expected 50 %, and measured")
    assert teacher.page.url == before
    teacher.page.reload()
    expect(teacher.page.get_by_role("heading", name="Learn to prune")).to_be_visible()
    expect(teacher.page.get_by_text("not begun").first).to_be_visible()
    expect(teacher.page.get_by_text("of 4 steps")).to_have_count(0)


def hand_in(board: Board, name: str, folder: Path) -> Path:
    """A worksheet with this name."""
    page = board.page
    page.get_by_role("link", name="Learn", exact=True).click()
    page.get_by_role("button", name="All lessons").click()
    page.get_by_text("Worksheet", exact=True).click()
    box = page.get_by_role("textbox", name="Your name")
    box.fill(name)
    box.press("Enter")
    rest(page)
    with page.expect_download() as download:
        press(page, "Download", exact=True)
    file = folder / f"{name}.html"
    download.value.save_as(file)
    return file


def try_the_goal(board: Board, **levels: str) -> None:
    """Attempts at the first goal, one for each layer."""
    page = board.page
    page.locator("[class*=st-key-goal-card-]").first.get_by_role("button", name="Open").click()
    board.open()
    for layer, level in levels.items():
        board.type(f"number-{layer}", level)
    expect(page.locator(".st-key-goal")).to_contain_text("of the parameters kept, accuracy")


def test_goals_are_judged_kept_and_collected(visit: Callable[..., Board], tmp_path: Path) -> None:
    ann = visit("learn?model=lenet5", measured=False)
    try_the_goal(ann, fc1="82", fc2="70")
    goal = ann.page.locator(".st-key-goal")
    expect(goal).to_contain_text("Passed for sure")
    with ann.changing_address():
        ann.type("master-number", "95")
    expect(goal).to_contain_text("Not")
    lesson = ann.page.locator(".st-key-lesson")
    expect(lesson).to_contain_text("Best attempt: passed for sure")
    expect(lesson).to_contain_text("3 attempts")
    ann.page.reload()
    ann.open()
    expect(lesson).to_contain_text("3 attempts")
    press(ann.page, "Back to the best attempt")
    ann.until("the best plan", lambda: ann.percents()["fc1"] == 82)
    ben = visit("learn?model=lenet5", measured=False, stranger=True)
    try_the_goal(ben, fc1="10")
    sheets = [hand_in(ann, "Ann", tmp_path), hand_in(ben, "Ben", tmp_path)]
    teacher = visit("learn?model=lenet5", measured=False, stranger=True).page
    teacher.get_by_text("For teachers", exact=True).click()
    teacher.get_by_role("tab", name="Worksheets").click()
    rest(teacher)
    teacher.locator("input[type=file]").first.set_input_files(sheets)
    expect(teacher.get_by_text("2 worksheets", exact=True)).to_be_visible()
    with teacher.expect_download() as download:
        teacher.get_by_test_id("stDownloadButton").filter(has_text="CSV").get_by_role(
            "button"
        ).click()
    rows = Path(download.value.path()).read_text("utf-8")
    assert "Ann" in rows
    assert "Ben" in rows
    assert "for sure" in rows
