"""How important is a weight or a unit, judged by what flows through it?"""

from __future__ import annotations

import torch
from torch import Tensor

from pruneviz.pruning.criteria.table import BLOCK, NEURON, PATTERN, WEIGHT, criterion
from pruneviz.pruning.evidence import Evidence


@criterion(
    "activation",
    "Mean |activation|",
    formula="mean |a|",
    symbols="a: the unit's activation, over calibration samples and positions",
    source="Molchanov et al. 2017, arXiv:1611.06440, sec. 2.2",
    needs=("activation",),
    granularities=(NEURON,),
)
def activation(evidence: Evidence) -> Tensor:
    """A unit that hardly ever speaks up is not missed by the layers that listen to it."""
    return evidence.of("activation")


@criterion(
    "apoz",
    "Active share (1 − APoZ)",
    formula="1 − (share of activations ≤ 0)",
    symbols="activations: of the unit, over calibration samples and positions; behind ReLU, "
    "≤ 0 is exactly the zeros that APoZ counts",
    source="Hu et al. 2016 (network trimming), arXiv:1607.03250",
    needs=("silence",),
    granularities=(NEURON,),
)
def apoz(evidence: Evidence) -> Tensor:
    """A unit that is silent (zero behind its ReLU) for most inputs is a candidate to go."""
    return 1 - evidence.of("silence")


@criterion(
    "variance",
    "Activation variance",
    formula="mean (a − mean a)²",
    symbols="a: the unit's activation, over calibration samples and positions",
    source="Polyak & Wolf 2015, doi:10.1109/ACCESS.2015.2494536",
    needs=("variance",),
    granularities=(NEURON,),
)
def variance(evidence: Evidence) -> Tensor:
    """A unit that always says the same tells nothing about the input: a constant could stand in
    for it.
    """
    return evidence.of("variance")


@criterion(
    "wanda",
    "Wanda",
    formula="|w| · ‖x‖₂",
    symbols="w: a weight; x: the input it multiplies, over all calibration samples and positions",
    source="Sun et al. 2023, arXiv:2306.11695 (there compared inside each output row; here inside "
    "the chosen scope)",
    needs=("input_norm",),
)
def wanda(evidence: Evidence) -> Tensor:
    """A small weight on a loud input can matter more than a large one on an input that is nearly
    always zero.
    """
    return evidence.weight.abs() * evidence.of("input_norm")


@criterion(
    "ria",
    "RIA",
    formula="(|w| / Σ column |v| + |w| / Σ row |v|) · ‖x‖₂^½",
    symbols="w: a weight; row: the weights of its unit; column: those of all units for the same "
    "input (of its group of a convolution); x: the input it multiplies, over all calibration "
    "samples and positions",
    source="Zhang et al. 2024 (relative importance and activations), ICLR 2024, eq. 3–4",
    needs=("input_norm",),
    granularities=(WEIGHT, PATTERN),
)
def ria(evidence: Evidence) -> Tensor:
    """What share a weight has of its row and of its column: no unit and no input loses all of its
    weights, as can happen where absolute sizes compete.
    """
    sizes = evidence.weight.abs().double()
    tiny = torch.finfo(torch.float64).tiny
    rows = sizes.flatten(1).sum(1).reshape(-1, *[1] * (sizes.ndim - 1))
    columns = torch.unflatten(sizes, 0, (evidence.layer.groups, -1)).sum(1, keepdim=True)
    columns = columns.expand(-1, len(sizes) // evidence.layer.groups, *sizes.shape[1:])
    share = sizes / columns.flatten(0, 1).clamp(min=tiny) + sizes / rows.clamp(min=tiny)
    return share * evidence.of("input_norm").sqrt()


@criterion(
    "obs",
    "OBS",
    formula="w² / [H⁻¹]ⱼⱼ,   H = mean x·xᵀ + λI",
    symbols="w: the weight on input j; x: the inputs of its unit, over calibration samples and "
    "positions (about 20,000 rows of them); λ: 1 % of the mean diagonal; I: the identity",
    source="Hassibi & Stork 1993 (optimal brain surgeon); layer by layer Frantar & Alistarh 2023 "
    "(SparseGPT), arXiv:2301.00774",
    needs=("inverse_diagonal",),
    granularities=(WEIGHT, PATTERN),
)
def obs(evidence: Evidence) -> Tensor:
    """How much the layer's output would still change if the other weights of the unit made up for
    the weight as well as they can: what others can stand in for is cheap. The repair *update* lets
    them.
    """
    return evidence.weight.double().square() / evidence.of("inverse_diagonal")


@criterion(
    "cosine",
    "Turn of what passes",
    formula="1 − mean cos(x, x + f(x))",
    symbols="x: what goes into the block, f: what the block adds; cos: of vectors over the "
    "channels, mean over calibration samples and positions",
    source="Men et al. 2024 (ShortGPT, Block Influence), arXiv:2403.03853, eq. 1",
    needs=("turn",),
    granularities=(BLOCK,),
)
def cosine(evidence: Evidence) -> Tensor:
    """A block that hardly turns what passes it looks as if it did little. What it measures when it
    is left out can say otherwise.
    """
    return evidence.of("turn")
