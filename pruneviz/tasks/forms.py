"""What kind of numbers does a network answer with?"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from pruneviz.tasks.task_scores import wide

# Of outputs. CHANCES: each between 0 and 1 by itself, as a sigmoid gives them.
PLAIN, PROBABILITIES, LOG_PROBABILITIES, CHANCES, UNIT = (
    "", "probabilities", "log-probabilities", "chances", "unit length",
)  # fmt: skip
_OF_CLASSES = (PROBABILITIES, LOG_PROBABILITIES)
_FEWEST = 16  # numbers between 0 and 1 that are no accident
# Operations behind which any number may come: that all lie between 0 and 1 tells nothing there.
_AFFINE = re.compile(r"Add|Mm|Convolution|Norm|^Sub")
_SIGMOID = re.compile(r"Sigmoid")
_HEAD = re.compile(r"(^|[._])(classif\w*|class|cls|logits?|lm_head|fc\d*|heads?|scores?)($|[._])")
_SURE_HEAD = re.compile(r"(^|[._])(classif\w*|cls|logits?|lm_head)($|[._])")
_NO_CLASSES = re.compile(r"box|bbox|regress|depth|coord|pose|value")
_EMBEDDING = re.compile(r"embed|projection|projector|encoder|pooler")


@dataclass(frozen=True)
class Signs:
    """What the first answers tell beside their shape.

    form: of PLAIN, PROBABILITIES, …; axis: the dimension that would hold classes. scores: why they
    are scores of classes, or "". embedding: why they are embeddings, or "".
    """

    form: str = PLAIN
    axis: int = -1
    scores: str = ""
    embedding: str = ""


def signs_of(
    outputs: Tensor,
    *,
    ending: str = "",
    heads: Collection[str] = (),
    classes: int = 0,
    vocabularies: Collection[int] = (),
) -> Signs:
    """What outputs [b, ...] of a few samples, and where they come from, tell.

    ending: autograd's name of the last operation. heads: layers whose outputs reach the answer.
    classes: how many are named. vocabularies: sizes of the network's embeddings.
    """
    if outputs.ndim == 0 or outputs.is_meta or not outputs.is_floating_point():
        return Signs()
    form, axis = _form(outputs, ending)
    many = outputs.ndim > 1 and outputs.shape[axis] > 1
    return Signs(
        form,
        axis,
        _scores(outputs, form, axis, heads, classes, vocabularies) if many else "",
        _embedding(form, heads) if many and outputs.ndim < 4 else "",
    )


def as_logits(form: str) -> Callable[[Tensor], Tensor]:
    """What makes logits of outputs of this form, so that nothing is put through a softmax twice.

    Softmax leaves log-probabilities as they are; a probability of 0 becomes the smallest number.
    """
    return {PROBABILITIES: _log, CHANCES: _logit}.get(form, _same)


def _form(outputs: Tensor, ending: str) -> tuple[str, int]:
    values = wide(outputs.detach())
    axes = (-1, 1) if outputs.ndim < 4 else (1, -1)
    usual = axes[0]
    if values.numel() == 0 or not bool((values < torch.inf).all()):  # also where one is NaN
        return PLAIN, usual
    close = 1e-3 if outputs.dtype in (torch.float32, torch.float64) else 2e-2
    for axis in axes if outputs.ndim > 2 else axes[:1]:
        if outputs.ndim < 2 or outputs.shape[axis] < 2:
            continue
        if _sum_to_one(values, axis, close):
            return PROBABILITIES, axis
        if bool((values <= close).all()) and _sum_to_one(values.exp(), axis, close):
            return LOG_PROBABILITIES, axis
    inside = bool(((values >= 0) & (values <= 1)).all())
    if inside and _SIGMOID.search(ending):
        return CHANCES, usual
    sides = bool((values > 0.5).any()) and bool((values < 0.5).any())
    if inside and sides and values.numel() >= _FEWEST and not _AFFINE.search(ending):
        return CHANCES, usual
    if 2 <= outputs.ndim < 4 and outputs.shape[-1] > 1:
        lengths = values.norm(dim=-1)
        if bool((lengths - 1).abs().max() < close):
            return UNIT, -1
    return PLAIN, usual


def _sum_to_one(values: Tensor, axis: int, close: float) -> bool:
    if bool((values < 0).any()):
        return False
    return bool((values.sum(axis) - 1).abs().max() < close)


def _scores(
    outputs: Tensor,
    form: str,
    axis: int,
    heads: Collection[str],
    classes: int,
    vocabularies: Collection[int],
) -> str:
    size = outputs.shape[axis]
    if form in _OF_CLASSES:
        return f"outputs are {form} of {size:,} classes"
    if form == UNIT:
        return ""
    if classes == size:
        return f"{classes:,} classes are named"
    if outputs.ndim == 3 and size in vocabularies:
        return f"outputs are as many as the vocabulary has words ({size:,})"
    if any(_NO_CLASSES.search(name) for name in heads):
        return ""
    pattern = _HEAD if outputs.ndim == 2 else _SURE_HEAD
    head = next((name for name in sorted(heads) if pattern.search(name)), None)
    return f"outputs come from {head!r}" if head else ""


def _embedding(form: str, heads: Collection[str]) -> str:
    if form == UNIT:
        return "every answer has length 1"
    head = next((name for name in sorted(heads) if _EMBEDDING.search(name)), None)
    return f"outputs come from {head!r}" if head else ""


def _log(outputs: Tensor) -> Tensor:
    values = wide(outputs)
    return values.clamp(min=torch.finfo(values.dtype).tiny).log()


def _logit(outputs: Tensor) -> Tensor:
    values = wide(outputs)
    small = torch.finfo(values.dtype).eps / 2
    return values.clamp(small, 1 - small).logit()


def _same(outputs: Tensor) -> Tensor:
    return outputs
