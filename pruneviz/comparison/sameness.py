"""How much goes from each layer, whatever the criterion?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruneviz.allocation.exact_target import levels_of
from pruneviz.allocation.request import SearchRequest
from pruneviz.measuring.bench import Bench
from pruneviz.plan import Plan, settings_of
from pruneviz.pruning.sliders import Slider
from pruneviz.sensitivity.curves import Curves

UNIFORM = "uniform"
SLIDERS = "sliders"  # the allocation that a plan has already, scaled
_HALVINGS = 60
_FAR = 1e6


def plans_at(
    bench: Bench,
    plan: Plan,
    allocation: str,
    sliders: Sequence[Slider],
    levels: Sequence[float],
    curves: Curves | None,
) -> dict[float, Plan]:
    """Level -> the plan that cuts it of these sliders' weights.

    allocation: "uniform", another of ALLOCATIONS as told by the plan's own criterion (curves: for
    the one that looks at them), or "sliders": the levels of `plan`, scaled.

    ValueError where the plan to be scaled, or the allocation, cannot reach a level.
    """
    start = settings_of(plan)
    if allocation == UNIFORM or not sliders:
        shares = {slider.name: list(levels) for slider in sliders}
    elif allocation == SLIDERS:
        shares = _scale(bench, plan, sliders, levels)
    else:
        moving = {name for slider in sliders for name in slider.layers}
        out = [name for name in bench.layer_of if name not in moving]
        columns = levels_of(bench, allocation, levels, SearchRequest(start, locked=out), curves)
        shares = {s.name: [float(x) for x in columns[s.name]] for s in sliders if s.name in columns}
    plans = {}
    for place, at in enumerate(levels):
        plans[at] = start
        for slider in sliders:
            if slider.name in shares:
                share = min(1.0, max(0.0, shares[slider.name][place]))
                plans[at] = slider.raise_to(plans[at], share)
    return plans


def _scale(
    bench: Bench, plan: Plan, sliders: Sequence[Slider], levels: Sequence[float]
) -> dict[str, list[float]]:
    """Slider -> its sparsity at each level: what a slider of `plan` keeps, to a common power."""
    if plan.scope != "layer":
        raise ValueError(f"scope {plan.scope!r} gives layers no levels of their own to scale")
    densities = np.array([1 - slider.level(plan) for slider in sliders])
    sizes = np.array([float(sum(bench.layer_of[n].size for n in s.layers)) for s in sliders])
    sizes /= sizes.sum()
    most = float(sizes[densities < 1].sum())
    least = float(sizes[densities == 0].sum())
    if least > min(levels):
        raise ValueError(
            f"sliders that stand at 100 % stay there and hold {100 * least:.1f} % of the weights, "
            f"more than {100 * min(levels):g} %: lower them, or ask for more"
        )
    if most < max(levels) - 1e-9:
        raise ValueError(
            f"sliders that stand at 0 stay there, so at most {100 * most:.1f} % of the weights can "
            f"go, and {100 * max(levels):g} % are asked for: raise them, or ask for less"
        )
    rows = []
    for at in levels:
        low, high = 0.0, _FAR
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if sizes @ (1 - densities**middle) < at else (low, middle)
        rows.append(1 - densities**high)
    return {slider.name: [float(row[i]) for row in rows] for i, slider in enumerate(sliders)}
