"""Which sliders would make a network fit on a device, at the lowest predicted price?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from pruneviz.allocation.devices import MICROCONTROLLER, Device, Need, needs, size, verdict
from pruneviz.plan import Plan
from pruneviz.progress import Progress, silent
from pruneviz.pruning.sliders import Slider
from pruneviz.scale import SHARE, Scale

LIMIT, STEP = 0.9, 0.1
# A step that seems to cost nothing costs this much (0.05 points): no probe can tell less.
_FLOOR = 0.0005
# What saves nothing that is short may still be in the way of what does: it comes last.
_LAST = 1e-6
_CLOSE = 1e-9


@dataclass(frozen=True)
class SuggestionStep:
    """One slider raised. saved: bytes of weights, counted. lost: accuracy, 0..1, predicted."""

    slider: str
    before: float
    after: float
    saved: int
    lost: float


@dataclass(frozen=True)
class Suggestion:
    """A plan that fits a device, step by step; or why there is none.

    plan: None where nothing fits. need: of that plan, or of all that could be tried. lost: what
    the steps cost in accuracy together, 0..1, predicted: added up from single sliders. together:
    what they cost when tried all at once on the probe.
    """

    plan: Plan | None
    steps: tuple[SuggestionStep, ...]
    need: Need
    words: str
    together: float = 0.0

    @property
    def lost(self) -> float:
        """Accuracy that all steps together are predicted to cost."""
        return sum(step.lost for step in self.steps)

    def by_slider(self) -> tuple[SuggestionStep, ...]:
        """The steps of each slider as one, in the order in which they were first raised."""
        steps: dict[str, SuggestionStep] = {}
        for step in self.steps:
            first = steps.get(step.slider, replace(step, saved=0, lost=0.0))
            steps[step.slider] = replace(
                first,
                after=step.after,
                saved=first.saved + step.saved,
                lost=first.lost + step.lost,
            )
        return tuple(steps.values())


@dataclass(frozen=True)
class Measures:
    """What is known of a plan: parameters left after removal, bytes of activations at their peak
    (of float32), and the accuracy on the probe, which is told in `scale`.
    """

    params: Callable[[Plan], int]
    activations: Callable[[Plan], int]
    accuracy: Callable[[Plan], float]
    scale: Scale = SHARE

    def need(self, plan: Plan, weights: str) -> Need:
        """What a plan takes."""
        return needs(self.params(plan), self.activations(plan), weights)

    def peak(self, plan: Plan, weights: str) -> int:
        """Bytes of its activations alone."""
        return needs(0, self.activations(plan), weights).activations


def limit(slider: Slider) -> float:
    """The highest level: 90 %, and one unit stays."""
    return min(LIMIT, (slider.items - 1) / slider.items) if slider.items else 0.0


def further(slider: Slider, level: float) -> float:
    """10 points further, or by one unit where there are few; never beyond the limit."""
    step = round(level + max(STEP, 1 / slider.items), 4) if slider.items else level
    return max(level, min(step, limit(slider)))


def suggest(
    plan: Plan,
    sliders: Sequence[Slider],
    device: Device,
    measures: Measures,
    weights: str = "int8",
    progress: Progress = silent,
) -> Suggestion:
    """Raise sliders until `plan` fits on `device`: most bytes per predicted point lost first.

    Bytes are counted at every step; points are predicted from each slider by itself, measured at
    three levels (so 3 measurements a slider, however many steps there are, and one of the end).
    Where RAM is short, a slider is worth what the peak rises by when it alone stays where it is and
    all others go to their limit. progress: called with a label and the fraction done; it may raise
    to stop.

    Raises ValueError where no plan can be counted (a network that cannot be traced, say).
    """
    progress("counting", 0.0)
    start = measures.need(plan, weights)
    if verdict(start, device).fits:
        return Suggestion(plan, (), start, f"The network fits {device.name} as it is.")
    sliders = [slider for slider in sliders if limit(slider) - slider.level(plan) > _CLOSE]
    most = plan
    for slider in sliders:
        most = slider.raise_to(most, limit(slider))
    least = measures.need(most, weights)
    if not verdict(least, device).fits:
        return Suggestion(None, (), least, _why_not(least, device, sliders))
    worth = _worth(plan, most, sliders, device, measures, weights, start, least)
    prices = _prices(plan, sliders, measures, progress)
    return _climb(
        _SuggestionSearch(plan, sliders, device, measures, weights, worth, prices), start, progress
    )


def _why_not(least: Need, device: Device, sliders: Sequence[Slider]) -> str:
    short = verdict(least, device)
    if not sliders:
        return (
            f"No slider may move: all that can be removed is locked, or at {100 * LIMIT:.0f} % "
            f"already. It is {short.words} on {device.name}; unlock a layer, or choose a "
            "narrower width."
        )
    missing = [(short.short_flash, "flash"), (short.short_ram, "RAM")]
    lacks = " and ".join(f"{size(n)} too large for its {what}" for n, what in missing if n)
    return (
        f"Even at {100 * LIMIT:.0f} % everywhere it is {lacks} ({device.name}). "
        "Unlock more layers, choose a narrower width, or a larger device."
    )


@dataclass(frozen=True)
class _SuggestionSearch:
    """All that a search knows. worth: slider -> bytes of RAM for each unit of its level."""

    plan: Plan
    sliders: Sequence[Slider]
    device: Device
    measures: Measures
    weights: str
    worth: Mapping[str, float]
    prices: Mapping[str, Callable[[float], float]]


def _worth(
    plan: Plan,
    most: Plan,
    sliders: Sequence[Slider],
    device: Device,
    measures: Measures,
    weights: str,
    start: Need,
    least: Need,
) -> dict[str, float]:
    if not verdict(start, device).short_ram:
        return {}
    worth = {}
    for slider in sliders:
        level = slider.level(plan)
        peak = measures.peak(slider.raise_to(most, level), weights)
        worth[slider.name] = (peak - least.activations) / (limit(slider) - level)
    return worth


def _prices(
    plan: Plan, sliders: Sequence[Slider], measures: Measures, progress: Progress
) -> dict[str, Callable[[float], float]]:
    """Slider -> accuracy lost at a level, from the plan: never negative, never falling."""
    label = "trying each slider on the probe"
    progress(label, 0.0)
    now = measures.accuracy(plan)
    prices = {}
    for place, slider in enumerate(sliders):
        start = slider.level(plan)
        first = further(slider, start)
        levels = sorted({first, (first + limit(slider)) / 2, limit(slider)})
        points = [(start, 0.0)]
        for number, level in enumerate(levels):
            progress(label, (place + number / len(levels)) / len(sliders))
            lost = now - measures.accuracy(slider.raise_to(plan, level))
            points.append((level, max(points[-1][1], lost)))
        prices[slider.name] = _between(points)
    return prices


def _between(points: list[tuple[float, float]]) -> Callable[[float], float]:
    levels, losses = zip(*points, strict=True)
    return lambda level: float(np.interp(level, levels, losses))


def _climb(search: _SuggestionSearch, start: Need, progress: Progress) -> Suggestion:
    plan, need, steps = search.plan, start, list[SuggestionStep]()
    hopes: dict[str, float] = {slider.name: float("inf") for slider in search.sliders}
    first = _excess(need, search.device)
    while not (short := verdict(need, search.device)).fits:
        done = 1 - _excess(need, search.device) / first
        progress("raising the cheapest slider", min(max(done, 0.0), 1.0))
        best = _best(search, plan, need, hopes)
        if best is None:
            return _stuck(search, steps, need)
        step, plan = best
        steps.append(step)
        activations = need.activations
        if short.short_ram:
            activations = search.measures.peak(plan, search.weights)
        need = Need(need.weights - step.saved, activations)
    need = search.measures.need(plan, search.weights)  # counted as a whole, all at once
    if not verdict(need, search.device).fits:
        return _stuck(search, steps, need)
    progress("trying all steps at once on the probe", 1.0)
    together = search.measures.accuracy(search.plan) - search.measures.accuracy(plan)
    loss = sum(step.lost for step in steps)
    loss_words = partial(_loss_text, scale=search.measures.scale)
    words = (
        f"The network fits {search.device.name} after these steps. Predicted from each slider by "
        f"itself: {loss_words(loss)}. Tried all at once on the probe: {loss_words(together)}."
    )
    return Suggestion(plan, tuple(steps), need, words, together)


def _loss_text(lost: float, scale: Scale) -> str:
    much = scale.change_text(abs(lost)).removeprefix("+")
    return f"{much} {'lost' if lost >= 0 else 'won'}"


def _stuck(search: _SuggestionSearch, steps: list[SuggestionStep], need: Need) -> Suggestion:
    short = verdict(need, search.device).words
    words = f"No step helps further: it is {short} on {search.device.name}."
    return Suggestion(None, tuple(steps), need, words)


def _excess(need: Need, device: Device) -> int:
    short = verdict(need, device)
    return short.short_flash + short.short_ram


def _best(
    search: _SuggestionSearch, plan: Plan, need: Need, hopes: dict[str, float]
) -> tuple[SuggestionStep, Plan] | None:
    """The step with most bytes per point, and the plan after it.

    A slider saves less the more the others are cut, so what it promised before (`hopes`) is an
    upper bound, and only those with the highest hopes need be counted anew.
    """
    fresh: dict[str, tuple[SuggestionStep, Plan]] = {}
    sliders = {slider.name: slider for slider in search.sliders}
    while hopes:
        name = max(hopes, key=lambda name: hopes[name])
        if hopes[name] <= 0:
            return None
        if name in fresh:
            hopes[name] = float("inf")  # its next step is another one
            return fresh[name]
        slider = sliders[name]
        before = slider.level(plan)
        after = further(slider, before)
        if after - before < _CLOSE:
            del hopes[name]
            continue
        candidate = slider.raise_to(plan, after)
        weights = needs(search.measures.params(candidate), 0, search.weights).weights
        price = search.prices[name]
        step = SuggestionStep(
            name, before, after, need.weights - weights, price(after) - price(before)
        )
        hopes[name] = _gain(search, step, need) / max(step.lost, _FLOOR)
        fresh[name] = step, candidate
    return None


def _gain(search: _SuggestionSearch, step: SuggestionStep, need: Need) -> float:
    """Bytes of what is short now."""
    short = verdict(need, search.device)
    loads = search.device.kind != MICROCONTROLLER
    gain = step.saved * (1.0 if short.short_flash or loads else _LAST)
    if short.short_ram:
        gain += search.worth.get(step.slider, 0.0) * (step.after - step.before)
    return gain
