"""How soon after the page loads is there something to see, and how does it look?

Run from the top of the checkout: python tests/benchmarks/screenshots.py
Starts the app in a process of its own, so that nothing is warm, opens it in headless Chromium,
prints the seconds from loading the page to board, heatmaps and dense accuracy, and writes the
README's pictures: the page light and dark after a plan was dragged, and a drag that moves.
"""

from __future__ import annotations

import io
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
TOP = Path(__file__).parents[2]
PICTURES = TOP / ".github"
FILM = PICTURES / "drag.gif"
SCREEN: ViewportSize = {"width": 1366, "height": 860}
THUMB = 8  # half a thumb, in pixels
MOVES, COLOURS, BOUND = 24, 64, 2_000_000  # bytes
SECOND, PAUSE = 1000, 200  # milliseconds


def main() -> None:
    """Measure the first page of a cold server and take the pictures."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    server = subprocess.Popen([*command, "--server.port", str(port)], cwd=TOP)
    try:
        wait_for(f"http://127.0.0.1:{port}/_stcore/health")
        for scheme in ("light", "dark"):
            take(f"http://127.0.0.1:{port}/", scheme)
        film(f"http://127.0.0.1:{port}/", "fc1")
    finally:
        server.terminate()
        server.wait()


def take(url: str, scheme: str) -> None:
    """Open the page, print how long it took; set three sliders and take the picture."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(
            viewport={"width": 1440, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        start = time.perf_counter()
        page.goto(url)
        page.wait_for_selector("[data-testid=board][data-accuracy] [data-testid=heatmap]")
        board = time.perf_counter() - start
        page.get_by_test_id("view-activations").click()
        page.wait_for_function(HAS_PICTURE)
        both = time.perf_counter() - start
        print(f"{scheme}: board, weights, dense accuracy {board:.1f} s; activations {both:.1f} s")
        page.get_by_test_id("view-weights").click()
        show(page)
        page.screenshot(path=PICTURES / f"workbench-{scheme}.png")
        browser.close()


def film(url: str, layer: str) -> None:
    """Drag the slider of a layer to the right, let go, and write what was to be seen, as a GIF."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport=SCREEN)
        page.goto(url)
        page.wait_for_selector("[data-testid=board][data-accuracy] [data-testid=heatmap]")
        page.wait_for_selector("[data-testid=present] circle", state="visible")
        page.wait_for_timeout(20 * PAUSE)  # for what is gathered behind it
        slider = page.get_by_test_id(f"slider-{layer}")
        box = slider.bounding_box()
        assert box is not None
        middle = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + THUMB, middle)
        page.mouse.down()
        frames = [shot(page)]
        for step in range(1, MOVES + 1):
            page.mouse.move(
                box["x"] + THUMB + step / MOVES * 0.99 * (box["width"] - 2 * THUMB), middle
            )
            page.wait_for_timeout(PAUSE)  # for the answer that follows the thumb
            frames.append(shot(page))
        page.mouse.up()
        page.wait_for_timeout(20 * PAUSE)
        frames.append(shot(page))
        browser.close()
    first, *rest = frames
    lasting = [SECOND, *[PAUSE] * MOVES, 3 * SECOND]
    first.save(FILM, save_all=True, append_images=rest, duration=lasting, loop=0, optimize=True)
    assert FILM.stat().st_size < BOUND, f"{FILM} takes {FILM.stat().st_size:,} bytes"


def shot(page: Page) -> Image.Image:
    """What is on the screen, in few colours: a film of it shall stay small."""
    clip = {"x": 0, "y": 0, "width": SCREEN["width"], "height": SCREEN["height"]}
    image = Image.open(io.BytesIO(page.screenshot(clip=clip)))
    return image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)


# The heatmap is drawn and nothing stands in its place.
HAS_PICTURE = """() => {
  const find = (root) => {
    const here = root.querySelector("[data-testid=heatmap]");
    if (here) return here;
    for (const each of root.querySelectorAll("*")) {
      const found = each.shadowRoot && find(each.shadowRoot);
      if (found) return found;
    }
    return null;
  };
  const canvas = find(document);
  return canvas !== null && canvas.width > 10 && canvas.checkVisibility();
}"""


def show(page: Page) -> None:
    """A small session, so that the picture shows what the page is for."""
    for layer, level in (("fc1", "80"), ("fc2", "60"), ("conv2", "55")):
        field = page.get_by_test_id(f"number-{layer}")
        field.fill(level)
        field.press("Enter")
        page.wait_for_timeout(2500)
    page.mouse.move(5, 5)
    page.wait_for_timeout(4000)


def wait_for(url: str) -> None:
    """Until the server answers, half a minute at most."""
    for _ in range(120):
        try:
            urlopen(url).close()
            return
        except OSError:
            time.sleep(0.25)
    raise SystemExit(f"{url} does not answer")


if __name__ == "__main__":
    main()
