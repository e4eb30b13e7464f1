"""What does the plan of a session take, and what would make it fit on a device?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from pruneviz.allocation.devices import Device, Need, needs
from pruneviz.allocation.suggestion import Measures, Suggestion, suggest
from pruneviz.background import Job
from pruneviz.export.quantised import evaluate_int8
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.measuring.memory import peak_activation
from pruneviz.plan import Plan
from pruneviz.progress import Progress
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.pruning.sliders import Slider
from pruneviz.storage.cache import Cache
from pruneviz.storage.faults import public
from pruneviz.ui.session.hand import valid_pins
from pruneviz.ui.session.page_work import PageWork
from pruneviz.workbench import Workbench
from pruneviz.workbench.units import by_unit

_REMEMBERED = 500
_FLOAT32 = 4


@dataclass
class DeviceFitWork(PageWork):
    """What was found out in one session, and the work on what was not.

    peaks: bytes of activations by plan. failed: the plan whose activations could not be measured,
    and why. rounded: what plans score in 8 bits, or why that cannot be measured; rounding: the plan
    that is being measured so. wish: what a suggestion is wanted for, or was found for.
    """

    page: ClassVar[str] = "Small devices"

    peaks: Cache[int] = field(default_factory=lambda: Cache(_REMEMBERED))
    sizing: Plan | None = None
    rounded: Cache[Evaluation | str] = field(default_factory=lambda: Cache(_REMEMBERED))
    rounding: Plan | None = None
    failed: tuple[Plan, str] | None = None
    wish: tuple[Plan, Device, str] | None = None
    suggestion: Suggestion | None = None


def need_of(work: DeviceFitWork, weights: str) -> Need | None:
    """What the plan settled on takes; None while its activations are being measured."""
    bench, plan = work.session.bench, work.session.settled
    peak = work.peaks.get(plan)
    if peak is None:
        return None
    return needs(bench.counts(plan).params_shrunk, peak, weights)


def measure(work: DeviceFitWork) -> Job:
    """Start measuring the activations of the plan settled on."""
    bench, plan, peaks = work.session.bench, work.session.settled, work.peaks

    def run(report: Progress) -> None:
        report("following the activations of one sample", 0.0)
        peaks.get_or(plan, lambda: peak_of(bench, plan))

    return _start(work, Job(run), plan)


def look_for(work: DeviceFitWork, device: Device, weights: str) -> Job:
    """Start looking for sliders that make the plan settled on fit."""
    session = work.session
    bench, plan, locked = session.bench, session.settled, dict(session.locked)
    measures = measures_of(bench, work.peaks)

    def run(report: Progress) -> None:
        report("reading the network's groups", 0.0)
        movable = sliders(bench, plan, locked)
        work.suggestion = suggest(plan, movable, device, measures, weights, report)

    work.suggestion, work.wish = None, (plan, device, weights)
    return _start(work, Job(run))


def measure_rounded(work: DeviceFitWork) -> Job:
    """Start measuring the plan settled on in 8 bits, as an export writes it."""
    bench, plan, rounded = work.session.bench, work.session.settled, work.rounded

    def run(report: Progress) -> None:
        try:
            score: Evaluation | str = evaluate_int8(
                bench, plan, lambda done: report("quantising and measuring as int8", done)
            )
        except ValueError as error:
            score = public(error)
        rounded.get_or(plan, lambda: score)

    job = _start(work, Job(run))
    work.rounding = plan
    return job


def take(work: DeviceFitWork) -> None:
    """Take note of work that has ended."""
    job, message = work.take_ended(), None
    if job is None:
        return
    if job.error is not None:
        message = job.error
    elif job.cancelled:
        message = "Stopped: nothing was changed."
    if message is not None and work.sizing is not None:
        work.failed = work.sizing, message
    else:
        work.message = message


def _start(work: DeviceFitWork, job: Job, sizing: Plan | None = None) -> Job:
    if work.job is not None:
        work.job.cancel()
    work.job, work.sizing, work.failed, work.message = job, sizing, None, None
    work.rounding = None
    return job


def sliders(bench: Workbench, plan: Plan, locked: Mapping[str, str]) -> tuple[Slider, ...]:
    """What may move in a plan: groups of which no member is locked or must stay whole.

    In the global scope one threshold moves all.
    """
    if not by_unit(plan):
        return ()
    movable = [s for s in bench.sliders(plan, locked) if s.name in bench.groups.groups]
    if plan.scope == "layer":
        return tuple(movable)
    pooled = [s for s in movable if any(name in plan.sparsity for name in s.layers)]
    if not pooled:
        return ()
    layers = tuple(name for one in pooled for name in one.layers if name in plan.sparsity)
    return (Slider("all in the ranking", layers, sum(one.items for one in pooled)),)


def measures_of(bench: Workbench, peaks: Cache[int]) -> Measures:
    """How plans are counted and measured: parameters, activations, accuracy on the probe."""
    return Measures(
        params=lambda plan: bench.counts(_bare(plan)).params_shrunk,
        activations=lambda plan: peaks.get_or(plan, lambda: peak_of(bench, plan)),
        accuracy=lambda plan: bench.evaluate(plan, bench.probe).accuracy,
        scale=bench.task.scale,
    )


def peak_of(bench: Workbench, plan: Plan) -> int:
    """Bytes of activations of one sample at their peak, as if they were of float32.

    Of the shrunk network where units go; masks alone change nothing.
    """
    removes = by_unit(plan) and not plan.is_dense
    network = bench.prune(_bare(plan)).shrink() if removes else bench.source.model
    peak = peak_activation(network, bench.source.validation.first(1).inputs)
    first = next((p for p in network.parameters() if p.is_floating_point()), None)
    return peak if first is None else peak * _FLOAT32 // first.element_size()


def _bare(plan: Plan) -> Plan:
    """Repairs change no shape, and take their time."""
    return replace(plan, repair=())


def by_neurons(plan: Plan) -> Plan:
    """`plan` with neurons and filters in place of single weights, as far as it goes."""
    criterion = plan.criterion
    if not CRITERIA[criterion].allows("neuron"):
        criterion = next(name for name, c in CRITERIA.items() if c.allows("neuron"))
    return replace(
        plan, criterion=criterion, granularity="neuron", pinned=valid_pins(plan, "neuron")
    )
