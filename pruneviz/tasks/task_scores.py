"""How good is each answer of a block?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own abbreviation)
from torch import Tensor

from pruneviz.data import IGNORED, Outcome, check_targets

_AT_ONCE = 1 << 22  # numbers of an answer that are looked at in one go: 16 MB in float32
_OUTPUTS = "the network's outputs"
OVERLAPS = 256  # classes at most whose overlaps are counted


def judge_classes(outputs: Tensor, targets: Tensor) -> Outcome:
    """Outputs [b, classes] by targets int64 [b]: right or wrong, cross-entropy, top-5."""
    targets = targets.to(outputs.device).long()
    check_targets(targets, outputs.shape[1], _OUTPUTS)
    broken = overflown(outputs)
    predicted = outputs.argmax(1).masked_fill(broken, -1)
    loss = F.cross_entropy(outputs.float(), targets, reduction="none")
    more = {}
    if outputs.shape[1] > 5:
        more["top-5"] = (outputs.topk(5, 1).indices == targets[:, None]).any(1) & ~broken
    return outcome_of(predicted == targets, loss, broken, predicted=predicted, more=more)


def judge_positions(
    axis: int, outputs: Tensor, targets: Tensor, *, overlaps: bool = False
) -> Outcome:
    """Outputs with their classes on `axis` by targets int64 [b, ...]: the share that is right.

    Weighted by the number of positions that count: those whose target is not -100. overlaps: with
    columns "both" and "either" [b, classes], of each class how often answer and target are it, and
    how often one of them is.
    """
    rows = outputs.movedim(axis, -1).flatten(1, -2).float()  # [b, positions, classes]
    targets = targets.to(outputs.device).long().flatten(1)
    check_targets(targets, rows.shape[-1], _OUTPUTS)
    is_labelled = targets != IGNORED
    broken = overflown(rows) & is_labelled
    classes = rows.argmax(-1).masked_fill(broken, -1)
    right = (classes == targets) & is_labelled
    loss = F.cross_entropy(rows.flatten(0, 1), targets.flatten(), reduction="none")
    number = is_labelled.sum(1)
    each = number.clamp(min=1)
    mean = loss.view_as(targets).double().sum(1) / each
    more = {}
    if overlaps:
        more = _overlaps(classes.masked_fill(~is_labelled, -1), targets, right, rows.shape[-1])
    return outcome_of(
        right.sum(1) / each, mean, broken.any(1), weight=number, shared=True, more=more
    )


def judge_values(spread: Tensor, outputs: Tensor, targets: Tensor) -> Outcome:
    """Outputs [b, ...] by targets of as many numbers: 1 − squared error / spread.

    spread: the variance of each target over all samples [k], or one for all of them [1]. The mean
    of the scores over them all is R² = 1 − SS_res/SS_tot, averaged over the outputs; a target that
    never varies scores 1 where it is met exactly and 0 elsewhere (both as
    sklearn.metrics.r2_score). The column "errors" [b, k] holds what `prefix_values` needs of
    several targets.
    """
    answers, goals = flat(outputs), flat(targets.to(outputs.device))
    error = (answers - goals).square()
    if len(spread) < error.shape[1]:
        error = error.mean(1, keepdim=True)
    share = _share(error, spread.to(error))
    more = {"errors": error} if len(spread) > 1 else {}
    broken = ~torch.isfinite(answers).all(1)
    return outcome_of(1 - share.mean(1), error.mean(1), broken, more=more)


def prefix_values(alike: bool, outcome: Outcome, targets: Tensor) -> Outcome:
    """The scores of `judge_values` by how far these targets [n, ...] are spread, and no others.

    alike: whether all targets of a sample share one spread. Each score is R² + ((1 − R²)·v − e)/V,
    of its squared error e and squared distance v from the targets' mean, V the mean of v: their
    mean is R², and their deviation that of a quotient of two means (linearised), so that intervals
    count that the spread is a sample's too. A broken answer scores as the mean of the targets does.
    """
    goals = flat(targets).double()
    away = (goals - goals.mean(0)).square()
    if alike:
        away = away.mean(1, keepdim=True)
    spread = away.mean(0)
    errors = outcome.more.get("errors", outcome.loss[:, None]).double()
    broken = outcome.more.get("broken")
    if broken is not None:
        errors = torch.where(broken[:, None], spread, errors)
    share = _share(errors, spread)
    residual = share.mean(0)
    turn = torch.where(spread > 0, residual * (away / spread - 1), 0)
    score = (1 - share + turn).mean(1).float()
    if "own score" in outcome.more:
        return replace(outcome, more={**outcome.more, "own score": score})
    return replace(outcome, score=score)


def _share(error: Tensor, spread: Tensor) -> Tensor:
    return torch.where(spread > 0, error / spread, (error > 0).to(error))


def judge_agreement(axis: int, outputs: Tensor, dense: Tensor) -> Outcome:
    """Outputs with their classes on `axis`: the same class as the dense network's.

    The loss is the Kullback–Leibler divergence Σ p·ln(p/q) in nats, p of the dense network.
    """
    sides = (x.movedim(axis, -1) for x in (outputs, dense))
    now, was = (x.reshape(len(x), -1, x.shape[-1]).float() for x in sides)
    broken = overflown(now) | overflown(was)
    predicted = now.argmax(-1).masked_fill(broken, -1)
    same = (predicted == was.argmax(-1)).double().mean(1)
    share = was.log_softmax(-1)
    # A class that the dense network rules out adds nothing.
    terms = (share.exp() * (share - now.log_softmax(-1))).masked_fill(share == -math.inf, 0)
    single = predicted[:, 0] if outputs.ndim == 2 else None
    loss = terms.sum(-1).mean(1)
    return outcome_of(same, loss, broken.any(1), predicted=single, shared=outputs.ndim > 2)


def judge_closeness(outputs: Tensor, dense: Tensor) -> Outcome:
    """Outputs [b, ...]: 1 − ‖f − d‖/‖d‖ of each sample, d the dense network's outputs."""
    now, was = flat(outputs), flat(dense.to(outputs.device))
    distance, size = (now - was).norm(dim=1), was.norm(dim=1)
    error = torch.where(size > 0, distance / size, (distance > 0).to(size))
    broken = ~(torch.isfinite(now).all(1) & torch.isfinite(was).all(1))
    return outcome_of(1 - error, error, broken)


