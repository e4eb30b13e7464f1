"""Does a person get a report of the session from the page, and can the making be stopped?"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from driving import Board, press
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.browser


def test_a_report_is_made_stopped_made_again_and_opens(
    visit: Callable[..., Board], browser: Browser, tmp_path: Path
) -> None:
    board = visit("?model=lenet5")
    board.type("number-fc1", "90")
    board.type("number-fc2", "80")
    page = board.page
    page.get_by_role("link", name="Export").click()
    page.get_by_role("heading", name="Report").wait_for()
    page.get_by_text("with the ledger: ").click()
    press(page, "Make a report")
    press(page, "Cancel")
    page.get_by_text("Stopped: no report was written.").wait_for()
    press(page, "Make a report")
    download = page.get_by_role("button", name="Download lenet5-report.html")
    expect(download).to_be_visible()
    with page.expect_download() as taken:
        download.click()
    file = tmp_path / "report.html"
    taken.value.save_as(file)
    context = browser.new_context(offline=True)
    told = context.new_page()
    told.goto(file.as_uri())
    told.locator("#chart-1 .main-svg").first.wait_for()
    rows = told.locator("#tradeoff tbody tr")
    assert [rows.nth(k).locator("td").first.inner_text() for k in range(rows.count())] == [
        "dense",
        "Magnitude, weight: 90 % in 1 layer",
        "Magnitude, weight: 80–90 % in 2 layers",
    ]
    accuracy = told.locator(".numbers dd").first.inner_text()
    words = re.compile(rf"parameters kept \([\d.]+ %\) · accuracy {re.escape(accuracy)} \(")
    expect(page.get_by_text(words)).to_be_visible()
    context.close()
