"""Can everybody read every page and reach what is on it?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal
from urllib.parse import urlsplit

import pytest
from driving import Board, press, rest
from playwright.sync_api import Page, expect
from serving import ROOT

pytestmark = pytest.mark.browser
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
PAGES = ("", "learn", "sensitivity", "criteria", "devices", "train", "history", "export", "manual")
# Each finding: how grave it is, the rule, and the elements.
FINDINGS = """() => axe.run(document, {resultTypes: ["violations"]}).then(({violations}) =>
    violations.filter(each => ["serious", "critical"].includes(each.impact)).map(each =>
        [each.impact, each.id, each.nodes.map(node => node.html.slice(0, 200))]))"""


@pytest.fixture(scope="session")
def axe() -> str:
    """The program that looks for what shuts people out."""
    file = ROOT / "tests/board/node_modules/axe-core/axe.min.js"
    if not file.exists():  # in CI too: a machine that cannot reach npm goes without its linters
        pytest.skip("no axe-core: npm --prefix tests/board install --no-package-lock")
    return file.read_text("utf-8")


def findings(page: Page, axe: str) -> list[object]:
    """What is serious on this page as it stands, light and dark."""
    rest(page)
    page.evaluate(axe)
    found = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", scheme)
        page.wait_for_timeout(400)  # colours fade into each other
        found += page.evaluate(FINDINGS)
    return found


def test_no_page_shuts_anybody_out(visit: Callable[..., Board], axe: str) -> None:
    board = visit("?model=resnet20")  # more rows than fit
    assert findings(board.page, axe) == []
    board = visit("?model=lenet300")
    with board.changing_address():
        board.type("number-fc1", "50")
    query = urlsplit(board.page.url).query
    site, wrong = board.page.url.split("?")[0], {}
    for name in PAGES:
        board.page.goto(f"{site}{name}?{query}")
        board.page.get_by_role("link", name="Manual", exact=True).wait_for()
        if name == "":
            board.open()
        wrong[name] = findings(board.page, axe)
    assert not any(wrong.values()), wrong


def test_no_lesson_shuts_anybody_out(visit: Callable[..., Board], axe: str) -> None:
    board = visit("learn?lesson=2")
    assert findings(board.page, axe) == []
    press(board.page, "Begin")
    board.page.locator(".st-key-step").wait_for()
    assert findings(board.page, axe) == []


def test_nothing_that_opens_or_comes_shuts_anybody_out(
    visit: Callable[..., Board], axe: str
) -> None:
    board = visit("?model=lenet300")
    page, wrong = board.page, {}
    with board.changing_address():
        board.type("number-fc1", "50")
    for name in ("About", "Upload", "Repair", "Allocate", "More"):
        press(page, name, exact=True)
        page.wait_for_timeout(300)
        wrong[name] = findings(page, axe)
        page.keyboard.press("Escape")
    for name in ("Network", "Criterion", "Granularity"):
        page.get_by_role("combobox", name=name).click()
        page.get_by_role("option").first.wait_for()
        wrong[name] = findings(page, axe)
        page.keyboard.press("Escape")
    site, query = page.url.split("?")
    page.goto(f"{site}criteria?{query}")
    page.get_by_role("spinbutton", name="Samples").fill("64")  # not measured yet
    page.keyboard.press("Enter")
    press(page, "Measure")
    page.get_by_role("button", name="Download all points").wait_for()
    press(page, "Compare")
    page.get_by_text("Rank correlation").wait_for()
    wrong["compared"] = findings(page, axe)
    page.goto(f"{site}export?{query}")
    press(page, "Export 2 formats")
    page.get_by_role("button", name="Download").first.wait_for()
    wrong["exported"] = findings(page, axe)
    page.goto(f"{site}train?{query}")
    page.get_by_role("spinbutton", name="Epochs").fill("1")
    page.get_by_role("spinbutton", name="Training samples").fill("500")
    page.keyboard.press("Enter")
    press(page, "Train", exact=True)
    page.get_by_role("button", name="Use as a new version").wait_for()
    wrong["trained"] = findings(page, axe)
    assert not any(wrong.values()), wrong


def test_who_wants_no_motion_gets_none(visit: Callable[..., Board]) -> None:
    board = visit("?model=lenet300")
    moving = """root => {
        const all = [...root.querySelectorAll(".done, .rise")].map(each => getComputedStyle(each));
        return all.filter(each => each.transitionDuration !== "0s").length;
    }"""
    assert board.root.evaluate(moving) > 0
    board.page.emulate_media(reduced_motion="reduce")
    assert board.root.evaluate(moving) == 0


def test_the_first_slider_is_few_tabs_away(visit: Callable[..., Board]) -> None:
    board = visit("?model=lenet300")
    for _ in range(8):
        board.page.keyboard.press("Tab")
        if board.focused() == "skip":
            break
    link = board.page.get_by_role("button", name="Skip to the sliders")
    box = link.bounding_box()
    assert box is not None
    assert box["width"] > 50, "it is seen while it has the keyboard"
    board.page.keyboard.press("Enter")
    assert board.focused() == "slider-fc1"
    with board.settling():
        board.page.keyboard.press("ArrowRight")
    assert board.percent("fc1") > 0


def test_no_button_is_named_by_its_icon(visit: Callable[..., Board]) -> None:
    page = visit("?model=lenet300").page
    for name in ("About", "Upload"):
        assert page.get_by_role("button", name=name, exact=True).count() == 1
    assert page.get_by_role("button", name="icon").count() == 0


def test_the_foot_of_the_page_is_seen_with_the_first_steps(visit: Callable[..., Board]) -> None:
    board = visit("?model=lenet300")
    board.page.set_viewport_size({"width": 1440, "height": 900})
    board.page.wait_for_timeout(300)
    assert board.page.get_by_test_id("welcome").is_visible()
    box = board.root.locator(".status").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 900
