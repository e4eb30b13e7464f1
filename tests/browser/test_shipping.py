"""Does what was tuned by hand leave the app as something that repeats to the last digit?"""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import run

import pytest
from driving import Board, press
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def go(board: Board) -> Page:
    """To the page of exports by the bar on top."""
    board.page.get_by_role("link", name="Export").click()
    board.page.get_by_role("heading", name="Export").wait_for()
    return board.page


def taken(page: Page, folder: Path) -> Path:
    """The zip that is offered, downloaded."""
    download = page.get_by_test_id("stDownloadButton").get_by_role("button")
    expect(download).to_be_visible()
    with page.expect_download() as file:
        download.click()
    file.value.save_as(folder / "taken.zip")
    return folder / "taken.zip"


def test_a_session_is_exported_downloaded_and_replayed(
    visit: Callable[..., Board], tmp_path: Path
) -> None:
    here = visit("?model=lenet5")
    here.drag(here.slider("fc1"), 0.0, 0.8)
    here.type("number-conv2", "40")
    here.wait_for_pictures()
    page = go(here)
    press(page, "Export 2 formats")
    with zipfile.ZipFile(taken(page, tmp_path)) as files:
        files.extractall(tmp_path)
    recipe = next(tmp_path.rglob("recipe.yaml"))
    again = run(
        [sys.executable, "-m", "pruneviz", "replay", str(recipe), "--json"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert again.returncode == 0, again.stderr
    told = json.loads(again.stdout)
    assert told["masks"] == "identical"
    assert told["checksum"]["here"] == told["checksum"]["expected"]
    assert told["here"]["accuracy"] == told["expected"]["accuracy"]
    script = run(
        [sys.executable, str(next(tmp_path.rglob("session.py")))],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert script.returncode == 0, script.stderr


def test_an_export_is_cancelled_and_the_next_one_is_whole(
    visit: Callable[..., Board], tmp_path: Path
) -> None:
    here = visit("?model=lenet5")
    here.type("number-fc1", "80")
    here.wait_for_pictures()
    page = go(here)
    page.get_by_text("More formats").click()
    for name in ("ONNX", "ONNX, 8 bits", "torch.export"):
        page.get_by_test_id("stCheckbox").get_by_text(name, exact=True).click()
    press(page, "Export 5 formats")
    press(page, "Cancel")
    page.get_by_text("Stopped: nothing was written.").wait_for()
    expect(page.get_by_test_id("stDownloadButton")).to_have_count(0)
    expect(page.get_by_test_id("stDataFrame")).to_have_count(0)

    page.get_by_test_id("stCheckbox").get_by_text("ONNX, 8 bits", exact=True).click()
    page.get_by_test_id("stCheckbox").get_by_text("ONNX", exact=True).click()
    press(page, "Export 3 formats")
    with zipfile.ZipFile(taken(page, tmp_path)) as files:
        assert files.testzip() is None
        summary = json.loads(files.read("export.json"))
        known = {name: sha for row in summary["formats"] for name, sha in row["sha256"].items()}
        assert {*files.namelist()} == {*known, "export.json"}
        assert {row["format"] for row in summary["formats"]} == {"safetensors", "pt2", "recipe"}
        for name, sha in known.items():
            assert hashlib.sha256(files.read(name)).hexdigest() == sha
    assert not page.get_by_text("Stopped: nothing was written.").count()
    here.page.get_by_role("link", name="To the workbench").click()
    here.until("the plan", lambda: here.percent("fc1") == 80)
