"""By how much would the loss rise, as one backward pass tells?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pruneviz.measuring.bench import Bench
from pruneviz.plan import UNITS, Plan
from pruneviz.progress import ShareDone, silent_share
from pruneviz.pruning.evidence import Evidence
from pruneviz.pruning.masks import Ranking, layer_count
from pruneviz.pruning.sliders import Slider

LEVELS = np.arange(101) / 100


def rises(
    bench: Bench,
    plan: Plan,
    sliders: Sequence[Slider],
    progress: ShareDone = silent_share,
) -> dict[str, NDArray[np.float64]]:
    """Slider -> [101], the rise of the calibration loss with its level at k/100, to second order.

    That is the sum of ½ · mean g² · w² over the weights that go: optimal brain damage (LeCun et
    al. 1990) with the diagonal of the empirical Fisher matrix for the curvature. The first order is
    left out: in a trained network it is close to zero, and of either sign. Sliders for which it
    cannot be told are left out: of whole units, with which more than weights goes, and of layers
    that never ran on the calibration data.
    """
    if plan.granularity in UNITS or not sliders:
        return {}
    try:
        evidence = bench.evidence("gradients", progress=progress)
    except ValueError:  # the targets fit no known loss
        return {}
    half = {slider.name: slider.raise_to(plan, 0.5) for slider in sliders}
    return {
        name: _table(evidence[name], bench.rankings(alone)[name])
        for name, alone in half.items()
        if evidence[name].has("gradient_power")
    }


def _table(evidence: Evidence, ranking: Ranking) -> NDArray[np.float64]:
    feels = 0.5 * evidence.of("gradient_power").double() * evidence.weight.double().square()
    order = ranking.rank.flatten().argsort()
    sums = np.concatenate([[0.0], feels.flatten()[order].cumsum(0).cpu().numpy()])
    return np.asarray(sums[[layer_count(level, ranking) for level in LEVELS.tolist()]])
