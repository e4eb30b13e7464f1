"""Which numbers does one expect of a task?"""

from __future__ import annotations

import math
from dataclasses import replace

from torch import Tensor

from pruneviz.data import Outcome
from pruneviz.tasks.task import Column


def mean_of(values: Tensor, weight: Tensor | None) -> float:
    """The mean of [n] values, weighted; NaN where nothing counts."""
    if weight is None:
        return float(values.double().mean())
    return float((values.double() * weight).sum() / weight.double().sum())


def mean_score(outcome: Outcome) -> float:
    """The weighted mean score; NaN where there is none."""
    return math.nan if outcome.score is None else mean_of(outcome.score, outcome.weight)


def mean_loss(outcome: Outcome) -> float:
    """The mean loss: of samples, or of all the positions that count."""
    own_outcome = own(outcome)
    return mean_of(own_outcome.loss, own_outcome.weight)


def own(outcome: Outcome) -> Outcome:
    """The outcome as the task itself has judged it, without the user's metric."""
    if "own score" not in outcome.more:
        return outcome
    more = dict(outcome.more)
    return replace(
        outcome, score=more.pop("own score"), weight=more.pop("own weight", None), more=more
    )


def measure_classes(outcome: Outcome) -> dict[str, float]:
    """Accuracy, top-5 accuracy (of more than five classes), cross-entropy in nats."""
    measures = {"accuracy": mean_score(outcome)}
    if "top-5" in outcome.more:
        measures["top-5 accuracy"] = mean_of(outcome.more["top-5"], None)
    return measures | {"loss": mean_loss(outcome)}


def measure_positions(outcome: Outcome) -> dict[str, float]:
    """Accuracy and cross-entropy in nats, over all positions that count."""
    return {"accuracy": mean_score(outcome), "loss": mean_loss(outcome)}


def measure_pixels(outcome: Outcome) -> dict[str, float]:
    """Accuracy, mean intersection over union, cross-entropy, over all positions that count.

    Of each class over all samples at once; a class that neither is nor is said is left out.
    """
    measures = {"accuracy": mean_score(outcome)}
    if "both" in outcome.more:
        both, either = (outcome.more[name].long().sum(0).double() for name in ("both", "either"))
        present = either > 0
        measures["mean IoU"] = float(
            (both[present] / either[present]).mean()
        )  # NaN where nothing counts
    return measures | {"loss": mean_loss(outcome)}


def measure_language(outcome: Outcome) -> dict[str, float]:
    """Accuracy, perplexity = exp(Σ loss of a token / Σ tokens), and that mean loss in nats."""
    loss = mean_loss(outcome)
    return {"accuracy": mean_score(outcome), "perplexity": perplexity(loss), "loss": loss}


def language_columns(outcome: Outcome) -> dict[str, Column]:
    """Of perplexity: the loss of each text, weighted by its tokens."""
    one = own(outcome)
    return {"perplexity": Column(one.loss, one.weight, (0.0, math.inf), perplexity)}


def perplexity(loss: float) -> float:
    """exp of a loss in nats; NaN (nothing counted) stays NaN."""
    return math.inf if loss > 700 else math.exp(loss)  # beyond that float64 has no number for it


def measure_values(outcome: Outcome) -> dict[str, float]:
    """R², and the root of the mean squared error over all outputs."""
    return {"R²": mean_score(outcome), "RMSE": math.sqrt(mean_loss(outcome))}


def measure_agreement(outcome: Outcome) -> dict[str, float]:
    """The share of equal classes, and KL divergence from the dense network in nats."""
    return {"top-1 agreement": mean_score(outcome), "KL divergence": mean_loss(outcome)}


def measure_closeness(outcome: Outcome) -> dict[str, float]:
    """The mean of ‖f − d‖/‖d‖."""
    return {"relative error": mean_loss(outcome)}


def measure_cosine(outcome: Outcome) -> dict[str, float]:
    """The mean cosine between the outputs and the dense network's."""
    return {"cosine": mean_score(outcome)}


def measure_nothing(outcome: Outcome) -> dict[str, float]:
    """Nothing but what the user's metric says."""
    return {}
