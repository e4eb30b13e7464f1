"""How does a test use the page as a browser would, without one?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Self
from unittest.mock import patch

from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.testing.v1 import AppTest

from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.sources.open_request import OpenRequest
from pruneviz.sources.registered import load_registered
from pruneviz.ui.session import Session, cached, countdown
from pruneviz.ui.session.shelves import Shelf, put
from pruneviz.workbench import Workbench
from pruneviz.workbench.opening import open_workbench

APP = Path(__file__).parents[1] / "app.py"
CALIBRATED = 64
PATIENCE = 120.0


def _quick(
    asked: str | OpenRequest, validated: int | None = None, calibrated: int = CALIBRATED
) -> Workbench:
    """A sample network over few calibration samples: the page gathers evidence without being asked
    to, which takes more time than all else that it does.
    """
    if isinstance(asked, OpenRequest):
        return open_workbench(asked)
    source = load_registered(asked)
    source = replace(source, calibration=source.calibration.first(calibrated))
    if validated is not None:
        source = replace(source, validation=source.validation.first(validated), dense=None)
    return Workbench(source)


@contextmanager
def few_validated(n: int, calibrated: int = CALIBRATED) -> Iterator[None]:
    """The app opens its networks anew inside, over their first n validation samples: for work that
    evaluates many plans. Reconstruction is judged in five turns below 100 calibrated samples, and
    in one from there on.
    """
    cached.bench.clear()
    with patch.object(
        cached, "open_workbench", partial(_quick, validated=n, calibrated=calibrated)
    ):
        yield
    cached.bench.clear()


cached.open_workbench = _quick
countdown.FLUSH = 0.0  # there is no browser to send to


@cache
def _components() -> BidiComponentManager:
    # A server searches all installed packages for components when it starts, not in each tab.
    components = BidiComponentManager()
    components.discover_and_register_components(start_file_watching=False)
    return components


def new_app() -> AppTest:
    """The app in a tab of its own, before its first run."""
    app = AppTest.from_file(str(APP), default_timeout=300)
    app._bidi_component_manager = _components()
    return app


def path_of(page: str) -> str:
    """The script of a page, as `AppTest.switch_page` wants it."""
    return f"pruneviz/ui/pages/{page}.py"


def read(text: object) -> str:
    """Words as a person reads them: without the marks that keep them from being Markdown."""
    return str(text).replace("\\", "").replace("\u2060", "")


def undrawn(app: AppTest) -> list[str]:
    """What stands on a page in place of parts that raised."""
    return [box.value for box in app.error if "could not be drawn" in box.value]


def texts(app: AppTest) -> str:
    """All that is written in words on a page."""
    kinds = (app.markdown, app.info, app.error, app.warning, app.success, app.caption)
    return "\n".join(element.value for kind in kinds for element in kind)


def _sent(app: AppTest, component: str) -> list[str]:
    """What components of one kind were sent last, in the order of the page."""
    parts = [part.proto for part in app.get("bidi_component")]
    return [part.json for part in parts if part.component_name == f"pruneviz.{component}"]


def board_json(app: AppTest) -> str:
    """What the board was sent last."""
    return _sent(app, "board")[0]


def links(app: AppTest) -> list[str]:
    """The links that a page offers to be copied."""
    return [str(json.loads(sent)["link"]) for sent in _sent(app, "link")]


def choice_key(app: AppTest, name: str) -> str:
    """The key of the widget above the board that stands now for a choice."""
    generation = "ask_generation"
    if generation not in app.session_state:  # which has no `get` in older versions
        return f"{name}-0"
    return f"{name}-{app.session_state[generation]}"


class Page:
    """The app in one browser tab, without the browser.

    PAGE: where `go` leads to. STATE: the name in the session of what has the job of that page.
    """

    PAGE, STATE = "workbench", ""

    def __init__(self, **address: str) -> None:
        self.app = new_app()
        self.app.query_params.update(address)
        self.seq = 0
        self.run().arrive()

    @property
    def session(self) -> Session:
        session = self.app.session_state["session"]
        assert isinstance(session, Session)
        return session

    @property
    def plan(self) -> Plan:
        return self.session.settled

    @property
    def address(self) -> dict[str, str]:
        return dict(self.app.query_params)

    def own(self, name: str, bench: Workbench) -> Self:
        """Choose a network that this visitor brings along."""
        shelf = Shelf()
        put(shelf, name, bench)
        self.app.session_state["own"] = shelf
        return self.run().choose("ask_model", name)

    def run(self) -> Self:
        """One run of the script, which must not raise."""
        self.app.run()
        assert not self.app.exception, [error.message for error in self.app.exception]
        assert not undrawn(self.app), undrawn(self.app)
        return self

    def go(self) -> Self:
        """To the page that is tested."""
        self.app.switch_page(path_of(self.PAGE))
        return self.run()

    def back(self) -> Self:
        """To the workbench."""
        self.app.switch_page(path_of("workbench"))
        return self.run()

    def press(self, key: str) -> Self:
        """Press a button."""
        self.app.button(key=key).click()
        return self.run()

    def done(self) -> Self:
        """Let the work of the page that is tested end, and draw what it found."""
        job = self.app.session_state[self.STATE].job
        if job is not None:
            job.wait(PATIENCE)
            assert not job.running
        return self.run()

    def buttons(self) -> set[str]:
        """The keys of all buttons."""
        return {str(button.key) for button in self.app.button}

    def texts(self) -> str:
        """All that is written in words."""
        return texts(self.app)

    def errors(self) -> str:
        """What is said at the top of what the address names and is not there."""
        return read("\n".join(box.value for box in self.app.error))

    def finish(self) -> Self:
        """Let the background work end, and draw what it found."""
        while (job := self.session.job) is not None:
            job.wait()
            self.run()
        return self.run()

    def arrive(self) -> Self:
        """Wait for a choice that is being made ready."""
        while self.session.next_change is not None:
            job = self.session.job
            assert job is not None
            job.wait()
            self.run()
        return self

    def choose(self, key: str, value: object) -> Self:
        """Use one of the widgets above the board; of criteria the one that has this one."""
        if key == "ask_criterion":
            box = self.app.selectbox(key=choice_key(self.app, key))
            if CRITERIA[str(value)].label not in box.options:
                key = "ask_other"
        choice = choice_key(self.app, key) if key.startswith("ask_") else key
        self.app.session_state[choice] = value
        return self.run().arrive()

    def key(self, name: str) -> str:
        """The key of the widget above the board for this choice."""
        return choice_key(self.app, name)

    def type_pattern(self, pattern: str) -> Self:
        """Type an N:M into its box, which takes what is not in its list."""
        box = self.app.selectbox(key=self.key("ask_pattern"))
        if pattern not in box.options:  # AppTest itself knows no new options
            box.options.append(pattern)
        box.set_value(pattern)
        return self.run()

    def request(self, kind: str, sparsity: object = None, **other: object) -> dict[str, object]:
        """What the browser would send."""
        self.seq += 1
        request = {
            "seq": self.seq,
            "kind": kind,
            "sparsity": dict(self.session.live.sparsity) if sparsity is None else sparsity,
            "locked": list(self.session.locked),
            "focus": self.session.focus,
            "have": {"scene": "", "picture": ""},
        }
        return request | other

    def send(self, request: object) -> Self:
        """A request of the board arrives."""
        self.app.session_state["board"] = {"request": request}
        return self.run()

    def ask(self, kind: str, sparsity: object = None, **other: object) -> Self:
        """Make a request and send it."""
        return self.send(self.request(kind, sparsity, **other))

    def settle(self, **levels: float) -> Self:
        """Release a thumb at these levels; the other layers stay."""
        return self.ask("settle", dict(self.session.live.sparsity) | levels)

    def result(self) -> Evaluation:
        """What is known of the settled plan by now."""
        bench = self.session.bench
        return bench.evaluate(self.plan, max(bench.probe, bench.samples_measured(self.plan)))

    def numbers(self) -> tuple[object, ...]:
        """All numbers of the settled plan."""
        result, cost = self.result(), self.session.bench.counts(self.plan)
        interval = result.low, result.high, result.delta_low, result.delta_high
        answers = result.predicted.tolist()
        return result.n, result.accuracy, result.loss, result.delta, interval, cost, answers
