"""Which blocks are left out, and in which order?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pruneviz.allocation.exact_target import Field, field_of
from pruneviz.allocation.request import SearchRequest
from pruneviz.allocation.search import PlanScores, SearchResult, half_of, search_result
from pruneviz.measuring.bench import Bench
from pruneviz.plan import Plan
from pruneviz.progress import Progress
from pruneviz.pruning.sliders import Slider

METHODS = ("global", "sensitivity")
_TINY = 1e-9


def leave_out(
    bench: Bench, method: str, target: float, request: SearchRequest, progress: Progress
) -> SearchResult:
    """A plan without the blocks whose share of what is free to go comes nearest to `target`.

    "global": the lowest scores of the plan's criterion go first. "sensitivity": of all that are
    left the one without which the network measures best, then all others are measured again (on
    half of the validation samples; the rest judges). ValueError for another method, for a target
    outside [0, 1), or where a floor keeps a part of each block.
    """
    if method not in METHODS:
        raise ValueError(
            f"method {method!r} shares out parts of layers, and a block goes whole; choose "
            "'global' (the lowest scores first) or 'sensitivity' (measured, one after another)"
        )
    if not 0 <= target < 1:
        raise ValueError(f"target must be in [0, 1), got {target!r}")
    if request.floor:
        raise ValueError(f"a block goes whole: floor must be 0, got {request.floor!r}")
    space = field_of(bench, request)
    measures = method == "sensitivity"
    measured = PlanScores(space, half_of(bench) if measures else 1)
    path = _by_measure(measured, target, progress) if measures else _by_score(space)
    best, gap = space.base, target
    for plan in path:
        got = space.fraction(plan)
        if abs(got - target) < gap - _TINY:
            best, gap = plan, abs(got - target)
        if got >= target:
            break
    return search_result(measured, best, method, method, target, ())


def _by_score(space: Field) -> Iterator[Plan]:
    """Plans that leave out one block more each, the lowest scores first."""
    sliders = [part.slider for part in space.parts]
    names = dict.fromkeys((slider.name for slider in sliders), 0.0)
    rankings = space.bench.rankings(replace(space.base, sparsity=names, pinned={}))
    plan = space.base
    for slider in sorted(sliders, key=lambda one: float(rankings[one.name].scores[0])):
        plan = slider.raise_to(plan, 1.0)
        yield plan


def _by_measure(measured: PlanScores, target: float, progress: Progress) -> Iterator[Plan]:
    """Plans that leave out one block more each, the one without which they measure best."""
    left: list[Slider] = [part.slider for part in measured.space.parts]
    plan, rounds = measured.space.base, len(left)
    while left:
        candidates = []
        for place, slider in enumerate(left):
            done = 1 - len(left) / rounds + place / len(left) / rounds
            progress(f"without {slider.name}", min(1.0, done / max(target, 1 / rounds)))
            candidates.append(slider.raise_to(plan, 1.0))
        best = max(range(len(left)), key=lambda place: measured.worth(candidates[place]))
        plan = candidates[best]
        del left[best]
        yield plan
