"""Which plan of whole units leaves as many parameters as one of single weights, and the reverse?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from pruneviz.allocation.budgets import Budget
from pruneviz.allocation.exact_target import Field, field_of
from pruneviz.allocation.request import SearchRequest
from pruneviz.measuring.bench import Bench
from pruneviz.plan import UNITS, Plan
from pruneviz.pruning.criteria import CRITERIA

_USUAL = {"neuron": "l2", "weight": "magnitude"}


def settings_of_counterpart(plan: Plan) -> Plan:
    """Criterion and granularity of the counterpart, nothing cut: the same criterion if it can."""
    granularity = "weight" if plan.granularity in UNITS else "neuron"
    able = CRITERIA[plan.criterion].allows(granularity)
    criterion = plan.criterion if able else _USUAL[granularity]
    return Plan(criterion, granularity, seed=plan.seed)


def counterpart(bench: Bench, plan: Plan, locked: Collection[str] = ()) -> Plan:
    """Single weights for whole units, whole units for single weights, at equal parameters left.

    Each layer keeps in proportion to what it keeps under `plan`, as nearly as whole items can;
    what was cut by hand, and repairs, do not come along. locked: layers that stay whole.
    ValueError where nothing is cut, or so much cannot go.
    """
    if plan.is_dense:
        raise ValueError("nothing is cut: there is nothing to be matched")
    field = _by_kept(field_of(bench, SearchRequest(settings_of_counterpart(plan), locked=locked)))
    report = bench.masks(plan).report.set_index("layer")
    densities = []
    for part in field.parts:
        rows = report.loc[[*part.slider.layers]]
        densities.append(max(rows["kept"].sum() / rows["total"].sum(), 0.5 / part.items))
    target = _kept_less(bench, plan) - field.none
    return field.meet(field.share_by(densities), max(0.0, target / (field.full - field.none)))


def _by_kept(field: Field) -> Field:
    """The field counted in parameters that are not masked, as the trade-off counts them."""
    budget = Budget("kept", "Parameters", "Not masked.", _kept_less, "{:,.0f}".format, "parameters")
    full = _kept_less(field.bench, field.plan([1.0] * len(field.parts)))
    return replace(field, budget=budget, none=_kept_less(field.bench, field.base), full=full)


def _kept_less(bench: Bench, plan: Plan) -> float:
    counts = bench.counts(plan)
    return counts.params - counts.params_kept
