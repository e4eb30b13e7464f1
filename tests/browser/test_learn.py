"""Does a reader come through a lesson with mouse and keyboard, and find it again?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import Board, new_context, press, rest
from playwright.sync_api import Browser, Page, expect
from serving import Server

pytestmark = pytest.mark.browser


def begin(board: Board) -> None:
    press(board.page, "Begin")
    expect(board.page.get_by_role("button", name="Begin")).to_have_count(0)
    board.open()


def test_a_lesson_is_walked_with_a_mouse(visit: Callable[..., Board]) -> None:
    here = visit("learn?lesson=2")
    page = here.page
    step = page.locator(".st-key-step")
    master = here.root.locator(".toolbar .slider")
    expect(page.get_by_role("combobox", name="Criterion")).to_be_visible()
    expect(page.get_by_role("combobox", name="Granularity")).to_be_hidden()
    expect(page.get_by_role("button", name="More", exact=True)).to_be_hidden()
    begin(here)
    expect(step).to_contain_text("Step 1 of 4")
    here.drag(master, 0.0, 0.2)
    expect(step).to_contain_text("Step 1 of 4")
    here.drag(master, 0.2, 0.5)
    expect(step).to_contain_text("Step 2 of 4")
    expect(step).not_to_contain_text("Drag")
    press(page, "That is my guess")
    expect(step).to_contain_text("You expect 50 %.")
    here.drag(master, 0.5, 0.9)
    expect(step).to_contain_text("Step 3 of 4")
    lesson = page.locator(".st-key-lesson")
    expect(lesson).to_contain_text("You expected 50 %, and measured")
    expect(here.root).to_contain_text("your guess")
    here.drag(master, 0.9, 0.58)
    expect(step).to_contain_text("Step 4 of 4")
    page.reload()
    here.open()
    expect(step).to_contain_text("Step 4 of 4")
    here.choose("Criterion", "Random (control)")
    expect(lesson).to_contain_text("Step 4 done.")
    page.get_by_text("Cutting the smallest weights.").click()
    expect(lesson).to_contain_text("Right.")
    page.get_by_text("On the way from half to nine tenths.").click()
    expect(lesson).to_contain_text("This lesson is done.")
    press(page, "Next: Cutting neurons")
    expect(lesson).to_contain_text("Lesson 3 ·")
    assert "lesson=3" in page.url


def test_a_lesson_is_walked_with_the_keyboard(visit: Callable[..., Board]) -> None:
    here = visit("learn?lesson=1")
    page = here.page
    begin(here)
    step = page.locator(".st-key-step")
    here.root.get_by_role("button", name="fc2", exact=True).focus()
    page.keyboard.press("Enter")
    expect(step).to_contain_text("Step 2 of 4")
    here.root.get_by_role("button", name="fc1", exact=True).focus()
    page.keyboard.press("Enter")
    expect(step).to_contain_text("Step 3 of 4")
    guess = step.get_by_role("slider")
    guess.focus()
    page.keyboard.press("ArrowRight")
    expect(guess).to_have_value("51")
    rest(page)
    step.get_by_role("button", name="That is my guess").focus()
    page.keyboard.press("Enter")
    expect(step).to_contain_text("You expect 51 %.")
    here.slider("fc1").focus()
    for _ in range(5):
        with here.settling():
            page.keyboard.press("PageUp")
    expect(step).to_contain_text("Step 4 of 4")
    for _ in range(5):
        with here.settling():
            page.keyboard.press("Control+z")
    lesson = page.locator(".st-key-lesson")
    expect(lesson).to_contain_text("Step 4 done.")
    lesson.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    expect(lesson).to_contain_text("Right.")


def test_progress_outlives_the_server_and_is_nobody_elses(
    server_alone: Server, page: Page, browser: Browser
) -> None:
    page.goto(f"{server_alone.address}/learn?lesson=1")
    board = Board(page)
    board.open()
    begin(board)
    rest(page)
    board.root.get_by_role("button", name="fc2", exact=True).click()
    expect(page.locator(".st-key-step")).to_contain_text("Step 2 of 4")
    server_alone.kill()
    server_alone.start()
    page.goto(f"{server_alone.address}/learn?lesson=1")
    expect(page.locator(".st-key-step")).to_contain_text("Step 2 of 4")
    stranger = new_context(browser).new_page()
    stranger.goto(f"{server_alone.address}/learn")
    expect(stranger.get_by_text("not begun").first).to_be_visible()
    expect(stranger.get_by_text("of 4 steps")).to_have_count(0)
    stranger.context.close()


def test_the_text_stands_beside_the_board_and_a_playback_settles_on_nothing(
    visit: Callable[..., Board],
) -> None:
    here = visit("learn?lesson=9")  # whose long lines would push the board below
    page = here.page
    begin(here)
    text, board = page.locator(".st-key-lesson").bounding_box(), here.root.bounding_box()
    assert text is not None
    assert board is not None
    assert text["x"] + text["width"] <= board["x"]
    here.drag(here.root.locator(".toolbar .slider"), 0.0, 0.9)
    rest(page)
    before = here.percents(), page.url, here.word("kept"), here.word("accuracy")
    page.get_by_test_id("play").click()
    says = page.get_by_test_id("play-says")
    seen: set[str] = set()

    def is_over() -> bool:
        seen.add(here.word("accuracy"))
        return not says.inner_text()

    expect(says).not_to_have_text("")
    here.until("the end of the playback", is_over)
    here.until("full validation", here.is_full)
    assert len(seen) > 3, "the accuracy follows"
    assert (here.percents(), page.url, here.word("kept"), here.word("accuracy")) == before
    here.click("undo")
    assert set(here.percents().values()) == {0.0}
