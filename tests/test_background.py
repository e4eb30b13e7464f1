"""Does long work tell how far it is, stop when asked, and say what went wrong?"""

from __future__ import annotations

import re
import threading

from pruneviz.background import Job
from pruneviz.plan import Plan
from pruneviz.progress import Progress
from pruneviz.storage.faults import log_file

PATIENCE = 60.0


class Gate:
    """Work that stops at a gate, so that a test can look at it on the way."""

    def __init__(self) -> None:
        self.arrived, self.opened = threading.Event(), threading.Event()
        self.steps: list[str] = []

    def work(self, report: Progress) -> None:
        report("first", 0.25)
        self.arrived.set()
        assert self.opened.wait(PATIENCE)
        self.steps.append("passed the gate")
        report("second", 0.5)
        self.steps.append("reported again")


def test_progress_is_told_on_the_way_and_at_the_end() -> None:
    gate = Gate()
    job = Job(gate.work)
    assert gate.arrived.wait(PATIENCE)
    assert (job.running, job.label, job.done) == (True, "first", 0.25)
    gate.opened.set()
    job.wait(PATIENCE)
    assert (job.running, job.label, job.done) == (False, "second", 0.5)
    assert (job.error, job.cancelled) == (None, False)


def test_a_cancelled_job_stops_at_its_next_report() -> None:
    gate = Gate()
    job = Job(gate.work)
    assert gate.arrived.wait(PATIENCE)
    job.cancel()
    gate.opened.set()
    job.wait(PATIENCE)
    assert gate.steps == ["passed the gate"]
    assert not job.running
    assert job.cancelled
    assert job.error is None
    assert (job.label, job.done) == ("first", 0.25)


def test_a_refusal_of_ours_is_kept_as_its_own_sentence() -> None:
    def work(report: Progress) -> None:
        report("first", 0.0)
        Plan(sparsity={"conv1": 2.0})

    job = Job(work)
    job.wait(PATIENCE)
    assert job.error is not None
    assert job.error.startswith("sparsity of 'conv1' must be in")
    assert isinstance(job.exception, ValueError)
    assert not job.running
    assert not job.cancelled


def test_any_other_error_is_kept_with_the_number_of_its_trace() -> None:
    def work(report: Progress) -> None:
        raise RuntimeError("the loader broke off")

    job = Job(work)
    job.wait(PATIENCE)
    assert job.error is not None
    assert "RuntimeError: the loader broke off" in job.error
    number = re.search(r"fault (\w+) in the log", job.error)
    assert number is not None
    assert number[1] in log_file().read_text()


def test_waiting_ends_with_the_patience_given() -> None:
    gate = Gate()
    job = Job(gate.work)
    job.wait(0.01)
    assert job.running
    gate.opened.set()
    job.wait()
    assert not job.running


def test_a_job_that_never_ends_does_not_hold_the_process() -> None:
    gate = Gate()
    job = Job(gate.work)
    assert job._thread.daemon
    job.cancel()
    gate.opened.set()
    job.wait(PATIENCE)
