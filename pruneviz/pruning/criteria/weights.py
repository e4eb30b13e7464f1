"""How important is a weight or a unit, judged by the weights alone?"""

from __future__ import annotations

import zlib

import torch
from torch import Tensor

from pruneviz.pruning.criteria.table import BLOCK, EVERYWHERE, NEURON, WEIGHT, criterion
from pruneviz.pruning.evidence import Evidence


@criterion(
    "magnitude",
    "Magnitude",
    formula="|w|   (a unit: Σ |w| over its weights, the L1 norm)",
    symbols="w: a weight",
    source="Han et al. 2015, arXiv:1506.02626; for filters Li et al. 2017, arXiv:1608.08710",
    granularities=(*EVERYWHERE, BLOCK),
)
def magnitude(evidence: Evidence) -> Tensor:
    """Small weights matter little: a weight near zero hardly changes what its unit adds up."""
    return evidence.weight.abs()


@criterion(
    "l2",
    "L2 norm",
    formula="√(Σ w²)",
    symbols="w: the weights of one unit",
    source="He et al. 2018 (soft filter pruning), arXiv:1808.06866",
    granularities=(NEURON,),
)
def l2(evidence: Evidence) -> Tensor:
    """The length of a unit's weight vector: one large weight counts more than many small ones."""
    return evidence.weight.flatten(1).square().sum(1).sqrt()


@criterion(
    "lamp",
    "LAMP",
    formula="w² / Σ v²   over all v in the layer with |v| ≥ |w|",
    symbols="w: a weight; v: the weights of its layer that are at least as large",
    source="Lee et al. 2021, arXiv:2010.07611",
    granularities=(WEIGHT,),
)
def lamp(evidence: Evidence) -> Tensor:
    """Magnitude, rescaled so that layers can compete in one ranking: what share of the weight
    still standing would go with this one. Meant for the global scope; inside one layer it ranks
    as magnitude does.
    """
    flat = evidence.weight.flatten().double().square()
    ascending, order = torch.sort(flat, stable=True)
    surviving = ascending.flip(0).cumsum(0).flip(0)
    scores = torch.empty_like(flat)
    scores[order] = ascending / surviving.clamp(min=torch.finfo(torch.float64).tiny)
    return scores.reshape(evidence.weight.shape)


@criterion(
    "fpgm",
    "Geometric median (FPGM)",
    formula="Σⱼ ‖fᵢ − fⱼ‖₂",
    symbols="fᵢ: the weights of unit i; j runs over all units of the layer",
    source="He et al. 2019, arXiv:1811.00250",
    granularities=(NEURON,),
)
def fpgm(evidence: Evidence) -> Tensor:
    """A unit close to all others can be replaced by them: it is redundancy, not smallness, that
    makes it unimportant.
    """
    units = evidence.weight.flatten(1).double()
    return torch.cdist(units, units, compute_mode="donot_use_mm_for_euclid_dist").sum(1)


@criterion(
    "bn_scale",
    "Batch-norm scale",
    formula="|γ|",
    symbols="γ: the scale of the batch norm behind the unit",
    source="Liu et al. 2017 (network slimming), arXiv:1708.06519",
    needs=("scale",),
    granularities=(NEURON,),
)
def bn_scale(evidence: Evidence) -> Tensor:
    """How much the batch norm lets a filter through. Only for layers with a batch norm behind."""
    return evidence.of("scale").abs()


@criterion(
    "consumer",
    "Norm of what reads it",
    formula="√(Σ v²)",
    symbols="v: the weights of the layers behind that multiply what the unit puts out",
    source="the pruning lab of MIT 6.5940 (2023), channels ranked by the layer behind; Li et al. "
    "2017, arXiv:1608.08710, sec. 3.3, has both sides",
    needs=("read",),
    granularities=(NEURON,),
    joint=True,
)
def consumer(evidence: Evidence) -> Tensor:
    """A unit that the layers behind hardly listen to is not missed, however loud it is. Only for
    units that can be removed.
    """
    return evidence.of("read").sqrt()


@criterion(
    "group_l2",
    "L2 norm of the group",
    formula="√(Σ w² + Σ γ² + Σ v²)",
    symbols="w: the weights that make the unit, in all layers that are cut together; γ: the scales "
    "of the batch norms behind them; v: the weights that read it",
    source="Fang et al. 2023 (DepGraph), arXiv:2301.12900, eq. 4; the group norm of Torch-Pruning, "
    "where a mean stands for the sum",
    needs=("written", "read"),
    granularities=(NEURON,),
    joint=True,
)
def group_l2(evidence: Evidence) -> Tensor:
    """The length of everything that goes with the unit, on both sides of it. Only for units that
    can be removed.
    """
    return (evidence.of("written") + evidence.of("read")).sqrt()


@criterion(
    "position",
    "Position (control)",
    formula="1 − i / n",
    symbols="i: the place of the unit in its layer, from 0; n: how many units there are",
    source="the control of courses, as in the pruning lab of MIT 6.5940 (2023)",
    granularities=(NEURON,),
)
def position(evidence: Evidence) -> Tensor:
    """The first units stay, whatever they do: as good as chance in a trained network, and easy to
    follow by eye.
    """
    units = evidence.layer.units
    places = torch.arange(units, dtype=torch.float64, device=evidence.weight.device)
    return 1 - places / units


def _uniform(evidence: Evidence, shape: tuple[int, ...]) -> Tensor:
    # The layer's own stream, so that one layer's slider does not redraw another's scores; hashed
    # into 32 bits, because torch's generator looks at no more of its seed.
    stream = zlib.crc32(f"{evidence.seed}|{evidence.layer.name}".encode())
    generator = torch.Generator().manual_seed(stream)
    scores = torch.rand(shape, generator=generator, dtype=torch.float64)
    return scores.to(evidence.weight.device)


@criterion(
    "random",
    "Random (control)",
    formula="u ~ U(0, 1)",
    symbols="u: a random number between 0 and 1, the same each time for the same seed and layer",
    source="the control in Blalock et al. 2020, arXiv:2003.03033",
    granularities=(*EVERYWHERE, BLOCK),
    unit=lambda evidence: _uniform(evidence, (evidence.layer.units,)),
)
def random(evidence: Evidence) -> Tensor:
    """No judgement at all. A criterion that does not beat it has told you nothing."""
    return _uniform(evidence, evidence.layer.shape)
