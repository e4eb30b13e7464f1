"""What is the unit that is cut?"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pruneviz.network.layers import Layer
from pruneviz.plan import UNITS, pattern
from pruneviz.pruning.criteria import Criterion
from pruneviz.pruning.evidence import Evidence
from pruneviz.pruning.masks import Ranking
from pruneviz.pruning.order import Order, positions


@dataclass(frozen=True)
class Granularity:
    """One kind of unit, with its texts for people."""

    name: str
    label: str
    meaning: str
    formula: str
    source: str


GRANULARITIES = {
    g.name: g
    for g in (
        Granularity(
            "weight",
            "Single weights",
            "Connections are cut one by one (unstructured pruning). Keeps the most accuracy at a "
            "given sparsity, but the holes are scattered: files shrink only when encoded sparsely, "
            "and ordinary hardware runs no faster.",
            "k = round(sparsity · number of weights), lowest scores first;  k: how many are cut",
            "LeCun et al. 1990; Han et al. 2015, arXiv:1506.02626",
        ),
        Granularity(
            "neuron",
            "Neurons and filters",
            "Whole output units go: a neuron of a linear layer, a filter of a convolution, with "
            "its bias and batch norm (structured pruning). They can be removed for real, so the "
            "network gets smaller and faster, at a higher price in accuracy.",
            "k = round(sparsity · number of units), lowest scores first;  k: how many are cut",
            "Li et al. 2017, arXiv:1608.08710",
        ),
        Granularity(
            "head",
            "Attention heads",
            "Whole heads of attention go: the rows of a head in query, key and value, and its "
            "columns in the projection behind them. Other layers stay whole. Many heads of a "
            "trained transformer are hardly missed, and what is removed makes it smaller and "
            "faster.",
            "k = round(sparsity · number of heads), lowest scores first;  k: how many are "
            "cut; the score of a head: over all its rows",
            "Michel et al. 2019, arXiv:1905.10650; Voita et al. 2019, arXiv:1905.09418",
        ),
        Granularity(
            "block",
            "Whole blocks",
            "Residual branches are left out one by one: what comes in goes past them, and their "
            "parameters are gone (depth pruning). Nothing else changes its shape. A network of "
            "many blocks often misses some of them little, and each that goes saves all its time.",
            "a block is left out where its sparsity is above one half;  a pool: "
            "k = round(Σ sparsities), lowest scores first",
            "Men et al. 2024 (ShortGPT), arXiv:2403.03853; Veit et al. 2016, arXiv:1605.06431",
        ),
        Granularity(
            "2:4",
            "N:M pattern",
            "Of every M neighbouring weights of a unit, the N highest scores are kept (2:4: two of "
            "four). A layer has it or not; weights left over at the end of a row are kept. Sparse "
            "tensor cores can skip what 2:4 cuts, but most runtimes that made use of it have "
            "withdrawn it (vLLM in 2026): look for one before you prune for it.",
            "of each M inputs keep N; sparsity = 1 − N/M",
            "Zhou et al. 2021, arXiv:2102.04010; Mishra et al. 2021, arXiv:2104.08378; "
            "vllm-project/vllm#36799",
        ),
    )
}


def scores_for(criterion: Criterion, granularity: str, evidence: Evidence) -> Tensor:
    """Scores of the items that can be cut: like the weight, or float64 [units] for whole ones.

    Those of weights stay as the criterion gives them, float32 at least: a big layer has millions.

    Raises ValueError naming criterion and layer when evidence is missing or a score is not finite.
    """
    score = criterion.unit if granularity in UNITS and criterion.unit else criterion.score
    missing = [need for need in criterion.needs if not evidence.has(need)]
    if missing:
        try:
            evidence.of(missing[0])
        except ValueError as error:
            raise ValueError(f"criterion {criterion.name!r}: {error}") from None
    scores = score(evidence.as_float32).detach()
    if granularity in UNITS:
        scores = scores.double()
        scores = scores.flatten(1).sum(1) if scores.ndim > 1 else scores
    elif scores.element_size() < 4:
        scores = scores.float()
    if scores.numel() and not all(bool(end.isfinite()) for end in scores.aminmax()):
        raise ValueError(
            f"criterion {criterion.name!r} gives scores that are not finite in layer "
            f"{evidence.layer.name!r}; look for NaN or infinite weights there, "
            "or, in a criterion of your own, for a division by 0"
        )
    return scores


def rank_items(scores: Tensor, granularity: str) -> Ranking:
    """The items of these scores, lowest first.

    Of those that tie the one that comes first goes first. For N:M the items that the pattern cuts
    go before all others.
    """
    shape = pattern(granularity)
    if shape is None:
        return Ranking(scores, Order([scores]))
    cut = _cut_by_pattern(scores, *shape).flatten()
    order = torch.argsort(scores.flatten(), stable=True)
    order = torch.cat([order[cut[order]], order[~cut[order]]])
    rank = positions(order).reshape(scores.shape)
    return Ranking(scores, Order([scores], [rank]), only=int(cut.sum()))


def expand(layer: Layer, kept: Tensor) -> Tensor:
    """Kept items -> mask of the weight's shape (bool, True = kept)."""
    if kept.shape == layer.shape:
        return kept
    return kept.reshape(-1, *([1] * (len(layer.shape) - 1))).expand(layer.shape)


def _cut_by_pattern(scores: Tensor, n: int, m: int) -> Tensor:
    # Neighbours are inputs of one unit, channels innermost: the order in which matrix hardware
    # walks a convolution's weights.
    order = [0, *range(2, scores.ndim), 1]
    rows = scores.permute(order).flatten(1)
    groups = rows.shape[1] // m
    cut = torch.zeros_like(rows, dtype=torch.bool)
    if groups:
        body = rows[:, : groups * m].reshape(len(rows), groups, m)
        lowest = torch.argsort(body, dim=2, stable=True)[..., : m - n]
        inside = torch.zeros_like(body, dtype=torch.bool).scatter_(2, lowest, True)
        cut[:, : groups * m] = inside.flatten(1)
    back = [order.index(dim) for dim in range(scores.ndim)]
    return cut.reshape([scores.shape[dim] for dim in order]).permute(back)
