"""Does the app work under a path, behind a proxy that passes on nothing else?"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
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
    with app_under_path(tmp_path) as port, proxied(PATH, port) as proxy:
        walk(page, f"http://127.0.0.1:{proxy.port}{PATH}", tmp_path)
        assert proxy.upgrades, "WebSockets came through"
        # Browsers ask for a site's icon by themselves.
        assert not [path for path in proxy.refused if path != "/favicon.ico"]


@pytest.mark.skipif(shutil.which("nginx") is None, reason="no nginx is here")
def test_nginx_passes_it_on_by_the_lines_of_the_manual(page: Page, tmp_path: Path) -> None:
    with app_under_path(tmp_path) as port, nginx(tmp_path, port) as front:
        walk(page, f"http://127.0.0.1:{front}{PATH}", tmp_path)
    log = (tmp_path / "access.log").read_text()
    assert re.search(rf"GET {PATH}/_stcore/stream HTTP/1.1. 101 ", log), "WebSockets came through"


@contextmanager
def nginx(folder: Path, port: int) -> Iterator[int]:
    """nginx with the block that the manual shows, for this path and port; yields its own."""
    manual = (ROOT / "pruneviz" / "manual" / "visitors.md").read_text("utf-8")
    shown = re.search(r"location /pruneviz/ \{.*?\n  \}", manual, re.DOTALL)
    assert shown is not None
    block = shown[0].replace("/pruneviz/", f"{PATH}/").replace("8501", str(port))
    front, file = free_port(), folder / "nginx.conf"
    file.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{}}\n"
        f"http {{ access_log {folder}/access.log; client_body_temp_path {folder}/body;"
        f" proxy_temp_path {folder}/passed; fastcgi_temp_path {folder}/f;"
        f" uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n"
        f"server {{ listen 127.0.0.1:{front};\n{block}\n}} }}\n"
    )
    command = ["nginx", "-p", str(folder), "-e", f"{folder}/error.log", "-c", str(file)]
    process = subprocess.Popen(command)
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{front}{PATH}/_stcore/health", timeout=5)
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        yield front
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def app_under_path(folder: Path) -> Iterator[int]:
    """The app under `PATH`; yields its port."""
    port, log = free_port(), folder / "log"
    words = ["--port", str(port), "--base-path", PATH, "--name", "127.0.0.1"]
    known = {"PRUNEVIZ_HOME": str(folder), "STREAMLIT_SERVER_HEADLESS": "true"}
    with log.open("w") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "pruneviz", "app", *words],
            cwd=ROOT, env={**os.environ, **known}, stdout=sink, stderr=sink,
        )  # fmt: skip
        try:
            wait_for_health(process, port, log, PATH)
            yield port
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
    link = page.get_by_test_id("link")
    board.until("the link", lambda: "plan=" in link.input_value())
    assert link.input_value().startswith(f"{base}/?model=lenet300&plan=")
    other = page.context.new_page()
    other.goto(link.input_value())
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
