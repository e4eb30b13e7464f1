"""What do the browser tests share? One server, and one browser that forgets after each test."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from driving import PATIENCE, Board, new_context
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    expect,
    sync_playwright,
)
from serving import Server, free_port, served

expect.set_options(timeout=1000 * PATIENCE)

BOARDS = pytest.StashKey[list[Board]]()
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DEEP_MODEL = '''
"""A network of 51 layers, to see how many rows fold, and one too slow to measure in a drag."""

import time

import torch
from torch import nn

from pruneviz.sources import Data, Source


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(8, 12), nn.Linear(12, 8)

    def forward(self, x):
        return x + self.fc2(torch.relu(self.fc1(x)))


class Deep(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block() for _ in range(25))
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def deep() -> Source:
    random = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    inputs = torch.randn(256, 8, generator=random)
    data = Data(inputs, torch.randint(3, (256,), generator=random))
    model = Deep().eval().requires_grad_(False)
    return Source("deep", model, data.first(64), data, ("a", "b", "c"))


class Slow(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(64, 64), nn.Linear(64, 64), nn.Linear(64, 5)

    def forward(self, x):
        if bool(x.isnan().any()):  # so that nothing can be traced, and all of it is run
            raise ValueError("an input is no number")
        time.sleep(0.1 * len(x))
        return self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(x.flatten(1))))))


def slow() -> Source:
    torch.manual_seed(0)
    inputs = torch.randn(40, 1, 8, 8)
    model = Slow().eval().requires_grad_(False)
    notes = ("the inputs are synthetic",)
    return Source("slow", model, Data(inputs), Data(inputs), (), notes=notes)
'''


def _missing(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium without a window."""
    chromium = shutil.which("chromium")
    if chromium is None:
        _missing("no chromium on PATH: install it to drive the app (apt-get install chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that brings two networks along: "deep" and "slow"."""
    folder = tmp_path_factory.mktemp("deep_model")
    (folder / "deep_model.py").write_text(DEEP_MODEL, "utf-8")
    info = folder / "deep_model-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: deep-model\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[pruneviz.models]\ndeep = deep_model:deep\nslow = deep_model:slow\n"
    )
    return folder


@pytest.fixture(scope="session")
def server(browser: Browser, models: Path) -> Iterator[str]:
    """The address of the app, served to this session alone; it also knows "deep" and "slow"."""
    path = os.pathsep.join(filter(None, [str(models), os.environ.get("PYTHONPATH")]))
    with served(models / "server.log", free_port(), environment={"PYTHONPATH": path}) as app:
        yield app.address


@pytest.fixture(scope="session")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Where pages open: it keeps the app's scripts, which are half of what opening a page takes."""
    opened = new_context(browser)
    yield opened
    opened.close()


@pytest.fixture
def server_alone(tmp_path: Path, models: Path) -> Iterator[Server]:
    """A server with a history of its own, at work, that can be killed."""
    found = Server(tmp_path, models)
    found.start()
    yield found
    found.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a browser that nobody has used."""
    opened = new_context(browser)
    yield opened.new_page()
    opened.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails also tells what stood on its pages: where it ran nobody can look."""
    report = yield
    if call.when == "call" and report.failed:
        for board in item.stash.get(BOARDS, []):
            with suppress(Error):  # a page may be closed, or its browser gone
                report.sections.append((f"page {board.page.url}", board.text()))
    return report


@pytest.fixture
def visit(
    browser: Browser, context: BrowserContext, server: str, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Board]]:
    """Opens an address in a page of its own; at the end no page may have complained.

    All pages of a test are one visitor's, whom the next test does not know; a stranger is another.
    """
    complaints: list[str] = []
    boards: list[Board] = []
    request.node.stash[BOARDS] = boards

    def hear(message: ConsoleMessage) -> None:
        url = message.location["url"]
        # A request that leaves this machine cannot succeed here, and is not the app's.
        foreign = not url.startswith(server) and "Failed to load resource" in message.text
        # Streamlit drops a picture when the next plan has others; a browser that comes late
        # finds it gone, and gets the others.
        gone = "Failed to load resource" in message.text and url.startswith(f"{server}/media/")
        gone |= message.text.startswith(f"Client Error: Image source error - {server}/media/")
        # Asked for a page by its own address, Streamlit looks for its server below that first.
        gone |= "404" in message.text and bool(re.match(rf"{server}/\w+/_stcore/", url))
        if message.type == "error" and not foreign and not gone:
            complaints.append(f"{message.text} ({url})")

    def go(
        address: str = "", *, dark: bool = False, measured: bool = True, stranger: bool = False
    ) -> Board:
        page = (new_context(browser) if stranger else context).new_page()
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address if address.startswith("http") else f"{server}/{address}")
        board = Board(page)
        boards.append(board)
        if measured:
            board.open()
        return board

    yield go
    exceptions = [
        text
        for board in boards
        for text in board.page.get_by_test_id("stException").all_inner_texts()
    ]
    for board in boards:
        if not board.page.is_closed():
            board.page.evaluate("localStorage.clear()")
            board.page.close()
        if board.page.context is not context:
            board.page.context.close()
    context.clear_cookies()
    assert not exceptions
    assert not complaints
