"""What can be mended without training once units or weights are cut?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from pruneviz.data import Data
from pruneviz.network.graph import Graph
from pruneviz.network.groups import Groups
from pruneviz.network.layers import Layer
from pruneviz.plan import Plan
from pruneviz.progress import ShareDone, silent_share
from pruneviz.pruning.repair.batch_norm import recalibrate
from pruneviz.pruning.repair.consumers import RepairedNetwork, consumers
from pruneviz.pruning.repair.mean_output import fold
from pruneviz.pruning.repair.reconstruction import RIDGE, can_be_fitted, reconstruct
from pruneviz.pruning.repair.weight_update import can_be_updated, update

__all__ = ["REPAIRS", "SAMPLES", "Repair", "repair"]

SAMPLES, BATCH = 1000, 64


@dataclass(frozen=True)
class Repair:
    """A repair as it is shown: what it does in plain words, its formula, its source."""

    name: str
    label: str
    meaning: str
    formula: str
    source: str


REPAIRS = {
    one.name: one
    for one in (
        Repair(
            "fold",
            "Fold means into biases",
            "What a removed unit puts out on average is added to the bias of the layers that took "
            "it in (or taken off the running mean of the batch norm behind them), so that only "
            "what varied about the unit is lost.",
            "b ← b + Σ W[:, i] · mean(aᵢ) over removed units i;  aᵢ: what i puts out in the dense "
            "network, b, W: the biases and weights that took it in",
            "An et al. 2023 (FLAP), arXiv:2312.11983; Ye et al. 2018, arXiv:1802.00124",
        ),
        Repair(
            "reconstruct",
            "Reconstruct the next layer",
            "The weights that take in the units that stay are refitted, so that the layer puts "
            "out what it does in the dense network, as nearly as least squares can. Layer after "
            "layer in the order they run, each on what the repaired layers before it give.",
            "min over W, b of Σ (y − W·x − b)² + λ·‖W − W₀‖²;  y: the layer's outputs in the dense "
            "network, x: its inputs in the pruned one, W, b: its weights and biases, W₀: the "
            "weights it had, λ: how hard it is held to them",
            "Luo et al. 2017 (ThiNet), arXiv:1707.06342; He et al. 2017, arXiv:1707.06168",
        ),
        Repair(
            "update",
            "Update the weights that stay",
            "The weights of each unit that are kept make up for those that are cut, so that the "
            "layer puts out what it would with all of them, as nearly as least squares can. Layer "
            "after layer in the order they run, each on what the updated layers before it give. In "
            "a large layer, where the optimum takes too long, column after column is cut, and "
            "those behind it make up for it.",
            "min over ŵ, zero where cut, of (w − ŵ)·H·(w − ŵ)ᵀ, H = mean x·xᵀ + λI;  x: the "
            "layer's inputs in the pruned network, w: the weights of a unit, ŵ: those after it, λ: "
            "1 % of the mean diagonal, I: the identity.  In order: "
            "w ← w − (wⱼ / [H⁻¹]ⱼⱼ)·[H⁻¹]ⱼ, blocks of 128 columns",
            "Hassibi & Stork 1993 (optimal brain surgeon); Frantar & Alistarh 2023 (SparseGPT), "
            "arXiv:2301.00774",
        ),
        Repair(
            "recalibrate",
            "Recalibrate batch norms",
            "The mean and variance that each batch norm expects are measured again on "
            "calibration data, with everything cut. Nothing happens in networks without batch "
            "norm.",
            "μ = mean(x), σ² = Σ (x − μ)² / (N − 1);  x: what the batch norm is given, "
            "N: samples × positions, μ, σ²: the mean and variance that it remembers",
            "Li et al. 2020 (EagleEye), arXiv:2007.02491; NNCF's batch-norm adaptation",
        ),
    )
}


def repair(
    model: nn.Module,
    layers: Mapping[str, Layer],
    groups: Groups | None,
    graph: Graph | None,
    plan: Plan,
    masks: Mapping[str, Tensor],
    units: Mapping[str, Tensor],
    calibration: Data,
    *,
    batch: int = BATCH,
    samples: int = SAMPLES,
    ridge: float = RIDGE,
    progress: ShareDone = silent_share,
) -> dict[str, Tensor]:
    """What takes the place of parameters and buffers of `model` by the repairs `plan` asks for.

    masks: parameter name -> bool, True = kept. units: lead of a group -> bool [units], True =
    kept. Only the first `samples` of the calibration data are used. ridge: of reconstruction.
    Reconstruction comes first, a mean is folded where nothing was fitted, weights are updated, and
    batch norms are recalibrated with all of that in place.
    Returns tensors by their names in the state dict, of the dense shapes; whatever of them is cut
    the caller masks as before. Nothing where nothing is cut. `progress` is called with the
    fraction done. Raises ValueError on empty data.
    """
    if len(calibration) == 0:
        raise ValueError("calibration data is empty; give at least one sample to repair with")
    tensors: dict[str, Tensor] = {}
    cut = any(not bool(mask.all()) for mask in masks.values())
    steps = [name for name in plan.repair if cut]
    if not steps:
        return tensors
    data = calibration.first(samples)
    network = RepairedNetwork(model, masks)
    affected = consumers(layers, masks, graph)

    def share_of(step: str) -> ShareDone:
        return lambda part: progress((steps.index(step) + part) / len(steps))

    solvable = {n: c for n, c in affected.items() if "reconstruct" in steps and can_be_fitted(c)}
    if "fold" in steps:
        others = {name: consumer for name, consumer in affected.items() if name not in solvable}
        tensors |= fold(network, others, data, batch, share_of("fold"))
    if solvable:
        tensors |= reconstruct(network, solvable, tensors, data, ridge, share_of("reconstruct"))
    if "update" in steps:
        able = {name: consumer for name, consumer in affected.items() if can_be_updated(consumer)}
        tensors |= update(network, able, data, share_of("update"))
    if "recalibrate" in steps:
        tensors |= recalibrate(
            network, groups, units, tensors, data, batch, share_of("recalibrate")
        )
    progress(1.0)
    return tensors
