"""How important is a weight or a unit, judged by what flows through it?"""

from __future__ import annotations

from torch import Tensor

from pruneviz.pruning.criteria.table import NEURON, criterion
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
