"""How important is a weight or a unit, judged by what the loss would feel?"""

from __future__ import annotations

from torch import Tensor

from pruneviz.pruning.criteria.table import BLOCK, EVERYWHERE, criterion
from pruneviz.pruning.evidence import Evidence


@criterion(
    "taylor",
    "Taylor (first order)",
    formula="mean |g · w|;  of a whole unit: mean |Σ g · w|   (means over samples)",
    symbols="w: a weight; g: the gradient of one calibration sample's loss with respect to it; Σ: "
    "over the weights of the unit, with their signs",
    source="Molchanov et al. 2017, arXiv:1611.06440, eq. 7–8 (absolute value per sample); of units "
    "Molchanov et al. 2019, arXiv:1906.10771, eq. 8, without its square",
    needs=("gradient_size",),
    unit=lambda evidence: evidence.of("contribution").double().abs().mean(0),
    joint=True,
    granularities=(*EVERYWHERE, BLOCK),
)
def taylor(evidence: Evidence) -> Tensor:
    """How much the loss of a typical sample would change, to first order, if the weight went."""
    return evidence.weight.abs() * evidence.of("gradient_size")


@criterion(
    "snip",
    "SNIP",
    formula="|mean g · w|",
    symbols="w: a weight; mean g: the gradient of the mean loss on the calibration samples",
    source="Lee et al. 2019, arXiv:1810.02340 (made for networks before training)",
    needs=("gradient",),
)
def snip(evidence: Evidence) -> Tensor:
    """How much the mean loss would feel the connection. In a trained network the mean gradient is
    close to zero, so it says less than Taylor, which lets no sample cancel another.
    """
    return (evidence.of("gradient") * evidence.weight).abs()


@criterion(
    "fisher",
    "Fisher (OBD diagonal)",
    formula="½ · mean g² · w²;  of a whole unit: ½ · mean (Σ g · w)²",
    symbols="w: a weight; g: the gradient of one calibration sample's loss; mean g² is the "
    "diagonal of the empirical Fisher matrix and stands for the curvature; Σ: over the weights of "
    "the unit, with their signs, before the square: its block of the matrix",
    source="LeCun et al. 1990 (optimal brain damage); Theis et al. 2018, arXiv:1801.05787",
    needs=("gradient_power",),
    unit=lambda evidence: 0.5 * evidence.of("contribution").double().square().mean(0),
    joint=True,
    granularities=(*EVERYWHERE, BLOCK),
)
def fisher(evidence: Evidence) -> Tensor:
    """How much the loss would rise if the weight went, where it is at a minimum: the first order
    is zero there and curvature decides.
    """
    return 0.5 * evidence.of("gradient_power") * evidence.weight.square()


@criterion(
    "synflow",
    "SynFlow",
    formula="(∂R/∂|w|) · |w|",
    symbols="R: the sum of the outputs for an input of ones, with all weights made positive; the "
    "score is the share of R that flows through w",
    source="Tanaka et al. 2020, arXiv:2006.05467 (there 100 rounds; one round here); biases "
    "and batch-norm means count as zero, so that R is flow through weights alone",
    needs=("flow",),
)
def synflow(evidence: Evidence) -> Tensor:
    """How much of the network's flow from input to output passes this connection. It looks at no
    data at all and keeps whole paths alive. Behind softmax or layer norm it is a heuristic only.
    """
    return (evidence.of("flow") * evidence.weight).abs()
