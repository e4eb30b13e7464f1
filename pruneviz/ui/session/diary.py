"""What of a session is written into the history?"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from pruneviz.background import Job
from pruneviz.history import History, ModelVersion, measurement_of, new_session
from pruneviz.measuring.ledger import Cost
from pruneviz.plan import Plan
from pruneviz.workbench import Workbench


class Diary:
    """The pages of one session in the history: plans as they are settled on, numbers as they come.

    history may be shared with other sessions. visits: number in the history by plan.
    """

    def __init__(self, bench: Workbench, name: str, history: History) -> None:
        self.history, self.session = history, new_session()
        self.visits: dict[Plan, int] = {}
        self._bench, self._name = bench, name
        self._written: dict[Plan, int] = {}

    @property
    def version(self) -> ModelVersion:
        """The model at work, as the history knows it."""
        return ModelVersion(self._name, self._bench.fingerprint, self._bench.data_fingerprint)

    def resume(self, visit: int) -> pd.DataFrame:
        """Write on in the session in which a visit was made; returns its visits, oldest first.

        None of them, and a session of its own, where this owner has no such visit with this
        network's weights and data.
        """
        visits = self.history.visits(replace(self.version, name=""))
        sessions = visits["session"][visits["id"] == visit]
        if sessions.empty:
            return visits.iloc[:0]
        self.session = str(sessions.iloc[0])
        return visits[visits["session"] == self.session]

    def visit(self, plan: Plan, came: Plan) -> None:
        """Write down that `plan` was settled on, coming from `came`; staying there is no visit."""
        if plan == came:
            return
        if came not in self.visits:  # where the session began: nobody moved until now
            self._visit(came, None)
        self._visit(plan, self.visits[came])

    def begin_at(self, plan: Plan) -> None:
        """Write down where a session begins that begins with something cut."""
        if not plan.is_dense and plan not in self.visits:
            self._visit(plan, None)

    def name_branch(self, plan: Plan, name: str) -> None:
        """Give a plan settled on a name."""
        if plan not in self.visits:
            self._visit(plan, None)
        self.history.name_branch(self.visits[plan], name)

    def record_cost(self, plan: Plan, cost: Cost) -> None:
        """Write down the ledger of a plan."""
        if plan not in self.visits:
            self._visit(plan, None)
        self.history.record_cost(self.visits[plan], cost)

    def record_measurement(self, plan: Plan) -> None:
        """Write down what has been measured of a plan until now, and of where the session began.

        Counts what is left of the network: not to be called while somebody waits.
        """
        for each in dict.fromkeys((next(iter(self.visits), plan), plan)):
            self._record_measurement(each)

    def catch_up(self, plan: Plan) -> Job | None:
        """Start writing down what was measured of a plan before it came here, if it is more."""
        done = self._written.get(plan, 0) >= self._bench.samples_measured(plan)
        return (
            None
            if done or plan not in self.visits
            else Job(lambda report: self.record_measurement(plan))
        )

    def _visit(self, plan: Plan, parent: int | None) -> None:
        self.visits[plan] = self.history.visit(self.version, plan, parent, session=self.session)

    def _record_measurement(self, plan: Plan) -> None:
        bench, visit = self._bench, self.visits.get(plan)
        n = bench.samples_measured(plan)
        if bench.slow:  # compared with the same samples of the dense network
            n = min(n, bench.samples_measured(Plan()))
        if visit is None or n <= self._written.get(plan, 0):
            return
        record = measurement_of(bench.evaluate(plan, n), bench.counts(plan), bench.masks(plan))
        self.history.record_measurement(visit, record)
        self._written[plan] = n
