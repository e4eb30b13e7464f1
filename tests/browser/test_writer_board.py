"""Does a language model fall apart under the thumb, skill by skill, and come back exactly?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import Board

pytestmark = pytest.mark.browser
Visit = Callable[..., Board]
BLOCK = "blocks.2.mlp.fc1"
SKILLS = ("agreement", "pronoun", "place", "counting")


def test_its_english_falls_apart_and_comes_back(visit: Visit) -> None:
    board = visit("?model=writer")
    page, dense = board.page, board.numbers()
    page.set_viewport_size({"width": 1280, "height": 720})
    numbers = page.locator(".at-name .parted > .part-digits")
    assert numbers.count() > 16
    assert numbers.evaluate_all("all => all.filter(x => x.scrollWidth > x.clientWidth).length") == 0
    board.drag(page.get_by_test_id("master"), 0.0, 0.85)
    words = page.locator("[data-testid='stPlotlyChart'] text")

    def shown() -> str:
        return " ".join(words.evaluate_all("all => all.map(x => x.textContent)"))

    board.until("the skills that pay", lambda: all(skill in shown() for skill in SKILLS))
    assert float(board.word("accuracy")) < 0.8
    page.get_by_role("tab", name="Examples").click()
    text = page.get_by_test_id("pruned-text")
    board.until("it writes", text.is_visible)
    board.until("words that differ", lambda: text.locator("mark").count() >= 5)
    with board.changing_address():
        page.get_by_test_id("undo").click()
    assert board.numbers() == dense
    board.until("both write the same", lambda: text.locator("mark").count() == 0)
    assert (
        text.inner_text().split(":", 1)[1]
        == (page.get_by_test_id("dense-text").inner_text().split(":", 1)[1])
    )
    board.choose("Granularity", "Whole blocks")
    switch = page.get_by_test_id(f"switch-{BLOCK}")
    board.until("blocks to leave out", switch.is_visible)
    board.until("full validation", board.is_full)
    whole = board.numbers()
    with board.changing_address():
        switch.click()
    board.until("it is left out", lambda: switch.inner_text() == "left out")
    assert float(board.word("accuracy")) < float(dense.accuracy)
    with board.changing_address():
        switch.click()
    assert board.numbers() == whole
