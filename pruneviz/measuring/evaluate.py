"""How well does a plan's network answer?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own abbreviation)
from torch import Tensor, nn

from pruneviz.measuring.intervals import paired_difference, wilson
from pruneviz.replica import masked, replica, state
from pruneviz.sources import Data, Outcome
from pruneviz.sources.checks import check_targets

# Samples are answered in blocks that always start at the same places: a sample's answer then
# does not depend on which prefixes were asked for before it.
BLOCK = 64


@dataclass(frozen=True)
class Evaluation:
    """Accuracy of a plan on the first n validation samples, fractions in [0, 1].

    low, high: 95 % Wilson interval. loss: mean cross-entropy in nats. per_class: class ->
    accuracy (NaN where the prefix has no sample of it). delta: accuracy minus that of the dense
    network on the same samples, with its 95 % paired interval. predicted: int64 [n].
    dense_per_class, dense_predicted: the same of the dense network.
    """

    n: int
    accuracy: float
    low: float
    high: float
    loss: float
    per_class: Mapping[str, float]
    dense_per_class: Mapping[str, float]
    delta: float
    delta_low: float
    delta_high: float
    predicted: Tensor
    dense_predicted: Tensor

    @property
    def measurable(self) -> bool:
        """Whether the paired interval leaves zero out."""
        return self.delta_high < 0 or self.delta_low > 0

    @property
    def words(self) -> str:
        """The change from dense in words, in points of accuracy."""
        low, high = 100 * self.delta_low, 100 * self.delta_high
        if not self.measurable:
            return f"no measurable change ({low:+.1f} … {high:+.1f} points)"
        return f"{100 * self.delta:+.1f} points ({low:+.1f} … {high:+.1f})"


def answer(
    model: nn.Module, masks: Mapping[str, Tensor], data: Data, start: int, stop: int
) -> Outcome:
    """What `model` under parameter masks answers to samples start..stop, in whole blocks.

    `start` is rounded down and `stop` up to a multiple of BLOCK. The model is not written to.
    Raises ValueError naming the first target beyond the outputs.
    """
    network, parameters = replica(model), masked(state(model), masks)
    predicted, losses = [], []
    stop = min(-(-stop // BLOCK) * BLOCK, len(data))
    with torch.inference_mode():
        for begin in range(start // BLOCK * BLOCK, stop, BLOCK):
            inputs = data.inputs[begin : min(begin + BLOCK, stop)]
            targets = data.targets[begin : min(begin + BLOCK, stop)]
            outputs = torch.func.functional_call(network, parameters, (inputs,))
            check_targets(targets, outputs.shape[1], "the network's outputs")
            predicted.append(outputs.argmax(1).cpu())
            losses.append(F.cross_entropy(outputs.float(), targets, reduction="none").cpu())
    if not predicted:
        return nothing_answered()
    return Outcome(torch.cat(predicted), torch.cat(losses))


def nothing_answered() -> Outcome:
    """The outcome of no samples."""
    return Outcome(torch.empty(0, dtype=torch.int64), torch.empty(0))


def join(first: Outcome, second: Outcome) -> Outcome:
    """Two outcomes one after the other."""
    return Outcome(
        torch.cat([first.predicted, second.predicted]), torch.cat([first.loss, second.loss])
    )


def summarise(
    outcome: Outcome, dense: Outcome, targets: Tensor, classes: tuple[str, ...], n: int
) -> Evaluation:
    """The evaluation of the first n answers of `outcome`, paired with those of `dense`."""
    targets, predicted = targets[:n].cpu(), outcome.predicted[:n]
    right, dense_right = predicted == targets, dense.predicted[:n] == targets
    hits = int(right.sum())
    low, high = wilson(hits, n)
    if outcome is dense:
        delta = delta_low = delta_high = 0.0
    else:
        gained, lost = int((right & ~dense_right).sum()), int((~right & dense_right).sum())
        delta, delta_low, delta_high = paired_difference(gained, lost, n)
    return Evaluation(
        n=n,
        accuracy=hits / n if n else float("nan"),
        low=low,
        high=high,
        loss=float(outcome.loss[:n].double().mean()),
        per_class=_by_class(right, targets, classes),
        dense_per_class=_by_class(dense_right, targets, classes),
        delta=delta,
        delta_low=delta_low,
        delta_high=delta_high,
        predicted=predicted,
        dense_predicted=dense.predicted[:n],
    )


def _by_class(right: Tensor, targets: Tensor, classes: tuple[str, ...]) -> dict[str, float]:
    totals = torch.bincount(targets, minlength=len(classes)).double()
    hits = torch.bincount(targets[right], minlength=len(classes)).double()
    return dict(zip(classes, (hits / totals).tolist(), strict=True))
