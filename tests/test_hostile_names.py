"""Are names of layers, classes, networks and branches text on every page, whatever they say?"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from google.protobuf.message import Message  # type: ignore[import-untyped]
from streamlit.testing.v1 import AppTest

from pruneviz.figures.style import foreign
from pruneviz.history import History, ModelVersion
from pruneviz.plan import Plan
from pruneviz.report import report
from pruneviz.storage.home import VARIABLE
from pruneviz.storage.spreadsheets import csv_text
from pruneviz.ui.session import cached
from pruneviz.ui.session.shelves import Shelf, put
from pruneviz.ui.text import plain
from tests.foreign_names import CLASSES, NAMES, NETWORK, NOTE, hostile_bench
from tests.page import Page, new_app

PAGES = ("workbench", "sensitivity", "criteria", "devices", "train", "history", "export", "manual")
ALL = (*NAMES, *CLASSES, NETWORK, NOTE)
# Fields of Streamlit's messages that a browser reads as Markdown.
READ = {"body", "label", "help", "text", "caption", "tooltip", "delta", "content"}
CODE = re.compile(r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
PATIENCE = 120.0


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


class Attacked(Page):
    """The app with a network whose every name is hostile."""

    def __init__(self) -> None:
        self.app = new_app()
        self.app.query_params["model"] = NETWORK
        shelf = Shelf()
        put(shelf, NETWORK, hostile_bench())
        self.app.session_state["own"] = shelf
        self.seq = 0
        self.run().arrive().finish()
        assert self.session.name == NETWORK

    def go(self, page: str) -> Attacked:
        self.app.switch_page(f"pruneviz/ui/pages/{page}.py")
        self.run()
        for _ in range(40):
            jobs = [getattr(state, "job", None) for state in self.states()]
            running = [job for job in jobs if job is not None]
            if not running:
                break
            for job in running:
                job.wait(PATIENCE)
            self.run()
        return self

    def states(self) -> list[Any]:
        known = (
            "session",
            "TrainingWork",
            "ScanWork",
            "ContestWork",
            "DeviceFitWork",
            "ExportWork",
        )
        return [self.app.session_state[k] for k in known if k in self.app.session_state]

    def press(self, key: str, page: str) -> Attacked:
        self.app.button(key=key).click()
        self.run()
        return self.go(page)


def messages(app: AppTest) -> Iterator[tuple[str, Message]]:
    """Every element and block of a page, as the browser gets it."""

    def within(node: Any) -> Iterator[tuple[str, Message]]:
        if getattr(node, "proto", None) is not None:
            yield node.type, node.proto
        for child in getattr(node, "children", {}).values():
            yield from within(child)

    yield from within(app._tree)


def markdown(app: AppTest) -> list[str]:
    """Every text of a page that a browser reads as Markdown, without what stands in code."""
    return [CODE.sub("", text) for _, each in messages(app) for text in _read(each)]


def _read(message: Message) -> Iterator[str]:
    for field, value in message.ListFields():
        for one in value if field.is_repeated else (value,):
            if isinstance(one, Message):
                if message.DESCRIPTOR.name not in ("PlotlyChart", "ArrowDataFrame"):
                    yield from _read(one)
            elif isinstance(one, str) and field.name in READ:
                yield one


def drawn(app: AppTest) -> list[str]:
    """Every text of the charts of a page."""
    specs = [m.spec for _, m in messages(app) if m.DESCRIPTOR.name == "PlotlyChart"]
    return [text for spec in specs for text in _strings(json.loads(spec))]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            if key != "legendgroup":  # is shown nowhere
                yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)


def check(app: AppTest) -> None:
    texts, charts = markdown(app), drawn(app)
    for name in ALL:
        raw = [text for text in texts if name in text]
        assert not raw, f"{name!r} is read as Markdown in {raw[0]!r}"
        assert not [text for text in charts if name in text and foreign(name) != name], name
    html = [m.body for kind, m in messages(app) if m.DESCRIPTOR.name == "Html"]
    assert not [body for body in html if any(name in body for name in ALL)]


@pytest.mark.slow
def test_no_page_reads_a_name(home: Path) -> None:
    """Each page as it opens, and with everything measured that a button on it measures."""
    page = Attacked()
    page.settle(**{NAMES[2]: 0.5, NAMES[0]: 0.5}).finish()
    box = next(box for box in page.app.text_input if box.label == "Snapshot")
    box.set_value(NETWORK)
    page.app.button(key="FormSubmitter:snapshot-Keep").click()
    page.run()
    assert any(plain(NETWORK) in text for text in markdown(page.app))
    for chart in ("by layer", "loss", "accuracy"):
        page.app.session_state["chart"] = chart
        page.run()
        check(page.app)
    for name in (NAMES[0], NAMES[5]):
        page.ask("focus", focus=name)
        for tab in ("Per-class change", "Flipped examples", "Feature maps", "Ledger"):
            page.app.session_state["tabs"] = tab
            page.run()
            check(page.app)
    page.session.message = f"nothing of {NAMES[1]!r} can be cut: {NOTE}"
    for name in PAGES:
        page.go(name)
        check(page.app)
    for name, button in (("sensitivity", "scan-start"), ("criteria", "criteria-compare")):
        page.go(name).press(button, name)
        check(page.app)
    page.go("sensitivity")
    for view in ("apart", "together", "heat"):
        page.app.session_state["scan_view"] = view
        page.run()
        check(page.app)
        assert any(foreign(NAMES[1]) in text for text in drawn(page.app)), view
    assert [text for text in markdown(page.app) if text], "the page has texts"


@pytest.mark.slow
def test_the_history_shows_names_of_everything_as_they_are(home: Path) -> None:
    """Rows of another visitor: their network, branches and notes."""
    bench = hostile_bench()
    history = History(home)
    made_for = ModelVersion(NETWORK, bench.fingerprint, bench.data_fingerprint)
    first = history.visit(made_for, Plan(sparsity={NAMES[1]: 0.5}), branch=NAMES[0])
    second = history.visit(made_for, Plan(sparsity={NAMES[1]: 0.9}), first)
    history.note(second, NOTE)
    other = history.visit(ModelVersion(NAMES[1], "w", "d"), Plan(sparsity={NAMES[0]: 0.5}))
    history.close()
    cached._history.clear()
    page = Page(model="lenet300")
    page.app.switch_page("pruneviz/ui/pages/history.py")
    for network in (NETWORK, "all networks"):
        page.app.session_state["history_model"] = network
        page.run()
        check(page.app)
    page.app.session_state["history_first"] = first
    page.app.session_state["history_second"] = other
    page.run()
    check(page.app)
    assert any(plain(NAMES[1]) in text for text in markdown(page.app)), "of two models"
    page.app.button(key="history-restore").click()
    page.run()
    check(page.app)
    assert page.app.error, "the plan is of another network, and that is said"


def test_an_error_that_quotes_a_file_is_text(home: Path) -> None:
    """What is refused names the file and what it says of itself."""
    page = Page(model="lenet300")
    page.app.session_state["complaint"] = f"{NETWORK} cannot be opened: {NAMES[1]}"
    page.run()
    check(page.app)
    assert page.app.error


@pytest.mark.slow
def test_the_report_and_its_charts_hold_names_as_text() -> None:
    bench = hostile_bench()
    plan = Plan(sparsity={NAMES[2]: 0.5, NAMES[0]: 0.5})
    text = report(bench, plan)
    for name in ALL:
        if "<" in name:
            assert name not in text
    assert "<img src=http" not in text
    assert "<script>alert" not in text
    assert "&lt;img src=http://localhost:9/b onerror=alert(1)&gt;" in text
    assert "&amp;lt;" not in text, "nothing is escaped twice"


def test_a_csv_holds_no_formula() -> None:
    values = ["=1+1", "+1", "-x", "@a", "\t=1", "\r=1", " =1", "＝1", "-1.5", "conv", None]
    table = pd.DataFrame({"=layer": values, "n": range(len(values)), "change": -0.5})
    back = pd.read_csv(io.StringIO(csv_text(table), newline=""))
    assert list(back.columns) == ["'=layer", "n", "change"]
    assert list(back["'=layer"])[:9] == [
        *("'=1+1", "+1", "'-x", "'@a", "'\t=1", "'\n=1", "' =1", "'＝1"),
        "-1.5",
    ]
    assert back["change"].tolist() == [-0.5] * len(values), "numbers stay numbers"
