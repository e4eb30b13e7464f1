"""How does a test use the page as a browser would, without one?"""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan
from pruneviz.ui.session import Session
from pruneviz.ui.session.shelves import Shelf, put
from pruneviz.workbench import Workbench

APP = Path(__file__).parents[1] / "app.py"


def read(text: object) -> str:
    """Words as a person reads them: without the marks that keep them from being Markdown."""
    return str(text).replace("\\", "").replace("\u2060", "")


def undrawn(app: AppTest) -> list[str]:
    """What stands on a page in place of parts that raised."""
    return [box.value for box in app.error if "could not be drawn" in box.value]


class Page:
    """The app in one browser tab, without the browser."""

    def __init__(self, **address: str) -> None:
        self.app = AppTest.from_file(str(APP), default_timeout=300)
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

    def own(self, name: str, bench: Workbench) -> Page:
        """Choose a network that this visitor brings along."""
        shelf = Shelf()
        put(shelf, name, bench)
        self.app.session_state["own"] = shelf
        return self.run().choose("ask_model", name)

    def run(self) -> Page:
        """One run of the script, which must not raise."""
        self.app.run()
        assert not self.app.exception, [error.message for error in self.app.exception]
        assert not undrawn(self.app), undrawn(self.app)
        return self

    def finish(self) -> Page:
        """Let the background work end, and draw what it found."""
        while (job := self.session.job) is not None:
            job.wait()
            self.run()
        return self.run()

    def arrive(self) -> Page:
        """Wait for a choice that is being made ready."""
        while self.session.wanted is not None:
            job = self.session.job
            assert job is not None
            job.wait()
            self.run()
        return self

    def choose(self, key: str, value: object) -> Page:
        """Use one of the widgets above the board."""
        self.app.session_state[key] = value
        return self.run().arrive()

    def type_pattern(self, pattern: str) -> Page:
        """Type an N:M into its box, which takes what is not in its list."""
        box = self.app.selectbox(key="ask_pattern")
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

    def send(self, request: object) -> Page:
        """A request of the board arrives."""
        self.app.session_state["board"] = {"request": request}
        return self.run()

    def ask(self, kind: str, sparsity: object = None, **other: object) -> Page:
        """Make a request and send it."""
        return self.send(self.request(kind, sparsity, **other))

    def settle(self, **levels: float) -> Page:
        """Release a thumb at these levels; the other layers stay."""
        return self.ask("settle", dict(self.session.live.sparsity) | levels)

    def result(self) -> Evaluation:
        """What is known of the settled plan by now."""
        bench = self.session.bench
        return bench.evaluate(self.plan, max(bench.probe, bench.measured(self.plan)))

    def numbers(self) -> tuple[object, ...]:
        """All numbers of the settled plan."""
        result, cost = self.result(), self.session.bench.counts(self.plan)
        interval = result.low, result.high, result.delta_low, result.delta_high
        answers = result.predicted.tolist()
        return result.n, result.accuracy, result.loss, result.delta, interval, cost, answers
