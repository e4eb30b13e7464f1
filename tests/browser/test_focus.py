"""Does whoever goes by keyboard see at each stop where the keyboard is?"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import numpy as np
import pytest
from driving import Board, rest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import FloatRect, Page

pytestmark = pytest.mark.browser
PAGES = ("", "learn", "sensitivity", "criteria", "devices", "train", "history", "export", "manual")
MOST, MARGIN, TRIES = 120, 8, 3  # stops on a page; pixels around an element
LEAST = 3.0  # the contrast that WCAG 2.2 (1.4.11) asks of what shows the focus
# What has the keyboard: what kind of thing it is, how it is called, and where it stands.
AT = """() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    if (!at || at === document.body) return null;
    const own = [...at.classList].filter(each => !/^(st-emotion-|e[0-9a-z]{7,})/.test(each));
    const role = at.getAttribute("role") ?? at.getAttribute("kind") ?? "";
    const test = at.dataset?.testid ?? at.closest("[data-testid]")?.dataset.testid ?? "";
    const field = at.matches("input[type=text]") && at.closest("[role=group]");
    const box = (field || at).getBoundingClientRect(); // a list is framed as a whole
    return { kind: [at.tagName, at.type ?? "", role, ...own, test.split("-")[0]].join(" "),
        name: at.getAttribute("aria-label") ?? at.textContent.trim().slice(0, 40),
        box: [box.x, box.y, box.width, box.height] };
}"""
ACTIVE = """() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    return at;
}"""
LEAVE = """() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    at.blur();
}"""


@dataclass(frozen=True)
class Stop:
    """Where a Tab leads: the kind of element, its name, and x, y, width and height of it."""

    kind: str
    name: str
    box: tuple[float, float, float, float]


def stops(page: Page, seen: set[str]) -> Iterator[Stop]:
    """By Tab through the page, one stop of each kind that was not seen yet; it has the keyboard."""
    begun = False
    for _ in range(MOST):
        page.keyboard.press("Tab")
        at = page.evaluate(AT)
        if at is None:
            if begun:
                return
            continue
        begun = True
        if at["kind"] not in seen:
            seen.add(at["kind"])
            yield at_rest(page)


def at_rest(page: Page) -> Stop:
    """Where the keyboard is, when the page has scrolled there."""
    page.wait_for_timeout(50)
    at = page.evaluate(AT)
    return Stop(at["kind"], at["name"], tuple(at["box"]))


def is_seen(page: Page, stop: Stop) -> bool:
    """Whether the keyboard is seen at a stop; on a page that just moved it is looked at again."""
    element = page.evaluate_handle(ACTIVE).as_element()
    assert element is not None
    for _ in range(TRIES):
        if changes(page, stop):
            return True
        if not element.evaluate("each => each.isConnected"):
            return True  # drawn anew meanwhile: there is nothing to compare
        element.focus()
        page.wait_for_timeout(500)
        stop = at_rest(page)
    return False


def changes(page: Page, stop: Stop) -> bool:
    """Whether enough of an element's surroundings changes enough as the keyboard leaves it."""
    x, y, width, height = stop.box
    assert page.viewport_size is not None
    left, top = max(0.0, x - MARGIN), max(0.0, y - MARGIN)
    right = min(page.viewport_size["width"], x + width + MARGIN)
    bottom = min(page.viewport_size["height"], y + height + MARGIN)
    if right <= left or bottom <= top:
        return False
    clip: FloatRect = {"x": left, "y": top, "width": right - left, "height": bottom - top}
    focused = brightness(page, clip)
    page.evaluate(LEAVE)
    left_alone = brightness(page, clip)
    pair = np.stack((focused, left_alone))
    contrast = (pair.max(0) + 0.05) / (pair.min(0) + 0.05)
    return int((contrast >= LEAST).sum()) >= min(width + height, 100)


def brightness(page: Page, clip: FloatRect) -> NDArray[np.float64]:
    """Relative luminance of each pixel, as WCAG defines it; no caret blinks in it."""
    picture = Image.open(io.BytesIO(page.screenshot(clip=clip, animations="disabled")))
    colour = np.asarray(picture.convert("RGB")) / 255
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize(("dark", "pages", "kinds"), [(False, PAGES, 40), (True, ("",), 20)])
def test_the_keyboard_is_seen_wherever_it_is(
    visit: Callable[..., Board], dark: bool, pages: Sequence[str], kinds: int
) -> None:
    board = visit("?model=lenet300", dark=dark)
    page, seen, wrong = board.page, set[str](), []
    with board.changing_address():
        board.type("number-fc1", "50")
    board.wait_for_pictures()  # what ends while somebody looks draws a page anew
    site, query = page.url.split("?")[0], urlsplit(page.url).query
    for name in pages:
        page.goto(f"{site}{name}?{query}")
        page.get_by_role("link", name="Manual", exact=True).wait_for()
        if name == "":
            board.open()
            board.wait_for_pictures()
        page.wait_for_timeout(1000)
        rest(page)
        wrong += [(name, stop) for stop in stops(page, seen) if not is_seen(page, stop)]
    assert not wrong
    assert len(seen) > kinds, "it went through all pages"
    page.add_style_tag(content="html body :focus-visible { outline: none !important; }")
    again = [stop for stop in stops(page, set()) if not is_seen(page, stop)]
    assert any(stop.kind.startswith("A ") for stop in again), "a focus that is not seen is found"
