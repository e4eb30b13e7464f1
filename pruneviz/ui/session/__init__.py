"""What has one person at one screen done so far?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from pruneviz.background import Job
from pruneviz.plan import Plan
from pruneviz.pruning.locks import unit_locks
from pruneviz.sensitivity.curves import LOSE
from pruneviz.storage.faults import public
from pruneviz.ui.board import Pin, Request
from pruneviz.ui.session import changes, hand
from pruneviz.ui.session.chart import Chart, PlanFacts
from pruneviz.ui.session.diary import Diary
from pruneviz.ui.session.levels import first_plan, locks_for, with_levels
from pruneviz.ui.session.pool import pool_shares
from pruneviz.workbench import Workbench, units

_HISTORY = 500


@dataclass(frozen=True)
class UndoStep:
    """A plan that was settled on, with the layers that were locked (name -> reason)."""

    plan: Plan
    locked: Mapping[str, str]


@dataclass
class Session:
    """The state of one browser tab: a list of plans, a place in it, and what the screen shows.

    name: of the network, in the list and in links.
    unmeasured: whether the plan settled on is still to be measured in full. drawing_page:
    whether the board is being drawn as a part of the whole page. shown: the last numbers that were
    measured, as the board has them. change: the message, where it tells of a change of plan that
    can be undone. next_change: what waits until `job` has made ready what it
    needs. facts: what costs too much to find out at every run. diary: what writes it all down.
    measure, lose: what the chart shows (of MEASURES), and how much of the score may be lost.
    tab: the one below the board that was open when the page was drawn. awaits: whether there was
    news to come when the board was drawn.
    """

    bench: Workbench
    steps: list[UndoStep]
    focus: str
    name: str = ""
    at: int = 0
    live: Plan = field(default_factory=Plan)
    locked: dict[str, str] = field(default_factory=dict)
    visited: list[Plan] = field(default_factory=list)
    snapshots: dict[str, Plan] = field(default_factory=dict)
    seq: int = 0
    moves: int = 0
    have: tuple[str, str] = ("", "")
    scale: str = "layer"
    measure: str = "accuracy"
    lose: float = LOSE
    chart: Chart | None = None
    message: str | None = None
    change: str | None = None
    job: Job | None = None
    next_change: Callable[[Session], None] | None = None
    shown: dict[str, object] | None = None
    facts: PlanFacts = field(default_factory=PlanFacts)
    unmeasured: bool = True
    drawing_page: bool = False
    tab: str | None = None
    awaits: bool = False
    diary: Diary | None = None

    @property
    def settled(self) -> Plan:
        """The plan that was settled on last."""
        return self.steps[self.at].plan

    def settle(self, plan: Plan, locked: Mapping[str, str] | None = None) -> None:
        """Make `plan` the next step; what was undone is forgotten. ValueError leaves all as is."""
        self.bench.masks(plan)
        self.unmeasured = True
        locked = dict(self.locked if locked is None else locked)
        self.moves += 1
        self._write(plan, self.settled)
        if UndoStep(plan, locked) != self.steps[self.at]:
            del self.steps[self.at + 1 :]
            self.steps.append(UndoStep(plan, locked))
            del self.steps[:-_HISTORY]
            self.at = len(self.steps) - 1
        self._show(plan, locked)

    def travel(self, by: int) -> None:
        """Undo (-1) or redo (+1), as far as there are steps."""
        self.unmeasured, came = True, self.settled
        self.at = min(max(self.at + by, 0), len(self.steps) - 1)
        self.moves += 1
        self._write(self.settled, came)
        self._show(self.steps[self.at].plan, dict(self.steps[self.at].locked))

    def drag(self, plan: Plan) -> None:
        """Show a plan on the way; ValueError leaves all as it is."""
        self.bench.masks(plan)
        self.live = plan

    def tell_change(self, *sentences: str) -> None:
        """Say what the last choice made of the plan; the board offers to undo it beside."""
        self.message = self.change = " ".join(filter(None, sentences)) or None

    def _write(self, plan: Plan, came: Plan) -> None:
        if self.diary is not None:
            self.diary.visit(plan, came)

    def _show(self, plan: Plan, locked: dict[str, str]) -> None:
        self.live, self.locked = plan, locked
        if plan not in self.visited:
            self.visited.append(plan)
            # The dense plan stays as the point that all others are compared with.
            del self.visited[1 : len(self.visited) - _HISTORY]


def start(bench: Workbench, name: str | None = None) -> Session:
    """A session with the dense network, the usual layers locked; name: of it in the list."""
    plan = first_plan(bench)
    locked = {layer: why for layer, why in bench.locks.items() if not plan.sparsity.get(layer)}
    focus = next((n for n in bench.layer_of if n not in locked), next(iter(bench.layer_of)))
    steps = [UndoStep(plan, dict(locked))]
    session = Session(bench, steps, focus, name or bench.name, live=plan, locked=locked)
    dense = replace(plan, sparsity=dict.fromkeys(bench.layer_of, 0.0), pinned={})
    session.visited += [dense] if plan == dense else [dense, plan]
    return session


def obey(session: Session, request: Request) -> bool:
    """Do what the browser asks; returns whether something was settled. Old requests do nothing.

    What is refused stays as it was, with the reason in the session's message.
    """
    if request.seq <= session.seq:
        return False
    session.seq = request.seq
    session.have, session.scale = (request.scene, request.picture), request.scale
    session.measure, session.lose = request.measure, request.lose
    if request.focus in session.bench.layer_of:
        session.focus = request.focus
    try:
        return _obey(session, request)
    except ValueError as error:
        session.message = public(error)
        session.live = session.settled
        session.moves += 1
        return False


def _obey(session: Session, request: Request) -> bool:
    if request.kind in ("focus", "need", "return", "sharpen", "match", "look"):
        return False
    session.message = None
    if request.kind in ("cancel", "measure"):
        return _stop(session) if request.kind == "cancel" else _resume(session)
    if request.kind in ("undo", "redo"):
        session.travel(-1 if request.kind == "undo" else 1)
        return True
    if request.kind == "lock":
        locked, before, was = _locks(session, request.locked), session.live, session.locked
        plan = with_levels(session.bench, before, before.sparsity, locked)
        session.settle(plan, locked)
        session.tell_change(changes.unlock_text(session.bench, before, plan, was, locked))
        return True
    plan = with_levels(session.bench, session.live, request.sparsity, session.locked)
    if request.pin is not None:
        plan = _pin(session, plan, request.pin)
    if request.kind == "drag":
        session.drag(plan)
        return False
    if request.kind == "play":
        return _play(session, plan)
    session.settle(plan)
    return True


def _locks(session: Session, names: Iterable[str]) -> dict[str, str]:
    """The locks asked for: a group is locked, or unlocked, with any of its members."""
    bench, groups = session.bench, units.groups_for(session.bench, session.live)
    unlocks = {m for name in set(session.locked) - set(names) for m in groups.members(name)}
    reasons = {**bench.locks, **session.locked}
    locked = {n: reasons.get(n, "") for n in names if n in bench.layer_of and n not in unlocks}
    return units.lock_together(groups, locked)


def _play(session: Session, plan: Plan) -> bool:
    """Show a plan on the way to the one settled on; at its end that one stands again, the same."""
    levels, ends = session.settled.sparsity, session.bench.layer_of
    if all(plan.sparsity.get(n, 0.0) == levels.get(n, 0.0) for n in ends):
        session.live, session.unmeasured = session.settled, True
        return True
    session.drag(plan)
    return False


def _pin(session: Session, plan: Plan, pin: Pin) -> Plan:
    if pin.layer in session.locked:
        raise ValueError(f"{pin.layer!r} is locked: unlock it to cut or keep by hand")
    reason = session.bench.cannot(plan).get(pin.layer)
    if reason is not None:
        raise ValueError(f"nothing of {pin.layer!r} can be cut by hand: {reason}")
    return hand.by_hand(session.bench, plan, pin.layer, pin.places)


def _stop(session: Session) -> bool:
    if session.job is not None:
        session.job.cancel()
        session.message = "Stopped. What was measured until now is kept."
    session.job, session.next_change, session.unmeasured = None, None, False
    return True


def _resume(session: Session) -> bool:
    session.unmeasured = True
    return True


def change(session: Session, request: Plan) -> None:
    """Settle on another criterion, granularity or scope, keeping what is cut where it can be.

    `request` has the new choices; sparsity, locks and what was pinned by hand stay. What became of
    the plan is said, and what cannot be pinned any more. ValueError leaves all as it is.
    """
    plan, before = plan_with(session, request), session.live
    loss = hand.loss_text(before, plan)
    session.settle(plan, locks_under(session, plan))
    session.tell_change(changes.change_text(session.bench, before, plan), loss or "")


def plan_with(session: Session, request: Plan) -> Plan:
    """The live plan with the criterion, granularity and scope of `request`."""
    bench, before = session.bench, session.live
    levels = {name: before.sparsity.get(name, 0.0) for name in bench.layer_of}
    if request.scope != before.scope:
        levels = _levels_now(session)
    pinned = hand.valid_pins(before, request.granularity)
    blank = replace(request, sparsity={} if request.scope != "layer" else levels, pinned=pinned)
    blank = replace(blank, pinned=hand.that_fit(bench, blank, bench.cannot(blank)))
    locked = locks_under(session, blank)
    if request.scope != "layer":
        free = {name: level for name, level in levels.items() if name not in locked}
        levels = pool_shares(bench, request, free)
    return with_levels(bench, blank, levels, locked)


def locks_under(session: Session, plan: Plan) -> dict[str, str]:
    """The locks as they are under a plan, where other layers may be cut together.

    What somebody locked or unlocked stays so; the usual locks are those that go with the plan.
    """
    bench, groups = session.bench, units.groups_for(session.bench, plan)
    before = unit_locks(bench.locks, units.groups_for(bench, session.live))
    after = unit_locks(bench.locks, groups)
    own = units.own_locks(session.locked)
    unlocks = set(before) - set(own)
    whole = {name for name in after if name in own or not session.live.sparsity.get(name)}
    usual = {name: why for name, why in after.items() if name in whole - unlocks}
    new_locks = {name: why for name, why in own.items() if name not in before}
    return units.lock_together(groups, usual | new_locks)


def arrive(session: Session, plan: Plan, locked: Iterable[str] | None = None) -> None:
    """Settle on a plan from a link, a snapshot or a point of the chart; locked: layers to lock.

    A plan that comes without them has the locks that go with it.
    """
    bench = session.bench
    groups = units.groups_for(bench, plan)
    plan = replace(plan, sparsity=units.with_members(groups, plan.sparsity))
    usual = locks_for(bench, plan)
    if locked is None:
        locks = usual
    else:
        reasons = {**bench.locks, **usual}
        locks = {name: reasons.get(name, "") for name in locked if name in bench.layer_of}
        locks = units.lock_together(groups, locks)
    if plan.scope == "layer":
        plan = replace(plan, sparsity=dict.fromkeys(bench.layer_of, 0.0) | dict(plan.sparsity))
    elif not plan.sparsity:
        plan = with_levels(bench, plan, {}, locks)
    session.settle(plan, locks)


def _levels_now(session: Session) -> dict[str, float]:
    got = session.bench.masks(session.live).sparsity
    return {name: round(level, 4) for name, level in got.items()}
