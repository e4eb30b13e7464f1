"""Does the app work under a path, behind a proxy that passes on nothing else?"""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from driving import Board
from playwright.sync_api import Page, expect
from proxy import proxied
from safetensors.torch import save_file
from serving import ROOT, free_port, wait_for_health

from pruneviz.sources.registered import load_registered

pytestmark = pytest.mark.browser
PATH = "/school/prune"


def test_uploads_sockets_and_links_work_under_a_path(page: Page, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    words = ["--port", str(port), "--base-path", PATH, "--name", "127.0.0.1"]
    known = {"PRUNEVIZ_HOME": str(tmp_path), "STREAMLIT_SERVER_HEADLESS": "true"}
    with log.open("w") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "pruneviz", "app", *words],
            cwd=ROOT, env={**os.environ, **known}, stdout=sink, stderr=sink,
        )  # fmt: skip
        try:
            wait_for_health(process, port, log, PATH)
            with proxied(PATH, port) as proxy:
                walk(page, f"http://127.0.0.1:{proxy.port}{PATH}", tmp_path)
                assert proxy.upgrades, "WebSockets came through"
                # Browsers ask for a site's icon by themselves.
                assert not [path for path in proxy.refused if path != "/favicon.ico"]
        finally:
            process.terminate()
            process.wait(30)


def walk(page: Page, base: str, folder: Path) -> None:
    with urllib.request.urlopen(f"{base}/_stcore/health", timeout=30) as answer:
        assert answer.read() == b"ok"
    page.goto(f"{base}/?model=lenet300")
    board = Board(page)
    board.open()
    board.drag(board.slider("fc1"), 0.0, 0.5)
    link = page.get_by_test_id("stCode").last
    board.until("the link", lambda: "plan=" in link.inner_text())
    assert link.inner_text().startswith(f"{base}/?model=lenet300&plan=")
    other = page.context.new_page()
    other.goto(link.inner_text())
    elsewhere = Board(other)
    elsewhere.open()
    assert elsewhere.word("kept") == board.word("kept")
    other.close()

    file = folder / "mine.safetensors"
    save_file(load_registered("lenet5").model.state_dict(), file)
    page.locator("[data-testid=stPopoverButton]:visible").nth(1).click()
    page.get_by_role("textbox", name="Architecture").fill("sample:lenet5")
    page.locator("input[type=file]").first.set_input_files(file)
    expect(page.get_by_text(file.name).first).to_be_visible()
    page.get_by_test_id("stBaseButton-primaryFormSubmit").click()
    board.until("the other network", lambda: board.word("kept") == "61706")

    page.get_by_role("link", name="Learn").first.click()
    page.get_by_text("Learn to prune").wait_for()
    assert page.url.startswith(f"{base}/learn?")
