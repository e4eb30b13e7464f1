"""How does a test move and read the board as a person would?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, BrowserContext, Locator, Page, TimeoutError

PATIENCE = 180.0  # seconds without news; a bound for hanging, never a measurement
# Counts in a page how often Streamlit has run its script to the end.
_COUNT_RUNS = """
window.scriptRuns = 0;
new MutationObserver(changes => {
    window.scriptRuns += changes.filter(change => change.oldValue === "running").length;
}).observe(document, {
    subtree: true, attributeOldValue: true, attributeFilter: ["data-test-script-state"],
});
"""


@dataclass(frozen=True)
class Numbers:
    """What the screen says about the settled plan, letter by letter."""

    kept: str
    accuracy: str
    accuracy_text: str
    interval: str
    delta: str


@dataclass(frozen=True)
class Look:
    """One look at the board while a thumb moves."""

    value: str
    kept: str
    repaints: int
    picture: str
    accuracy: str
    measured_seq: int


class Board:
    """The board on one page; Playwright looks into its shadow root by itself."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.get_by_test_id("board")
        self.heatmap = page.get_by_test_id("heatmap")
        self.interval = self.root.locator(".tile.accuracy .under")

    # -- waiting ---------------------------------------------------------------------------

    def until(self, what: str, holds: Callable[[], bool]) -> None:
        """Wait patiently until `holds()`: on a busy machine as long as the work on the page goes
        on.
        """
        end, before = time.monotonic() + PATIENCE, ""
        broken = self.page.get_by_test_id("stException")
        work = self.root.locator(".status .work")
        looks = 0
        while not holds():
            self.page.wait_for_timeout(40)
            looks += 1
            if looks % 25:  # each look takes time from what it waits for
                continue
            assert not broken.count(), broken.all_inner_texts()
            now = work.inner_text() if work.count() else ""
            if now != before:
                end, before = time.monotonic() + PATIENCE, now
            assert time.monotonic() < end, f"waited {PATIENCE:.0f} s in vain for: {what}"

    def open(self) -> None:
        """Wait until the board is drawn and the numbers on it are measured in full."""
        self.until("the heatmap", self.heatmap.is_visible)
        self.until("the dense numbers", self.is_full)
        self.until("the small pictures", self.has_pictures)

    def has_pictures(self) -> bool:
        """Whether every layer in sight is drawn in its row, so that nothing more is asked for."""
        return self.word("missing") == "0"

    def is_full(self) -> bool:
        """Whether the numbers shown belong to the plan shown, which keys have settled on, measured
        on all samples. A fast machine measures all of them between a key and the settling.
        """
        settled = self.root.get_attribute("data-unsettled") is None
        mine = settled and self.word("seq") == self.word("measured-seq")
        return mine and "measured on all" in self.interval.inner_text()

    @contextmanager
    def settling(self) -> Iterator[None]:
        """What is done inside sends something; wait until it is answered and measured in full."""
        self.until("the small pictures", self.has_pictures)
        before = self.seq("seq")
        yield
        self.until("an answer", lambda: self.seq("seq") > before)
        self.until("full validation", self.is_full)

    @contextmanager
    def changing_address(self) -> Iterator[None]:
        """What is done inside settles on another plan; wait for its address and its numbers."""
        before = self.page.url
        yield
        self.until("another address", lambda: self.page.url != before)
        self.until("full validation", self.is_full)

    def wait_for_pictures(self) -> None:
        """Wait until the background has nothing left to do."""
        idle = self.root.locator(".status .work")
        self.until("the background work", lambda: idle.inner_text() == "")

    # -- reading ---------------------------------------------------------------------------

    def word(self, name: str) -> str:
        """A data attribute of the board."""
        return self.root.get_attribute(f"data-{name}") or ""

    def seq(self, name: str) -> int:
        """A data attribute that counts."""
        return int(self.word(name) or -1)

    def numbers(self) -> Numbers:
        """All settled numbers."""
        return Numbers(
            self.word("kept"),
            self.word("accuracy"),
            self.page.get_by_test_id("accuracy").inner_text(),
            self.interval.inner_text(),
            self.page.get_by_test_id("delta").inner_text(),
        )

    def text(self) -> str:
        """All that stands on the page, and whether its script runs."""
        app = self.page.get_by_test_id("stApp")
        state = app.get_attribute("data-test-script-state")
        switches = self.page.get_by_role("switch").or_(self.page.get_by_role("checkbox"))
        on = switches.evaluate_all("all => all.filter(x => x.checked).map(x => x.ariaLabel)")
        board = self.root.inner_text() if self.root.count() else ""
        return f"script: {state}\non: {on}\n{self.page.locator('body').inner_text()}\n{board}"

    def slider(self, layer: str) -> Locator:
        """The slider of a layer."""
        return self.page.get_by_test_id(f"slider-{layer}")

    def percent(self, layer: str) -> float:
        """What the field beside a layer's slider says."""
        return float(self.page.get_by_test_id(f"number-{layer}").input_value())

    def percents(self) -> dict[str, float]:
        """What the fields of all layers in sight say."""
        layers = "[data-testid^='slider-']:not([data-testid^='slider-block-']):visible"
        rows = self.page.locator(layers)
        names = rows.evaluate_all("all => all.map(x => x.dataset.testid.slice(7))")
        return {name: self.percent(name) for name in names}

    def link(self) -> str:
        """The plan in the address, or ''."""
        return "".join(parse_qs(urlsplit(self.page.url).query).get("plan", []))

    def look(self, slider: Locator) -> Look:
        """All that a moving thumb changes, at once."""
        return Look(
            slider.input_value(),
            self.word("kept"),
            int(self.heatmap.get_attribute("data-repaints") or -1),
            str(self.heatmap.evaluate("canvas => canvas.toDataURL()")),
            self.word("accuracy"),
            self.seq("measured-seq"),
        )

    # -- doing -----------------------------------------------------------------------------

    def hold(self, slider: Locator, start: float, end: float, moves: int) -> list[Look]:
        """Press on a slider at `start` of its width, move to `end`; the mouse stays down."""
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        assert box is not None
        middle = box["y"] + box["height"] / 2

        def place(share: float) -> float:
            return box["x"] + 8 + share * (box["width"] - 16)

        self.page.mouse.move(place(start), middle)
        self.page.mouse.down()
        looks = [self.look(slider)]
        for i in range(1, moves + 1):
            self.page.mouse.move(place(start + (end - start) * i / moves), middle)
            looks.append(self.look(slider))
            self.page.wait_for_timeout(60)  # with the look: about 100 ms a move
        return looks

    def drag(self, slider: Locator, start: float, end: float, moves: int = 6) -> list[Look]:
        """Drag a slider, let go, and wait for the settled numbers."""
        with self.settling():
            looks = self.hold(slider, start, end, moves)
            self.page.mouse.up()
        return looks

    def type(self, field: str, percent: str) -> None:
        """Type into a field of the board, and wait for the settled numbers."""
        with self.settling():
            self.page.get_by_test_id(field).fill(percent)
            self.page.keyboard.press("Enter")

    def click(self, test_id: str) -> None:
        """Click what asks for another plan, and wait for the settled numbers."""
        with self.settling():
            self.page.get_by_test_id(test_id).click()

    def focused(self) -> str:
        """The test id of the element that has the keyboard."""
        return str(
            self.page.evaluate(
                """() => {
                    let at = document.activeElement;
                    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
                    return at?.dataset?.testid ?? "";
                }"""
            )
        )

    def choose(self, label: str, option: str) -> None:
        """Choose an option of one of Streamlit's own select boxes above the board, once the script
        rests. A list closes where the page is drawn once more a moment later: it is opened again.
        """
        rest(self.page)
        box = self.page.get_by_role("combobox", name=label)
        wanted = self.page.get_by_role("option", name=option, exact=True)
        for _ in range(3):
            box.click()
            with suppress(TimeoutError):
                wanted.click(timeout=3_000)
                return
        wanted.click()


def new_context(browser: Browser) -> BrowserContext:
    """A browser that nobody has used."""
    opened = browser.new_context(viewport={"width": 1366, "height": 850})
    opened.set_default_timeout(1000 * PATIENCE)
    opened.add_init_script(_COUNT_RUNS)
    return opened


def rest(page: Page) -> None:
    """Wait until the script of a page rests."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


@contextmanager
def drawing(page: Page) -> Iterator[None]:
    """What is done inside has the page drawn anew; wait until it is."""
    rest(page)
    before = page.evaluate("window.scriptRuns")
    yield
    page.wait_for_function("before => window.scriptRuns > before", arg=before)
    rest(page)


def press(page: Page, name: str, *, exact: bool = False) -> None:
    """Click a button of the page once its script rests: while a page is drawn, what stands on it
    still moves up and down, and a button that moves between press and release loses the click.
    """
    rest(page)
    button = page.get_by_role("button", name=name, exact=exact)
    # Not the "?" of something that has the word in its name.
    button.and_(page.locator(":not([aria-label^='Help for '])")).click()
