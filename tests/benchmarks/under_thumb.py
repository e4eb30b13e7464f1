"""How soon is a cold app ready for the thumb, and how soon does it answer it?

Run from the top of the checkout: python tests/benchmarks/under_thumb.py [NETWORK …]
Starts the app afresh for each network, opens it in headless Chromium, drags a slider of the last
third of the layers there and back, holds the thumb still, lets go, and prints the rows of the
tables in under_thumb.md.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

sys.path.append(str(Path(__file__).parents[1] / "browser"))
from conftest import FLAGS
from driving import Board
from painting import DEEP
from serving import free_port, served

LARGE = """
import torch

from tests import optional


def network():
    torch.manual_seed(0)
    return optional.timm().create_model("{name}").eval()


def data():
    torch.manual_seed(0)
    return torch.randn(32, 3, 224, 224)
"""
OWN = {"deep300": DEEP, "resnet50": LARGE, "vit_base_patch16_224": LARGE}
LATE = {  # what is dragged; of the samples the last layer in sight
    "deep300": "blocks.120.fc1",
    "resnet50": "layer4.1.conv2",
    "vit_base_patch16_224": "blocks.10.mlp.fc1",
}
NETWORKS = ("lenet5", "resnet20", "vit", "writer", *OWN)
START = """\
| network | server answers, s | first heatmap | a slider moves | dense accuracy | load |
|---|---:|---:|---:|---:|---:|"""
THUMB = """\
| network, layer | answers a second | release to full number, s | held 0 s: n, ± | 1 s | 2 s | 4 s |
|---|---:|---:|---:|---:|---:|---:|"""
MOVES, PAUSE, PATIENCE = 60, 80, 300.0  # PAUSE: milliseconds
HELD = (0, 1, 2, 4)  # seconds


def main(names: Sequence[str]) -> None:
    """Print both tables."""
    first, second = [], []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=[*FLAGS])
        for name in names:
            one, other = measure(browser, name, Path(folder))
            first.append(one)
            second.append(other)
            print(one, other, sep="\n", file=sys.stderr, flush=True)
        browser.close()
    print(START, *first, "", THUMB, *second, sep="\n")


def measure(browser: Browser, name: str, folder: Path) -> tuple[str, str]:
    """A row of each table for one network."""
    words: list[str] = []
    if name in OWN:
        (folder / f"{name}.py").write_text(OWN[name].replace("{name}", name), "utf-8")
        words = ["--model", f"{name}:network", "--data", f"{name}:data"]
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    home = tempfile.mkdtemp(dir=folder)
    began = time.perf_counter()
    with served(
        folder / "log", free_port(), words, {"PYTHONPATH": path, "PRUNEVIZ_HOME": home}
    ) as app:
        up = time.perf_counter() - began
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        began = time.perf_counter()
        page.goto(app.address if words else f"{app.address}/?model={name}")
        board = Board(page)
        phases = [
            seconds_until(began, board.heatmap.is_visible),
            seconds_until(began, lambda: free_sliders(page) > 0),
            seconds_until(began, board.is_full),
        ]
        start = " | ".join(f"{each:.1f}" for each in (up, *phases))
        row = drag(board, LATE.get(name, ""))
        page.close()
    return f"| {name} | {start} | {os.getloadavg()[0]:.1f} |", f"| {name}, {row} |"


def seconds_until(began: float, holds: Callable[[], bool]) -> float:
    """How long after `began` it held."""
    while not holds():
        if time.perf_counter() - began > PATIENCE:
            return float("nan")
        time.sleep(0.02)
    return time.perf_counter() - began


def free_sliders(page: Page) -> int:
    """How many sliders in sight can be moved."""
    return page.locator("input[data-testid^='slider-']:visible:enabled").count()


def drag(board: Board, words: str) -> str:
    """A thumb on a late layer: answers a second, what it says when held still, and on release."""
    page, rows = board.page, "input[data-testid^='slider-']:not([data-testid^='slider-block-'])"
    if words:
        page.get_by_test_id("search").fill(words)
    page.wait_for_timeout(3000)  # what is gathered behind the page
    all_rows = page.locator(f"{rows}:visible:enabled")
    slider = all_rows.nth(all_rows.count() - 1)
    layer = (slider.get_attribute("data-testid") or "").removeprefix("slider-")
    slider.scroll_into_view_if_needed()
    slider.focus()  # its picture comes first
    page.wait_for_timeout(2000)
    box = slider.bounding_box()
    assert box is not None
    y, numbers = box["y"] + box["height"] / 2, set()
    page.mouse.move(box["x"] + 8, y)
    page.mouse.down()
    began = time.perf_counter()
    for step in range(1, MOVES + 1):
        share = 0.2 + 0.6 * (step / MOVES)
        page.mouse.move(box["x"] + 8 + share * (box["width"] - 16), y)
        page.wait_for_timeout(PAUSE)
        numbers.add(board.word("measured-seq"))
    rate = (len(numbers) - 1) / (time.perf_counter() - began)
    held, stopped = [], time.perf_counter()
    for second in HELD:
        page.wait_for_timeout(max(0.0, 1000 * (stopped + second - time.perf_counter())))
        held.append(board.interval.inner_text().replace("\n", " "))
    page.mouse.up()
    settled = seconds_until(time.perf_counter(), board.is_full)
    return f"`{layer}` | {rate:.1f} | {settled:.2f} | " + " | ".join(held)


if __name__ == "__main__":
    main(sys.argv[1:] or NETWORKS)
