"""Do two browsers have two histories, and does a link let one read a branch of the other's?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import Board, press
from playwright.sync_api import Page, expect
from test_past import go, plans

pytestmark = pytest.mark.browser


def history_of(board: Board) -> Page:
    page = go(board)
    board.until("the plans", lambda: len(plans(page)) > 0)
    return page


def words(plans_seen: list[str]) -> set[str]:
    """The plans, without the marks of the tree; a tab that opens a page visits some anew."""
    return {each.lstrip("○●├└│─ ") for each in plans_seen}


def test_two_browsers_see_their_own_and_read_what_is_shared(visit: Callable[..., Board]) -> None:
    first, second = visit("?model=lenet300"), visit("?model=lenet300", stranger=True)
    first.drag(first.slider("fc1"), 0.0, 0.5)
    second.drag(second.slider("fc2"), 0.0, 0.8)
    pages = history_of(first), history_of(second)
    seen = [plans(page) for page in pages]
    assert [len(each) for each in seen] == [2, 2], "of all that other tests visited: nothing"
    assert seen[0][1] != seen[1][1]
    cookies = {cookie["name"]: cookie["sameSite"] for cookie in first.page.context.cookies()}
    assert cookies["pruneviz_owner"] == "Strict"

    again = first.page.context.new_page()  # another tab of the same browser
    again.goto(pages[0].url)
    board = Board(again)
    board.until("the same history", lambda: words(seen[0]) <= words(plans(again)))
    again.close()

    press(pages[0], "Share to read")
    link = pages[0].get_by_test_id("link")
    first.until("a link", lambda: link.count() > 0 and "shared=" in link.input_value())
    press(pages[0], "Copy: link to what is shared")
    pages[0].get_by_text("copied", exact=True).wait_for()
    reader, address = pages[1], link.input_value()
    reader.goto(address)
    reader.get_by_text("Nothing in it can be changed here").wait_for()
    second.until("what is shared", lambda: plans(reader) == [seen[0][1].replace("●", "○")])
    for name in ("Delete …", "Save", "Share to read"):
        expect(reader.get_by_role("button", name=name)).to_have_count(0)

    press(pages[0], "Withdraw the link")
    pages[0].get_by_role("button", name="Share to read").wait_for()
    reader.goto(address)
    reader.get_by_text("Nothing is shared under this address").wait_for()
    second.until("his own again", lambda: words(seen[1]) <= words(plans(reader)))
    count = len(plans(reader))
    assert pages[0].get_by_test_id("stException").count() == 0

    press(pages[1], "Delete …")
    press(pages[1], "Delete", exact=True)
    second.until("one less", lambda: len(plans(reader)) == count - 1)
    pages[0].reload()
    first.until("nothing of hers is gone", lambda: words(seen[0]) <= words(plans(pages[0])))


def test_a_browser_that_keeps_no_cookie_has_a_history_within_the_tab(
    visit: Callable[..., Board],
) -> None:
    board = visit("history", measured=False)
    page = board.page
    page.context.clear_cookies()
    page.add_init_script(
        "Object.defineProperty(document, 'cookie', { get: () => '', set: () => {} })"
    )
    page.goto(page.url.replace("history", "?model=lenet300"))
    board.open()
    board.drag(board.slider("fc1"), 0.0, 0.5)
    assert len(plans(history_of(board))) == 2
    page.get_by_text("your history lasts only until this tab").wait_for()
