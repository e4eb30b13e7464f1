"""Does work come back after the page was loaded anew, and after its server was killed?"""

from __future__ import annotations

import re

import pytest
from driving import Board, press
from playwright.sync_api import Page
from serving import Server
from test_watch_training import back, choose_gradual, moving

pytestmark = pytest.mark.browser


def epochs(page: Page) -> int:
    """Full epochs that the chart of the score has."""
    told = "".join(each.get_attribute("alt") or "" for each in moving(page, "score").all())
    return max(map(int, re.findall(r"epoch (\d+):", told)), default=0)


def test_a_training_a_scan_and_an_export_come_back(server_alone: Server, page: Page) -> None:
    scan, export = page.context.new_page(), page.context.new_page()
    board = train(server_alone, page)
    begin_scan(server_alone, scan)
    begin_export(server_alone, export)
    server_alone.kill()
    server_alone.start()
    go_on_training(board)
    scan.get_by_role("button", name="Go on").wait_for()
    scan.get_by_role("heading", name="Sensitivity: slow").wait_for()
    export_again(export)


def train(server: Server, page: Page) -> Board:
    """Begin a training, and see it go on after a reload."""
    page.goto(f"{server.address}/?model=lenet300")
    board = Board(page)
    board.open()
    choose_gradual(board, "60")
    press(page, "Train", exact=True)
    board.until("two epochs", lambda: epochs(page) >= 2)

    page.reload()
    page.get_by_role("heading", name="Train: lenet300").wait_for()
    page.get_by_text("started in another tab, or before this page was reloaded").wait_for()
    press(page, "Continue here")
    page.get_by_role("button", name="Pause").wait_for()
    moving(page, "score").wait_for()
    return board


def go_on_training(board: Board) -> None:
    """Resume what the server was at."""
    page = board.page
    page.get_by_role("button", name="Resume (epoch").wait_for()  # it comes back by itself
    page.get_by_role("heading", name="Train: lenet300").wait_for()
    press(page, "Resume (epoch")
    moving(page, "score").wait_for()
    press(page, "Cancel")
    back(board)
    board.until("the plan", lambda: board.percents()["fc1"] == 90)


def begin_scan(server: Server, page: Page) -> None:
    """Scan, and see it go on when another page was shown."""
    page.goto(f"{server.address}/?model=slow")
    board = Board(page)
    board.until("the heatmap", board.heatmap.is_visible)
    page.get_by_role("link", name="Sensitivity", exact=True).click()
    page.get_by_text("on this machine. It stops after").wait_for()
    press(page, "Scan")
    page.get_by_test_id("stProgress").filter(has_text="left").wait_for()
    page.get_by_role("link", name="Manual").click()
    page.get_by_role("link", name="Sensitivity is at work").click()
    page.get_by_test_id("stProgress").filter(has_text="left").wait_for()


def begin_export(server: Server, page: Page) -> None:
    """Cut, and begin to export that."""
    page.goto(f"{server.address}/?model=slow")
    board = Board(page)
    board.until("the heatmap", board.heatmap.is_visible)
    board.page.get_by_test_id("number-fc1").fill("75")
    page.keyboard.press("Enter")
    board.until("the plan in the address", lambda: board.link() != "")
    page.get_by_role("link", name="Export").click()
    press(page, "Export 2 formats")
    page.get_by_role("button", name="Cancel").wait_for()


def export_again(page: Page) -> None:
    """Begin once more what was lost, of the same plan."""
    page.get_by_role("heading", name="Export: slow").wait_for()
    page.get_by_text("5,573 of 8,645 parameters kept (").wait_for()
    page.get_by_text("Nothing is exported yet.").wait_for()
    press(page, "Export 2 formats")
    press(page, "Cancel")
    page.get_by_text("Stopped: nothing was written.").wait_for()
