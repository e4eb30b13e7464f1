"""What is being trained in this session, and what came of it?"""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import ClassVar, Self

from pruneviz.background import Job
from pruneviz.limits import limit
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan
from pruneviz.progress import Progress
from pruneviz.training import METHODS, Trained, Training
from pruneviz.training.checkpoints import StoredTraining, in_use, trainings
from pruneviz.training.result import key_of
from pruneviz.training.stored_versions import make_room
from pruneviz.ui.session import cached, versions
from pruneviz.ui.session.countdown import after_the_accuracy, pace
from pruneviz.ui.session.page_work import PageWork
from pruneviz.ui.train.class_limit import within_class
from pruneviz.ui.train.runs import MOST, TrainingRun, run_of
from pruneviz.ui.train.training_view import TrainingView
from pruneviz.workbench import Workbench

_NAP, _HOLD = 0.05, 2.0
_LEAVES = 20.0  # seconds that a training which is taken over may need to let go
_STOPPED = "Stopped. What was trained until the last full epoch is kept: it can be resumed below."
_NOTHING = "Stopped before the first epoch had ended: nothing was kept, and nothing was changed."


@dataclass(frozen=True)
class Result:
    """What a training came to.

    bench: of the result. before, cut: of the network that was really trained, as it was, and cut
    but not trained. folder: where it is kept.
    """

    trained: Trained
    bench: Workbench
    before: Evaluation
    cut: Evaluation
    folder: Path


@dataclass(frozen=True)
class Occupant:
    """Work on a training, also of a tab that was closed or loaded anew."""

    job: Job
    model: str
    plan: Plan
    training: Training
    since: float


_AT_WORK: dict[Path, Occupant] = {}  # by the folder of the training


@dataclass
class TrainingWork(PageWork):
    """What one session asked for last, the work on it, and what came of it.

    plan, training, name: of the job, and of the version it makes. mine: folder -> whether what is
    kept there belongs to this network. runs: that have ended, the last ones.
    """

    page: ClassVar[str] = "Train"

    watching: TrainingView = field(init=False)
    wish: Training = field(default_factory=Training)
    plan: Plan = field(default_factory=Plan)
    training: Training = field(default_factory=Training)
    name: str = ""
    result: Result | None = None
    mine: dict[str, bool] = field(default_factory=dict)
    runs: list[TrainingRun] = field(default_factory=list)
    _going: Event = field(default_factory=Event)
    _moved: tuple[int, float] = (0, 0.0)

    def __post_init__(self) -> None:
        self.watching = TrainingView(self.session.focus)

    def succeed(self, before: Self) -> None:
        """Take over the wish; a training that is stopped is told."""
        self.wish = before.wish
        if before.session.bench.data_fingerprint == self.session.bench.data_fingerprint:
            self.runs = before.runs
        if before.running:
            self.message = (
                f"The training of {before.session.name} was stopped: it is no longer open. What "
                "was trained is kept, and can be resumed there."
            )

    @property
    def paused(self) -> bool:
        """Whether it waits until somebody lets it go on."""
        return not self._going.is_set()

    def pause(self) -> None:
        """Stop at the next step, and wait."""
        self._going.clear()

    def go_on(self) -> None:
        """Go on after a pause."""
        self._going.set()


def begin(work: TrainingWork, plan: Plan, training: Training) -> Job:
    """Start to train, or go on with what is kept of the very same training."""
    session = work.session
    bench, name = session.bench, versions.next_name(session.name)
    watching = work.watching = TrainingView(work.watching.layer)
    work.plan, work.training, work.name = plan, training, name
    work.message = work.result = work.left = None
    work.go_on()
    folder = cached.training_folder()  # the thread does not know at whose browser it was begun

    def run(report: Progress) -> None:
        report = within_class(training, report)
        after_the_accuracy(session, report)
        tell = pace(report, work)

        def progress(label: str, done: float) -> None:
            nonlocal tell
            watching.step()
            if _wait(work, report, label, done):
                tell = pace(report, work)  # the time spent waiting tells nothing of the pace
            tell(label, done)

        trained = bench.train(plan, training, folder, progress=progress, watch=watching.watch)
        work.left = None
        report("measuring", 1.0)
        version = Workbench(trained.source(name), bench)
        version.evaluate(trained.plan)
        watching.rest()
        kept = folder / key_of(bench, plan, training)
        work.message = _room_text(make_room(folder, limit("training_bytes"), kept))
        before, cut = _beginnings(version, plan)
        work.result = Result(trained, version, before, cut, kept)
        size = version.original.counts(Plan()).params
        work.runs = [*work.runs, run_of(session.name, trained, before, size)][-MOST:]

    work.job = Job(run, outlives=True)  # it is offered to whoever comes back
    for path, other in list(_AT_WORK.items()):
        if not other.job.running:
            _AT_WORK.pop(path, None)
    with suppress(ValueError):  # what cannot be trained is said by the job
        path = folder / key_of(bench, plan, training)
        # Of two tabs at the very same the first has the folder; the other has one of its own.
        _AT_WORK.setdefault(path, Occupant(work.job, session.name, plan, training, time.time()))
    return work.job


