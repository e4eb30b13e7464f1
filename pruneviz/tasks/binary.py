"""How good is each answer where targets are yes or no?"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own abbreviation)
from torch import Tensor

from pruneviz.data import IGNORED, Outcome, check_targets
from pruneviz.tasks.measures import mean_loss, mean_score
from pruneviz.tasks.task_scores import outcome_of, overflown, wide


def judge_binary(outputs: Tensor, targets: Tensor) -> Outcome:
    """Logits [b] or [b, 1] by targets int64 [b] of 0 and 1: right or wrong, cross-entropy."""
    logits, targets = wide(outputs).reshape(len(outputs)), targets.to(outputs.device)
    check_targets(targets, 2, "no and yes")
    broken = overflown(logits[:, None])
    predicted = (logits > 0).long().masked_fill(broken, -1)
    return outcome_of(
        predicted == targets,
        loss_binary(logits, targets),
        broken,
        predicted=predicted,
        more={"true": targets > 0},
    )


def judge_labels(outputs: Tensor, targets: Tensor) -> Outcome:
    """Logits [b, ...] by zeros and ones of as many numbers: the share that is right.

    Weighted by the labels that count: those whose target is not -100. Columns of counts: "hits",
    "false yes" and "false no" [b, k], k the second dimension (of pictures the channels).
    """
    rows, targets = _by_label(outputs), _by_label(targets.to(outputs.device))
    check_targets(targets.long(), 2, "no and yes")
    is_labelled = targets != IGNORED
    broken = ~(rows < torch.inf) & is_labelled
    answers, true = rows > 0, targets > 0.5
    right = (answers == true) & is_labelled & ~broken
    number = is_labelled.sum((1, 2))
    share = right.sum((1, 2)) / number.clamp(min=1)
    counts = {"hits": answers & true, "false yes": answers & ~true, "false no": ~answers & true}
    return outcome_of(
        share,
        loss_labels(outputs, targets),
        broken.any(2).any(1),
        weight=number,
        more={name: (where & is_labelled).sum(2).int() for name, where in counts.items()},
        shared=True,
    )


def loss_binary(outputs: Tensor, targets: Tensor | None) -> Tensor:
    """Binary cross-entropy [b] of logits [b] or [b, 1]; without targets, by the own answers."""
    logits = wide(outputs).reshape(len(outputs))
    labels = logits.detach() > 0 if targets is None else targets.to(outputs.device)
    return F.binary_cross_entropy_with_logits(logits, labels.to(logits), reduction="none")


def loss_labels(outputs: Tensor, targets: Tensor | None) -> Tensor:
    """Binary cross-entropy [b] of logits [b, ...], the mean over all labels that count."""
    logits = wide(outputs).reshape(len(outputs), -1)
    if targets is None:
        labels, is_labelled = (logits.detach() > 0).to(logits), torch.ones_like(logits)
    else:
        labels = targets.to(logits.device).reshape(len(outputs), -1).to(logits)
        is_labelled = (labels != IGNORED).to(logits)
    loss = F.binary_cross_entropy_with_logits(logits, labels.clamp(min=0), reduction="none")
    return (loss * is_labelled).sum(1) / is_labelled.sum(1).clamp(min=1)


def measure_binary(outcome: Outcome) -> dict[str, float]:
    """Accuracy, F1 of the ones, cross-entropy in nats."""
    measures = {"accuracy": mean_score(outcome)}
    if "true" in outcome.more:
        true, positive = outcome.more["true"], outcome.predicted == 1
        counts = [
            (a & b).sum() for a, b in ((positive, true), (positive, ~true), (~positive, true))
        ]
        measures["F1"] = float(_f1(*counts))
    return measures | {"loss": mean_loss(outcome)}


def measure_labels(outcome: Outcome) -> dict[str, float]:
    """Accuracy a label, F1 over all labels (micro) and the mean F1 of the labels (macro)."""
    counts = [outcome.more[name].long().sum(0) for name in ("hits", "false yes", "false no")]
    return {
        "accuracy": mean_score(outcome),
        "F1 micro": float(_f1(*(count.sum() for count in counts))),
        "F1 macro": float(_f1(*counts).mean()),
        "loss": mean_loss(outcome),
    }


def measure_marks(outcome: Outcome) -> dict[str, float]:
    """Accuracy a position, intersection over union and F1 of the ones, over all positions."""
    hits, yes, no = (outcome.more[name].long().sum() for name in ("hits", "false yes", "false no"))
    union = hits + yes + no
    return {
        "accuracy": mean_score(outcome),
        "IoU": float(hits / union) if union else float("nan"),
        "F1": float(_f1(hits, yes, no)),
        "loss": mean_loss(outcome),
    }


def _f1(hits: Tensor, false_yes: Tensor, false_no: Tensor) -> Tensor:
    """2·TP / (2·TP + FP + FN); 0 where there is nothing of it, as scikit-learn's default."""
    hits, others = hits.double(), (false_yes + false_no).double()
    return torch.where(hits > 0, 2 * hits / (2 * hits + others).clamp(min=1), 0.0)


def _by_label(values: Tensor) -> Tensor:
    """[b, ...] as [b, labels, positions of each]; one label where there are no columns."""
    wide_ = wide(values)
    return wide_.reshape(len(values), values.shape[1] if values.ndim > 1 else 1, -1)
