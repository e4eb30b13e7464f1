"""What can a budget be counted in?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pruneviz.measuring.bench import Bench
from pruneviz.measuring.layer_times import layer_times
from pruneviz.plan import UNITS, Plan
from pruneviz.pruning.sliders import Slider


@dataclass(frozen=True)
class Budget:
    """One unit to count in. removed(bench, plan): how much of it a plan takes away, of the whole
    network; number: that for people, in `unit`.
    """

    name: str
    label: str
    meaning: str
    removed: Callable[[Bench, Plan], float]
    number: Callable[[float], str]
    unit: str


def find_budget(name: str, granularity: str) -> Budget:
    """The budget of this name; ValueError if it is unknown, or masks alone do not change it."""
    result = BUDGETS.get(name)
    if result is None:
        raise ValueError(f"unknown budget {name!r}; known are {', '.join(BUDGETS)}")
    if name == "latency" and granularity not in UNITS:
        raise ValueError(
            f"a budget of latency needs granularity 'neuron', 'head' or 'block', not "
            f"{granularity!r}: masks alone make nothing faster"
        )
    return result


def prices(
    bench: Bench, budget: Budget, settings: Plan, sliders: Sequence[Slider]
) -> dict[str, float]:
    """Slider's name -> what cutting it whole takes away, everything else as in `settings`.

    Of single weights these add up; of units a cut in one layer also takes inputs of the next.
    """
    before = budget.removed(bench, settings)
    return {
        slider.name: budget.removed(bench, slider.raise_to(settings, 1.0)) - before
        for slider in sliders
    }


def _parameters(bench: Bench, plan: Plan) -> float:
    counts = bench.counts(plan)
    remaining = counts.params_shrunk if plan.granularity in UNITS else counts.params_kept
    return counts.params - remaining


def _macs(bench: Bench, plan: Plan) -> float:
    counts = bench.counts(plan)
    if counts.macs is None or counts.macs_kept is None:
        raise ValueError(
            "this network's multiply-accumulates cannot be counted; choose a budget of parameters "
            "or bytes"
        )
    return counts.macs - counts.macs_kept


def _bytes(bench: Bench, plan: Plan) -> float:
    counts = bench.counts(plan)
    remaining = counts.bytes_shrunk if plan.granularity in UNITS else counts.bytes_sparse
    return counts.bytes_dense - remaining


def _seconds(bench: Bench, plan: Plan) -> float:
    seconds = layer_times(bench.source.model, bench.layer_of, bench.source.validation)
    report = bench.masks(plan).report
    gone = 1 - report["kept"] / report["total"]
    savings = (
        seconds.get(name, 0.0) * share
        for name, share in zip(report["layer"], gone.tolist(), strict=True)
    )
    return float(sum(savings))


BUDGETS = {
    budget.name: budget
    for budget in (
        Budget(
            "parameters",
            "Parameters",
            "Weights that are cut; of whole units all that is removed with them.",
            _parameters,
            "{:,.0f}".format,
            "parameters",
        ),
        Budget(
            "macs",
            "MACs",
            "Multiply-accumulates for one sample, each cut weight skipped.",
            _macs,
            "{:,.0f}".format,
            "MACs",
        ),
        Budget(
            "bytes",
            "Bytes",
            "Bytes of the weights: sparse-encoded (one bit for each weight, and those that stay), "
            "or of the smaller network where whole units go.",
            _bytes,
            "{:,.0f}".format,
            "bytes",
        ),
        Budget(
            "latency",
            "Latency (estimated)",
            "Seconds for one sample here, estimated: each layer's, timed dense, in proportion to "
            "the weights it keeps. Whole units only.",
            _seconds,
            lambda seconds: f"{1000 * seconds:.3g}",
            "ms (estimated)",
        ),
    )
}