def _beginnings(version: Workbench, plan: Plan) -> tuple[Evaluation, Evaluation]:
    """The network that became this version, measured before it was trained: whole, and cut."""
    assert version.parent is not None
    own = {m.kind: m for m in version.landmarks if m.name == version.name}
    first = own["new"].bench if "new" in own else version.parent
    cut = own.get("repaired", own.get("cut"))
    return first.evaluate(Plan()), first.evaluate(Plan() if cut is None else cut.plan)


def at_work(one: StoredTraining) -> bool:
    """Whether somebody trains this now: another tab, or this one before it was loaded anew."""
    known = _AT_WORK.get(one.folder)
    return in_use(one.folder) or (known is not None and known.job.running)


def take_over(work: TrainingWork, one: StoredTraining) -> bool:
    """Continue here with what is trained elsewhere; False where it does not let go.

    Work of another process, a command line's say, is not stopped.
    """
    known = _AT_WORK.get(one.folder)
    if known is not None:
        known.job.cancel()
        known.job.wait(_LEAVES)
    if at_work(one):
        return False
    begin(work, one.plan, one.training)
    return True


def take(work: TrainingWork) -> None:
    """Take note of work that has ended."""
    job = work.take_ended()
    if job is None:
        return
    if job.error is not None:
        work.message = f"The training stopped: {job.error.rstrip('.')}."
    elif work.result is None:
        snapshot = work.watching.snapshot
        has_epochs = snapshot is not None and bool((snapshot.table["epoch"] > 0).any())
        work.message = _STOPPED if has_epochs else _NOTHING


def kept_trainings(work: TrainingWork) -> list[StoredTraining]:
    """Trainings that belong to this network and its data: on disk, or at work."""
    bench, folder = work.session.bench, cached.training_folder()
    stored = trainings(folder)
    there = {one.folder for one in stored}
    stored += [  # in their first epoch nothing is on disk yet
        StoredTraining(path, one.model, one.plan, one.training, 0.0, one.since)
        for path, one in list(_AT_WORK.items())
        if path.parent == folder and path not in there and one.job.running
    ]
    entries = []
    for one in stored:
        name = one.folder.name
        if name not in work.mine:
            try:
                work.mine[name] = key_of(bench, one.plan, one.training) == name
            except ValueError:
                work.mine[name] = False
        if work.mine[name]:
            entries.append(one)
    return entries


def delete(one: StoredTraining) -> None:
    """Forget a training for good."""
    shutil.rmtree(one.folder, ignore_errors=True)


def words_of(training: Training) -> str:
    """A training in a line."""
    legs = METHODS[training.method].legs(training)
    epochs = f"{training.epochs} epoch{'' if training.epochs == 1 else 's'}"
    rounds = f" in each of {len(legs)} stretches" if sum(x.epochs for x in legs) > (
        training.epochs
    ) else ""  # fmt: skip
    parts = [
        METHODS[training.method].label,
        epochs + rounds,
        f"{training.optimizer} at {training.learning_rate:g}, {training.schedule}",
        f"batches of {training.batch}",
        "" if training.samples is None else f"{training.samples:,} samples",
        "" if training.augmentation == "none" else training.augmentation,
        "from new weights" if training.start == "new" else "",
        f"seed {training.seed}",
    ]
    return " · ".join(filter(None, parts))


def epochs_of(training: Training) -> int:
    """Epochs of all its stretches together."""
    return sum(leg.epochs for leg in METHODS[training.method].legs(training))


def _room_text(gone: list[StoredTraining]) -> str | None:
    if not gone:
        return None
    what = f"the training of {gone[0].model!r} kept longest" if len(gone) == 1 else (
        f"the {len(gone)} trainings kept longest"
    )  # fmt: skip
    return f"To make room, {what} was deleted, with the version made from it."


def _wait(work: TrainingWork, report: Progress, label: str, done: float) -> bool:
    """Wait while it is paused, and while somebody moves a slider: whoever waits comes first."""
    paused = False
    while work.paused or _is_needed(work):
        report(f"{label}, paused" if work.paused else label, done)
        time.sleep(_NAP)
        paused = True
    return paused


def _is_needed(work: TrainingWork) -> bool:
    session = work.session
    if session.job is not None and session.job.running:
        return True
    now = time.monotonic()
    if work._moved[0] != session.seq:
        work._moved = session.seq, now
    return session.live != session.settled and now - work._moved[1] < _HOLD
