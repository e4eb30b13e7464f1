"""How much goes from each layer?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pruneviz.allocation.shares import (
    Part,
    by_damage,
    by_damage_at,
    erk,
    owl,
    pool,
    pool_at,
    uniform,
    uniform_plus,
)
from pruneviz.network.layers import Layer
from pruneviz.pruning.sliders import Slider

_LAST_KEEPS = 0.2  # of the last linear layer, under "uniform+"


@dataclass(frozen=True)
class Allocation:
    """One way to share out a target, with its texts for people.

    share: parts, and the fraction of their cost that is to go -> the sparsity of each, whose costs
    add up to the target before counts are made whole; ValueError where bounds forbid it.
    scores: the kind of scores its parts must bring, "" for none. measured: whether they must bring
    curves. shares: for many targets at the price of one.
    """

    name: str
    label: str
    meaning: str
    formula: str
    source: str
    share: Callable[[Sequence[Part], float], list[float]]
    scores: str = ""
    measured: bool = False
    shares: Callable[[Sequence[Part], Sequence[float]], list[list[float]]] | None = None

    def at(self, parts: Sequence[Part], targets: Sequence[float]) -> list[list[float]]:
        """By part, the sparsity at each target."""
        if self.shares is not None:
            return self.shares(parts, targets)
        rows = [self.share(parts, target) for target in targets]
        return [list(column) for column in zip(*rows, strict=True)]


def density_of(slider: Slider, layers: Mapping[str, Layer]) -> float:
    """(Σ of a weight's sizes) / (their product); of layers that are cut together over them all."""
    shapes = [layers[name].shape for name in slider.layers]
    return sum(sum(shape) for shape in shapes) / sum(math.prod(shape) for shape in shapes)


def tame_bounds(layers: Mapping[str, Layer]) -> dict[str, float]:
    """Layer -> its highest sparsity under "uniform+": 0 of the first convolution, 0.8 of the last
    linear layer; those without a bound are left out.
    """
    first = next((n for n, x in layers.items() if x.kind.startswith("conv")), None)
    last = next((n for n in reversed(list(layers)) if layers[n].kind == "linear"), None)
    bounds = {} if first is None else {first: 0.0}
    return bounds if last is None else bounds | {last: 1 - _LAST_KEEPS}


ALLOCATIONS = {
    allocation.name: allocation
    for allocation in (
        Allocation(
            "uniform",
            "Uniform",
            "Every layer loses the same fraction.",
            "sₗ = S",
            "Zhu and Gupta 2017, arXiv:1710.01878",
            uniform,
        ),
        Allocation(
            "uniform+",
            "Uniform+",
            "As uniform, but the first convolution stays whole and the last linear layer keeps at "
            "least a fifth of its weights.",
            "sₗ = S′;  s of the first convolution = 0, of the last linear layer ≤ 0.8",
            "Gale et al. 2019, arXiv:1902.09574",
            uniform_plus,
        ),
        Allocation(
            "global",
            "Global",
            "One threshold for all layers: the lowest scores go, wherever they are.",
            "cut where score < t, the same t everywhere",
            "Han et al. 2015, arXiv:1506.02626; Frankle and Carbin 2019, arXiv:1803.03635",
            pool,
            scores="criterion",
            shares=pool_at,
        ),
        Allocation(
            "erk",
            "Erdős–Rényi kernel (ERK)",
            "Layers with few weights for their width keep more of them.",
            "1 − sₗ = ε · (n_out + n_in + k_h + k_w) / (n_out · n_in · k_h · k_w), at most 1",
            "Evci et al. 2020 (RigL), arXiv:1911.11134; Mocanu et al. 2018, arXiv:1707.04780",
            erk,
        ),
        Allocation(
            "lamp",
            "LAMP",
            "One threshold for all layers on magnitudes made comparable: each relative to what "
            "would be left in its layer.",
            "score = w² / Σ v²  over all v of the layer with |v| ≥ |w|;  one threshold",
            "Lee et al. 2021, arXiv:2010.07611",
            pool,
            scores="lamp",
            shares=pool_at,
        ),
        Allocation(
            "owl",
            "Outliers (OWL)",
            "Nearly uniform: layers with many scores far above their mean keep up to 8 points more "
            "than the others. Published with the scores of Wanda; here those of the criterion "
            "chosen.",
            "sₗ = S̄ + λ · (1 − 2 · (Dₗ − min D) / (max D − min D));  Dₗ: the share of scores of "
            "layer l above M times their mean, M = 5, λ = 0.08, S̄: so that the target is met",
            "Yin et al. 2024, arXiv:2310.05175",
            owl,
            scores="criterion",
        ),
        Allocation(
            "sensitivity",
            "Sensitivity-aware",
            "Cuts where the measured curves of this network say it hurts least, then refines "
            "that: it starts from the best measured of all methods and keeps every change that "
            "measures better.",
            "min Σ damageₗ(sₗ)  so that  Σ costₗ · sₗ = S · Σ costₗ;  then measured moves",
            "pruneviz; curves as in Li et al. 2017, arXiv:1608.08710, sec. 3.2",
            by_damage,
            measured=True,
            shares=by_damage_at,
        ),
    )
}
