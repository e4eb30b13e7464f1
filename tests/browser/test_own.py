"""Do slow networks, deep ones and somebody's own behave on the screen?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from driving import Board
from playwright.sync_api import expect
from safetensors.torch import save_file

from pruneviz.sources.registered import load_registered

pytestmark = pytest.mark.browser
Visit = Callable[..., Board]


def test_a_slow_network_repaints_in_the_drag_and_is_measured_on_release(visit: Visit) -> None:
    board = visit("?model=slow", measured=False)
    board.until("the heatmap", board.heatmap.is_visible)
    expect(board.page.get_by_test_id("caution")).to_contain_text("synthetic inputs")
    board.until("the dense numbers", board.is_full)
    measured = board.seq("measured-seq")

    looks = board.hold(board.slider("fc1"), 0.0, 0.9, moves=12)

    assert len({look.kept for look in looks}) == 13, "counts follow every move"
    assert len({look.picture for look in looks}) == 13, "and so does the picture"
    assert {look.measured_seq for look in looks} == {measured}, "nothing is measured"
    expect(board.interval).to_contain_text("samples a second here")
    expect(board.root.locator(".tile.accuracy .busy")).to_have_text("measured on release")
    board.page.mouse.up()
    expect(board.page.get_by_test_id("cancel")).to_be_visible()

    board.page.get_by_test_id("cancel").click()
    expect(board.root.locator(".message")).to_contain_text("Stopped")
    expect(board.page.get_by_test_id("cancel")).to_be_hidden()
    board.page.get_by_test_id("measure").click()
    board.until("the numbers", board.is_full)
    expect(board.page.get_by_test_id("measure")).to_be_hidden()


def test_a_choice_that_needs_a_long_pass_waits_for_it_and_can_be_cancelled(visit: Visit) -> None:
    board = visit("?model=slow")
    board.choose("Criterion", "Wanda")
    expect(board.root.locator(".work")).to_contain_text("calibration pass over 40 samples")
    board.page.get_by_test_id("cancel").click()
    expect(board.root.locator(".message")).to_contain_text("Stopped")
    assert board.page.get_by_role("combobox", name="Criterion").input_value() == "Magnitude"
    with board.changing_address():
        board.choose("Criterion", "Wanda")
    assert board.page.get_by_role("combobox", name="Criterion").input_value() == "Wanda"


def test_rows_out_of_sight_are_right_when_they_come_into_sight(visit: Visit) -> None:
    board = visit("?model=deep")
    board.page.get_by_test_id("search").fill("fc")
    rows = board.page.locator("[data-testid^='row-']:visible")
    expect(rows).to_have_count(75)
    board.type("master-number", "30")
    levels = board.percents()
    assert len(levels) == 50
    assert {name for name, level in levels.items() if level != 30} == {"blocks.0.fc1"}, "locked"
    board.slider("blocks.24.fc2").scroll_into_view_if_needed()
    expect(board.page.get_by_test_id("kept-blocks.24.fc2")).to_have_text("67 / 96")


def test_own_weights_are_opened_by_upload(visit: Visit, tmp_path: Path) -> None:
    file = tmp_path / "mine.safetensors"
    save_file(load_registered("lenet5").model.state_dict(), file)
    (tmp_path / "bad.safetensors").write_text("no weights")
    board = visit("?model=lenet300")

    def send(path: Path) -> None:
        board.page.locator("input[type=file]").first.set_input_files(path)
        expect(board.page.get_by_text(path.name).first).to_be_visible()
        board.page.get_by_test_id("stBaseButton-primaryFormSubmit").click()

    board.page.locator("[data-testid=stPopoverButton]:visible").nth(1).click()
    board.page.get_by_role("textbox", name="Architecture").fill("sample:lenet5")
    send(tmp_path / "bad.safetensors")
    expect(board.page.get_by_test_id("stAlert")).to_contain_text("bad.safetensors")
    assert board.word("kept") == "266610", "the network before stands"
    send(file)
    board.until("the other network", lambda: board.word("kept") == "61706")
    expect(board.page.get_by_test_id("caution")).to_contain_text("agreement with dense")
    board.until("the dense numbers", board.is_full)
    board.type("number-fc1", "60")
    assert "model=mine.safetensors" in board.page.url