def judge_cosine(outputs: Tensor, dense: Tensor) -> Outcome:
    """Outputs [b, ..., k]: the cosine between them and the dense network's, the mean over the rest.

    Of [b, ...] with more than three dimensions the cosine of all numbers of a sample. Two vectors
    of length 0 are the same, one of them is like none.
    """
    now, was = (flat(x) if x.ndim > 3 else wide(x) for x in (outputs, dense.to(outputs.device)))
    now, was = (x[:, None] if x.ndim == 1 else x for x in (now, was))
    broken = ~(torch.isfinite(flat(now)).all(1) & torch.isfinite(flat(was)).all(1))
    lengths = now.norm(dim=-1), was.norm(dim=-1)
    both = (now * was).sum(-1) / (lengths[0] * lengths[1])
    cosine = torch.where((lengths[0] == 0) | (lengths[1] == 0), (now == was).all(-1), both)
    cosine = cosine.clamp(-1, 1).reshape(len(cosine), -1).mean(1)
    same = (flat(now) == flat(was)).all(1)
    cosine = torch.where(same, 1.0, cosine)  # not 0.9999999 of itself
    return outcome_of(cosine, 1 - cosine, broken)


def judge_nothing(outputs: Tensor, targets: Tensor) -> Outcome:
    """No score and no loss: only whether the outputs are finite."""
    unknown = torch.full((len(outputs),), math.nan)
    return Outcome(
        torch.full((len(outputs),), -1),
        unknown,
        unknown,
        more={"broken": ~torch.isfinite(flat(outputs)).all(1).cpu()},
    )


def in_parts(judge: Callable[[Tensor, Tensor], Outcome]) -> Callable[[Tensor, Tensor], Outcome]:
    """The same judge, shown a few samples at a time: a text model's answers are large."""

    def judge_parts(outputs: Tensor, targets: Tensor) -> Outcome:
        step = max(1, _AT_ONCE // max(1, outputs[:1].numel()))
        if step >= len(outputs):
            return judge(outputs, targets)
        parts = zip(torch.split(outputs, step), torch.split(targets, step), strict=True)
        return concatenate([judge(*part) for part in parts])

    return judge_parts


def concatenate(outcomes: list[Outcome]) -> Outcome:
    """Outcomes one after the other; of columns those that all of them have."""
    shared = set.intersection(*(set(outcome.more) for outcome in outcomes))
    return Outcome(
        predicted=torch.cat([outcome.predicted for outcome in outcomes]),
        loss=torch.cat([outcome.loss for outcome in outcomes]),
        score=_together([outcome.score for outcome in outcomes]),
        weight=_together([outcome.weight for outcome in outcomes]),
        more={
            name: torch.cat([outcome.more[name] for outcome in outcomes])
            for name in outcomes[0].more
            if name in shared
        },
    )


def flat(values: Tensor) -> Tensor:
    """[b, ...] as [b, k], in float32 at least."""
    return wide(values.reshape(len(values), -1))


def wide(values: Tensor) -> Tensor:
    """The values in float32 at least."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def overflown(rows: Tensor) -> Tensor:
    """Where NaN or +inf is among the last dimension; -inf only rules a class out."""
    return ~(rows.amax(-1) < math.inf)


def _overlaps(answers: Tensor, targets: Tensor, right: Tensor, classes: int) -> dict[str, Tensor]:
    """Of each class [b, classes] the positions where both are it, and where one of them is."""

    def count(values: Tensor, where: Tensor) -> Tensor:
        counts = torch.zeros(len(values), classes, dtype=torch.int32, device=values.device)
        return counts.scatter_add_(1, values.clamp(min=0), where.int())

    both = count(targets, right)
    either = count(targets, targets >= 0) + count(answers, answers >= 0) - both
    return {"both": both, "either": either}


def outcome_of(
    score: Tensor,
    loss: Tensor,
    broken: Tensor,
    *,
    predicted: Tensor | None = None,
    weight: Tensor | None = None,
    more: Mapping[str, Tensor] | None = None,
    shared: bool = False,
) -> Outcome:
    """The columns on the CPU; a broken answer scores 0, unless `shared`: then its rest counts."""
    if not shared:
        score = torch.where(broken, 0, score)
    if predicted is None:
        predicted = torch.full_like(broken, -1, dtype=torch.int64)
    return Outcome(
        predicted=predicted.cpu(),
        loss=loss.masked_fill(broken, math.inf).float().cpu(),
        score=score.float().cpu(),
        weight=None if weight is None else weight.float().cpu(),
        more={name: x.cpu() for name, x in {**(more or {}), "broken": broken}.items()},
    )


def _together(columns: list[Tensor | None]) -> Tensor | None:
    there = [column for column in columns if column is not None]
    return torch.cat(there) if there and len(there) == len(columns) else None
