"""Does every control keep its words whole on a narrow screen?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import Board, press, rest

pytestmark = pytest.mark.browser

# Texts that are wider than what shows them, and buttons that reach beyond the window.
CUT = """() => {
    const all = document.querySelectorAll(
        ".st-key-controls :is(button, p, label, [data-testid=stIconMaterial])");
    const cut = each => each.offsetParent !== null && (
        each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX !== "visible"
        || each.getBoundingClientRect().right > innerWidth
        || each.matches("button p") && each.getClientRects().length > 1);
    return [...all].filter(cut).map(each => each.textContent);
}"""


@pytest.mark.parametrize("widest", [False, True])
def test_no_control_is_cut(visit: Callable[..., Board], widest: bool) -> None:
    here = visit("?model=lenet300")
    if widest:  # the widest row: a seed, and N:M
        here.choose("Criterion", "Random (control)")
        here.choose("Granularity", "N:M pattern")
    row = here.page.locator(".st-key-controls")
    for width in (1440, 1280, 1024, 800, 720):
        here.page.set_viewport_size({"width": width, "height": 850})
        here.page.wait_for_timeout(300)
        assert here.page.evaluate(CUT) == [], width
        for name in ("About", "Upload"):
            assert row.get_by_role("button", name=name).is_visible(), (width, name)
    narrow = ".st-key-controls button { max-width: 2rem; overflow: hidden; }"
    here.page.add_style_tag(content=narrow)
    assert here.page.evaluate(CUT), "what is cut is found"


# Words that run out of their place, on the page and in the board; a link to copy may, and tables
# scroll.
WORDS = """() => {
    const cut = [];
    const look = root => root.querySelectorAll("*").forEach(each => {
        if (each.shadowRoot) look(each.shadowRoot);
        const style = getComputedStyle(each);
        const hides = ["hidden", "clip"].includes(style.overflowX) && each.clientWidth > 1;
        const words = each.textContent.trim();
        if (hides && words && each.checkVisibility() && each.scrollWidth > each.clientWidth + 1
            && !each.closest("code, pre, svg, .stDataFrame")) cut.push(words.slice(0, 60));
        const list = each.matches("select") ? each.selectedOptions[0]?.text ?? ""
            : each.matches("input[type=text], input[type=search]")
            ? each.value || each.placeholder : "";
        const pen = document.createElement("canvas").getContext("2d");
        pen.font = style.font;
        const room = each.clientWidth - (each.matches("select") ? 14
            : parseFloat(style.paddingLeft) + parseFloat(style.paddingRight));
        const named = each.dataset.testid !== "link" && each.checkVisibility();
        if (list && named && pen.measureText(list).width > room + 1)
            cut.push(list);
        const frame = each.matches("[data-tag]") && each.closest(".stMultiSelect");
        const [inner, outer] = [each, frame || each].map(x => x.getBoundingClientRect());
        if (inner.right > outer.right || inner.bottom > outer.bottom) cut.push(words);
    });
    look(document);
    const out = [...document.querySelectorAll("[data-testid=stMain] :is(p, button, label)")];
    return [...cut, ...out.filter(each => each.getBoundingClientRect().right > innerWidth + 1
        && !each.closest("code, pre")).map(each => each.textContent)];
}"""
PAGES = ("", "learn", "sensitivity", "criteria", "devices", "train", "history", "export", "manual")


WIDTHS = (1280, 1024, 800, 720)  # the last: 1440 at a zoom of 200 %


def test_no_page_cuts_a_word(visit: Callable[..., Board]) -> None:
    here = visit("?model=lenet300")
    page = here.page
    with here.changing_address():
        here.type("number-fc1", "50")
    site, query = page.url.split("?")
    wrong = {}
    for name in PAGES:
        page.goto(f"{site}{name}?{query}")
        page.get_by_role("link", name="Manual", exact=True).wait_for()
        if name == "":
            here.open()
        rest(page)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            page.wait_for_timeout(300)
            wrong[name, width] = page.evaluate(WORDS)
    assert not any(wrong.values()), wrong
    page.goto(f"{site}export?{query}")
    page.get_by_role("button", name="Make a report").wait_for()
    page.add_style_tag(content="button { max-width: 2rem; overflow: hidden !important; }")
    assert page.evaluate(WORDS), "what is cut is found"


def test_a_lesson_beside_its_board_cuts_no_word(visit: Callable[..., Board]) -> None:
    here = visit("learn?lesson=1")
    press(here.page, "Begin")
    here.open()
    wrong = {}
    for width in WIDTHS:
        here.page.set_viewport_size({"width": width, "height": 800})
        here.page.wait_for_timeout(300)
        wrong[width] = here.page.evaluate(WORDS)
    assert not any(wrong.values()), wrong
