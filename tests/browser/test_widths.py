"""Does every control keep its words whole on a narrow screen?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import Board

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
