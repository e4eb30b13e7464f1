"""Does every page keep network and plan in its address, and do Back and Forward undo and redo?"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from driving import Board, new_context, press
from playwright.sync_api import Browser, Page
from serving import Server

pytestmark = pytest.mark.browser
HEADINGS = {  # of each page, by its link on top
    "Learn": "Learn to prune",
    "Sensitivity": "Sensitivity: lenet300",
    "Criteria": "Criteria: lenet300",
    "Small devices": "Small devices: lenet300",
    "Train": "Train: lenet300",
    "History": "History",
    "Export": "Export: lenet300",
    "Manual": "The workbench, from top to bottom",
}
TITLES = tuple(HEADINGS)


def go(page: Page, title: str) -> None:
    """To a page by the links on top."""
    page.get_by_role("link", name=title, exact=True).click()


def named_by(address: str | None) -> dict[str, list[str]]:
    """What an address names, but for the page."""
    return parse_qs(urlsplit(address or "").query)


def stands(page: Page, title: str, network: str = "lenet300") -> Callable[[], bool]:
    """Whether a page is drawn, and its links lead to what its own address names."""
    link = page.get_by_role("link", name=title, exact=True)
    heading = page.get_by_role("heading", name=HEADINGS[title].replace("lenet300", network)).first
    rests = page.locator("[data-testid=stApp][data-test-script-state=notRunning]")

    def holds() -> bool:
        here, drawn = named_by(page.url), heading.count()
        same = link.count() > 0 and named_by(link.get_attribute("href")) == here
        return bool(rests.count() and drawn and same)

    return holds


def entries(page: Page) -> int:
    """How many entries the history of this tab has."""
    return int(page.evaluate("history.length"))


def walk(board: Board, network: str, other: Page | None = None) -> None:
    """Through all pages and back; with another tab each is loaded anew and opened there, too."""
    page, wanted, steps = board.page, named_by(board.page.url), list[int]()
    for title in TITLES:
        go(page, title)
        board.until(f"the page {title}", stands(page, title, network))
        assert named_by(page.url) == wanted
        steps.append(entries(page))
        if other is not None:
            page.reload()
            board.until(f"the page {title}, loaded anew", stands(page, title, network))
            assert named_by(page.url) == wanted
            open_alone(board, other, page.url, title, network)
    assert steps == [steps[0] + number for number in range(len(TITLES))], "each is one step"
    for title in reversed(TITLES[:-1]):
        page.go_back()
        board.until(f"back at {title}", stands(page, title, network))
    for title in TITLES[1:4]:
        page.go_forward()
        board.until(f"forward at {title}", stands(page, title, network))
    page.evaluate("history.go(-4)")
    board.until("the board", lambda: board.root.count() > 0)


def open_alone(board: Board, other: Page, address: str, title: str, network: str) -> None:
    """A page by its address alone; what it names stays in it."""
    other.goto(address)
    board.until(f"the page {title} by its address", stands(other, title, network))
    assert named_by(other.url) == named_by(address)


def open_each(board: Board, other: Page, network: str) -> None:
    """Every page by its address, where the links on top lead to."""
    for title in TITLES:
        link = board.page.get_by_role("link", name=title, exact=True)
        address = urljoin(board.page.url, link.get_attribute("href") or "")
        open_alone(board, other, address, title, network)


def test_a_page_comes_back_by_reload_and_opens_in_another_tab(visit: Callable[..., Board]) -> None:
    board = visit("?model=lenet300")
    with board.changing_address():  # numbers that are known stand there before the address does
        board.type("number-fc1", "50")
    wanted = named_by(board.page.url)
    assert wanted["model"] == ["lenet300"]
    assert wanted["plan"]
    walk(board, "lenet300", visit(measured=False).page)
    board.until("the plan", lambda: board.percent("fc1") == 50)


def test_back_is_undo_and_forward_is_redo(visit: Callable[..., Board]) -> None:
    board = visit()
    page, before = board.page, entries(board.page)
    seen = [board.percents()]
    for layer, percent in (("fc1", "50"), ("fc2", "60"), ("conv2", "30")):
        with board.changing_address():
            board.type(f"number-{layer}", percent)
        seen.append(board.percents())
    board.drag(board.slider("fc1"), 0.5, 0.8)
    assert entries(page) == before + 4, "one for each plan, none for the way there"
    for step, place in ((-1, 3), (-1, 2), (-1, 1), (-1, 0), (1, 1), (1, 2), (1, 3)):
        page.evaluate(f"history.go({step})")
        board.until(f"plan {place}", lambda place=place: board.percents() == seen[place])
        board.until("its numbers", board.is_full)
    assert entries(page) == before + 4, "nothing is pushed on the way"
    board.click("undo")
    assert board.percents() == seen[2], "the steps in the app are the same ones"
    for _ in range(3):  # without waiting for anything, as somebody in a hurry
        page.evaluate("history.back()")
    board.until("three plans back", lambda: board.percents() == seen[1])
    go(page, "Train")
    page.get_by_role("heading", name="Train").wait_for()
    page.go_back()
    board.until("the board", lambda: board.root.count() > 0 and board.percents() == seen[1])


def points(board: Board) -> int:
    """How many plans the chart says it shows."""
    says = board.root.get_by_role("figure").get_attribute("aria-label") or ""
    found = re.search(r"of ([\d,]+) plans?;", says)
    return int(found[1].replace(",", "")) if found else 0


def test_points_and_snapshots_come_back(server_alone: Server, page: Page) -> None:
    page.goto(f"{server_alone.address}/?model=lenet300")
    board = Board(page)
    board.open()
    seen = [board.percents()]
    for layer, percent in (("fc1", "50"), ("fc2", "60"), ("fc1", "90")):
        with board.changing_address():
            board.type(f"number-{layer}", percent)
        seen.append(board.percents())
    page.get_by_role("textbox", name="Snapshot").fill("the cliff")
    press(page, "Keep", exact=True)
    page.get_by_text("the cliff").wait_for()
    board.until("its points", lambda: points(board) == 4)

    page.reload()
    board.open()
    other = Board(page.context.new_page())
    other.page.goto(page.url)
    for here in (board, other):
        here.open()
        here.until("the points", lambda here=here: points(here) == 4)
        here.page.get_by_text("the cliff").wait_for()
    server_alone.kill()
    server_alone.start()
    page.reload()
    board.open()
    board.until("the points, after a restart", lambda: points(board) == 4)
    page.get_by_text("the cliff").wait_for()
    for step, place in ((-1, 2), (-1, 1), (-1, 0), (1, 1), (1, 2)):
        page.evaluate(f"history.go({step})")
        board.until(f"plan {place}", lambda place=place: board.percents() == seen[place])
    assert points(board) == 4


def test_a_trained_version_comes_back_after_a_restart(
    server_alone: Server, page: Page, browser: Browser
) -> None:
    page.goto(f"{server_alone.address}/?model=lenet300")
    board = Board(page)
    board.open()
    board.type("number-fc1", "50")
    go(page, "Train")
    page.get_by_role("spinbutton", name="Epochs").fill("1")
    page.get_by_role("spinbutton", name="Training samples").fill("500")
    page.keyboard.press("Enter")
    press(page, "Train", exact=True)
    press(page, "Use as a new version")
    board.until("the version", lambda: bool(named_by(page.url).get("version")))
    board.open()
    wanted, numbers, shown = named_by(page.url), board.numbers(), points(board)
    assert wanted["model"] == ["lenet300 · v1"]
    with board.changing_address():  # else Back leads past the plan before
        board.type("number-fc2", "60")
    page.go_back()
    board.until("the plan it was made with", lambda: named_by(page.url) == wanted)
    board.until("its numbers", lambda: board.is_full() and board.numbers() == numbers)
    walk(board, "lenet300 · v1")  # by its address: after the restart
    board.until("its numbers", lambda: board.is_full() and board.numbers() == numbers)

    server_alone.kill()
    server_alone.start()
    other = page.context.new_page()
    other.goto(page.url)
    again = Board(other)
    again.open()
    assert again.numbers() == numbers
    again.until("the points", lambda: points(again) >= shown)
    alone = page.context.new_page()
    open_each(again, alone, "lenet300 · v1")
    alone.goto(other.url.replace("/?", "/export?"))
    alone.get_by_text("on 2,000)").wait_for()  # it is measured to its end there, too
    for title in ("Export", "Train", "History"):
        go(other, title)
        again.until(f"the page {title}", stands(other, title, "lenet300 · v1"))
    other.evaluate("history.go(-3)")
    again.until("the board", lambda: again.root.count() > 0 and again.numbers() == numbers)
    theirs = new_context(browser).new_page()
    theirs.goto(page.url)
    theirs.get_by_text("no trained version").wait_for()
    theirs.context.close()


def test_two_tabs_stay_two_sessions(visit: Callable[..., Board]) -> None:
    first = visit("?model=lenet300")
    with first.changing_address():
        first.type("number-fc1", "50")
    second = visit(first.page.url)
    with second.changing_address():
        second.type("number-fc2", "60")
    second.page.go_back()
    second.until("the link", lambda: second.percents()["fc2"] == 0)
    first.page.reload()
    first.open()
    assert first.percents() == second.percents() == {"fc1": 50, "fc2": 0, "fc3": 0}
