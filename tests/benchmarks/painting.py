"""How soon after a thumb moves is the board painted?

Run from the top of the checkout: python tests/benchmarks/painting.py [NETWORK …]
Opens the app in headless Chromium, drags one layer and then all of them, and prints the rows of the
table in painting.md: the median and the 95th percentile of the milliseconds from the input event to
the end of its frame, which all other work on the machine delays; of those that the board itself
worked for it, in the event and in the frame; how many others wanted the processor then; and how
many bytes the server had sent when all stood still.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from playwright.sync_api import Locator, Page, WebSocket, sync_playwright

sys.path.append(str(Path(__file__).parents[1] / "browser"))
from conftest import FLAGS
from serving import free_port, served

MOVES, PAUSE = 80, 40  # milliseconds
HEAD = """\
| network | slider | painted, median (ms) | p95 | worked, median (ms) | p95 | load | bytes sent |
|---|---|---:|---:|---:|---:|---:|---:|"""
DEEP = '''
"""A network of 301 layers."""

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(64, 96), nn.Linear(96, 64)

    def forward(self, x):
        return x + self.fc2(torch.relu(self.fc1(x)))


class Deep(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(Block() for _ in range(150))
        self.head = nn.Linear(64, 3)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def network():
    torch.manual_seed(0)
    return Deep().eval().requires_grad_(False)


def data():
    torch.manual_seed(0)
    return torch.randn(128, 64), torch.randint(3, (128,))
'''
READY = "[data-testid=board][data-accuracy] [data-testid=heatmap]"
WATCH = """() => {
  window.painted = [];
  window.worked = [];
  let began, start;
  document.addEventListener("input", (event) => {
    began = performance.now();
    const moved = event.timeStamp;
    requestAnimationFrame(() => {
      start = performance.now();
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => window.painted.push(performance.now() - moved);
      port2.postMessage(null);
    });
  }, true);
  document.addEventListener("input", () => {
    const first = performance.now() - began;
    requestAnimationFrame(() => window.worked.push(first + performance.now() - start));
  });
}"""


def main(names: Sequence[str]) -> None:
    """Print one line a network and slider."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        (Path(folder) / "deep300.py").write_text(DEEP, "utf-8")
        print(HEAD)
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=[*FLAGS])
        for name in names:
            words = ["--model", "deep300:network", "--data", "deep300:data"]
            own = name == "deep300"
            environment = {
                "PYTHONPATH": os.pathsep.join([folder, os.environ.get("PYTHONPATH", "")])
            }
            log = Path(folder) / "log"
            with served(log, free_port(), words if own else (), environment) as app:
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                frames: list[int] = []
                page.on("websocket", partial(count_bytes, frames))
                page.goto(app.address if own else f"{app.address}/?model={name}")
                print_times(page, name, frames)
                page.close()
        browser.close()


def count_bytes(frames: list[int], socket: WebSocket) -> None:
    """Note the size of whatever the server sends."""
    socket.on("framereceived", lambda data: frames.append(len(data)))


def print_times(page: Page, name: str, frames: list[int]) -> None:
    """Drag one slider, then the bulk slider, and print how long the frames took."""
    page.wait_for_selector(READY, timeout=120_000)
    if name == "deep300":
        page.get_by_test_id("search").fill("fc")
    page.wait_for_timeout(8000)
    sent = sum(frames)
    page.evaluate(WATCH)
    rows = page.locator("input[data-testid^='slider-']:not([data-testid^='slider-block-']):visible")
    free = next(rows.nth(i) for i in range(rows.count()) if rows.nth(i).is_enabled())
    for what, slider in (("one layer", free), ("all layers", page.get_by_test_id("master"))):
        painted, worked = drag(page, slider)
        print(f"| {name} | {what} | {two(painted)} | {two(worked)} | {os.getloadavg()[0]:.1f} | "
              f"{sent:,} |", flush=True)  # fmt: skip


def two(times: list[float]) -> str:
    """Median and 95th percentile."""
    return f"{statistics.median(times):.1f} | {statistics.quantiles(times, n=20)[-1]:.1f}"


def drag(page: Page, slider: Locator) -> tuple[list[float], list[float]]:
    """Milliseconds from each input to the end of its frame, and those that the board worked."""
    page.evaluate("() => { window.painted = []; window.worked = []; }")
    box = slider.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8, y)
    page.mouse.down()
    for step in range(1, MOVES + 1):
        page.mouse.move(box["x"] + 8 + 0.9 * step / MOVES * (box["width"] - 16), y)
        page.wait_for_timeout(PAUSE)
    page.mouse.up()
    page.wait_for_timeout(1500)
    return page.evaluate("() => window.painted"), page.evaluate("() => window.worked")


if __name__ == "__main__":
    main(sys.argv[1:] or ("lenet5", "resnet20", "vit", "deep300"))
