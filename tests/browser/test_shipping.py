"""Does what was tuned by hand leave the app as something that repeats to the last digit?"""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import run

import pytest
from driving import Board
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_session_is_exported_downloaded_and_replayed(
    visit: Callable[..., Board], tmp_path: Path
) -> None:
    here = visit("?model=lenet5")
    here.drag(here.slider("fc1"), 0.0, 0.8)
    here.type("number-conv2", "40")
    here.wait_for_pictures()
    page = here.page
    page.get_by_role("link", name="Export").click()
    page.get_by_role("heading", name="Export").wait_for()
    page.get_by_role("button", name="Export 2 formats").click()
    download = page.get_by_test_id("stDownloadButton").get_by_role("button")
    expect(download).to_be_visible(timeout=90_000)
    with page.expect_download() as taken:
        download.click()
    archive = tmp_path / "taken.zip"
    taken.value.save_as(archive)
    with zipfile.ZipFile(archive) as files:
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
