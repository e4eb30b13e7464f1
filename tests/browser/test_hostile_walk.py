"""Does a browser run or fetch anything that a name of a file, layer, class, branch or note says?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import unquote_plus, urlencode, urlsplit

import numpy as np
import pytest
import safetensors.torch
from driving import Board, new_context, press
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Request
from serving import free_port, served
from test_past import cells
from torch import Tensor

import pruneviz as pv
from pruneviz.history import History, ModelVersion
from pruneviz.plan import Plan
from tests.foreign_names import CLASSES, NAMES, NETWORK, NOTE, hostile_source

pytestmark = pytest.mark.browser

ARCH = "tests.foreign_names:Hostile"
# A file's name has no slashes; a browser takes the backslashes of an address for them.
FILE = r"![f](http:\\localhost:9\f) <img src=x onerror=alert(1)> =1+1.safetensors"
PAGES = ("Sensitivity", "Criteria", "Small devices", "Train", "History", "Export", "Manual")


@dataclass
class Watch:
    """What a page asked of others, and of whoever sits before it."""

    address: str
    dialogs: list[str] = field(default_factory=list)
    leaving: list[str] = field(default_factory=list)

    def over(self, page: Page) -> None:
        """Watch a page from now on."""
        page.on("dialog", self._dialog)
        page.on("request", self._request)

    def _dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.leaving.append(request.url)


@pytest.fixture(scope="module")
def hostile(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """(address of an app that opens a hostile file, name of it), with a history of such names."""
    folder = tmp_path_factory.mktemp("hostile")
    source = hostile_source()
    safetensors.torch.save_file(source.model.state_dict(), folder / FILE)
    data = folder / "data.npz"
    inputs, targets = source.validation.inputs, source.validation.targets
    assert isinstance(inputs, Tensor)
    assert targets is not None
    np.savez(data, x=inputs.numpy(), y=targets.numpy())
    bench = pv.open(folder / FILE, data, arch=ARCH, classes=CLASSES)
    history, home = History(folder / "home"), folder / "home"
    made_for = ModelVersion(bench.name, bench.fingerprint, bench.data_fingerprint)
    first = history.visit(made_for, Plan(sparsity={NAMES[1]: 0.5}), branch=NAMES[0])
    history.note(history.visit(made_for, Plan(sparsity={NAMES[4]: 0.9}), first, NAMES[1]), NOTE)
    history.visit(ModelVersion(NETWORK, "w", "d"), Plan(sparsity={NAMES[0]: 0.5}), branch="=1+1")
    history.close()
    words = ["--model", str(folder / FILE), "--arch", ARCH, "--data", str(data)]
    words += ["--labels", ",".join(CLASSES)]
    with served(folder / "log", free_port(), words, {"PRUNEVIZ_HOME": str(home)}) as app:
        yield app.address, bench.name


def hover(page: Page) -> None:
    """Point at every chart in sight, so that it says what it has to say."""
    corners = (
        "all => all.map(x => x.getBoundingClientRect()).map(r => [r.x, r.y, r.width, r.height])"
    )
    for left, top, width, height in page.locator(".js-plotly-plot").evaluate_all(corners):
        for share in (0.2, 0.4, 0.6, 0.8):
            page.mouse.move(left + share * width, top + height / 2)
            page.wait_for_timeout(60)


def is_elsewhere(page: Page, path: str) -> bool:
    """Whether another page than that of this path is shown."""
    return urlsplit(page.url).path != path


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One browser, so that the history that was there before is its own."""
    opened = new_context(browser)
    yield opened
    opened.close()


def test_no_name_is_run_or_fetched(context: BrowserContext, hostile: tuple[str, str]) -> None:
    address, name = hostile
    page, watch = context.new_page(), Watch(address)
    watch.over(page)
    page.goto(f"{address}/?{urlencode({'model': name})}")
    board = Board(page)
    board.open()
    board.until("its own address", lambda: "onerror" in unquote_plus(page.url))
    board.drag(board.slider(NAMES[1]), 0.0, 0.5)
    for tab in ("Flipped examples", "Feature maps", "Ledger", "Per-class change"):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(400)
        hover(page)
    page.get_by_role("textbox", name="Snapshot").fill(NETWORK)
    press(page, "Keep", exact=True)
    page.get_by_role("button", name="Return").wait_for()
    for title in PAGES:
        before = urlsplit(page.url).path
        page.get_by_role("link", name=title, exact=True).click()
        board.until("another page", partial(is_elsewhere, page, before))
        page.get_by_role("heading").first.wait_for()
        if title == "History":
            board.choose("Network", "all networks")
            board.until("all names", lambda: {NAMES[0], NAMES[1], "=1+1"} <= {*cells(page)})
        page.wait_for_timeout(800)
        hover(page)
    page.close()
    assert watch.dialogs == []
    assert watch.leaving == []


def test_what_would_be_fetched_or_run_is_seen(browser: Browser, hostile: tuple[str, str]) -> None:
    """Else the walk would prove nothing."""
    page, watch = browser.new_page(), Watch(hostile[0])
    page.goto(f"{hostile[0]}/manual")
    watch.over(page)
    page.evaluate("name => { document.body.innerHTML = name }", NAMES[1])
    page.wait_for_timeout(500)
    page.close()
    assert watch.dialogs == ["1"]
    assert watch.leaving == ["http://localhost:9/b"]
