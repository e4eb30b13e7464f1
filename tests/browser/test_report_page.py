"""Does a report work from the disk, with no network and whatever names are in it?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, Page, Route
from torch import nn

import pruneviz as pv
from pruneviz.report import report, write_report

pytestmark = pytest.mark.browser
EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"
_RANGE = "document.getElementById('chart-1')._fullLayout.xaxis.range"


class Evil(nn.Module):
    """A layer whose name is a program."""

    def __init__(self) -> None:
        super().__init__()
        self.add_module(EVIL, nn.Linear(6, 8))
        self.out = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.get_submodule(EVIL)(x).relu())


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of a network whose layer and class names are programs, scanned."""
    torch.manual_seed(0)
    data = (torch.randn(200, 6), torch.arange(200) % 3)
    bench = pv.open(Evil(), data, classes=(EVIL, "dog", '"><svg onload=alert(3)>'))
    bench = type(bench)(replace(bench.source, name=EVIL))
    plan = pv.Plan(sparsity={EVIL: 0.75})
    bench.scan(plan, levels=(0.5, 0.9))
    return write_report(tmp_path_factory.mktemp("report") / "r.html", report(bench, plan))


@pytest.fixture
def opened(browser: Browser, file: Path) -> Iterator[Callable[..., Page]]:
    """Opens the file with the network off; nothing may be asked for, said, or go wrong."""
    trouble: list[str] = []
    contexts = []

    def refuse(route: Route) -> None:
        trouble.append(route.request.url)
        route.abort()

    def go(scheme: str = "light") -> Page:
        context = browser.new_context(
            offline=True,
            color_scheme="dark" if scheme == "dark" else "light",
            viewport={"width": 1200, "height": 900},
        )
        contexts.append(context)
        context.route("http*://**", refuse)
        page = context.new_page()
        page.on("console", lambda said: trouble.append(said.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("dialog", lambda dialog: (trouble.append(dialog.message), dialog.dismiss()))
        page.goto(file.as_uri())
        until(page, "document.querySelectorAll('.js-plotly-plot .main-svg').length > 2")
        return page

    yield go
    for context in contexts:
        context.close()
    assert not trouble


def until(page: Page, expression: str) -> None:
    """Waits from outside: the page's own policy lets nobody evaluate text inside."""
    for _ in range(600):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never so: {expression}")


def span(page: Page) -> float:
    """How much of the trade-off's x axis is seen."""
    found: float = page.evaluate(f"(r => Math.abs(r[1] - r[0]))({_RANGE})")
    return found


def test_charts_answer_to_the_mouse(opened: Callable[..., Page]) -> None:
    page = opened()
    assert page.locator(".js-plotly-plot").count() == 3
    chart = page.locator("#chart-1")
    chart.scroll_into_view_if_needed()
    smallest = chart.locator("g.trace.scatter").last.locator(".points path").first
    smallest.hover(force=True)
    chart.locator(".hoverlayer .hovertext").first.wait_for()
    assert "47 parameters" in (chart.locator(".hoverlayer").text_content() or "")
    box = chart.locator(".nsewdrag").first.bounding_box()
    assert box is not None
    before = span(page)
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.7, steps=5)
    page.mouse.up()
    until(page, f"(r => Math.abs(r[1] - r[0]) < {0.5 * before})({_RANGE})")
    assert span(page) < 0.5 * before


def test_names_that_are_programs_stay_names(opened: Callable[..., Page]) -> None:
    page = opened()
    assert page.locator("h1").inner_text() == f"Pruning {EVIL}"
    assert page.locator("#plan td.left", has_text=EVIL).count() == 1
    assert page.locator("#classes td.left").all_inner_texts()[0] == EVIL
    assert page.locator("img:not([src^='data:'])").count() == 0
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert EVIL in page.locator("pre").first.inner_text()


def test_what_slips_in_does_not_run(browser: Browser, file: Path) -> None:
    """Even where a name became markup, the page's own policy would refuse to run it."""
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.add_init_script(
        "window.refused = [];"
        "addEventListener('securitypolicyviolation', e => refused.push(e.effectiveDirective));"
    )
    page.goto(file.as_uri())
    page.evaluate("""
        window.ran = [];
        document.body.insertAdjacentHTML('beforeend', '<svg onload="ran.push(1)"></svg>' +
          '<img src="data:," onerror="ran.push(2)"><img src="https://example.org/x.png">');
        const slipped = document.createElement('script');
        slipped.textContent = 'ran.push(3)';
        document.body.append(slipped);
    """)
    until(page, "new Set(refused).size >= 3")  # how often one is told is the browser's own
    assert page.evaluate("ran") == []
    found = set(page.evaluate("refused"))
    context.close()
    assert found == {"script-src-attr", "script-src-elem", "img-src"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(scheme: str, opened: Callable[..., Page]) -> None:
    page = opened(scheme)
    inks = {"light": "rgb(31, 36, 48)", "dark": "rgb(232, 234, 238)"}
    body = "getComputedStyle(document.body).color"
    tick = "getComputedStyle(document.querySelector('#chart-1 .xtick text')).fill"
    until(page, f"{tick} === '{inks[scheme]}'")
    assert page.evaluate(body) == inks[scheme]
    other = "dark" if scheme == "light" else "light"
    page.emulate_media(color_scheme="dark" if other == "dark" else "light")
    until(page, f"{tick} === '{inks[other]}'")
    assert page.evaluate(body) == inks[other]


def test_nothing_is_wider_than_the_page(opened: Callable[..., Page]) -> None:
    page = opened()
    for width in (1200, 600, 360):
        page.set_viewport_size({"width": width, "height": 800})
        until(page, f"document.documentElement.scrollWidth <= {width}")
