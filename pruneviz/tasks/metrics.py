"""What does the user's own metric say?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from pruneviz.data import Metric, Outcome
from pruneviz.tasks.task_scores import wide


def name_of(metric: Metric) -> str:
    """What a metric is called: its function's or class's name."""
    name = str(getattr(metric, "__name__", type(metric).__name__))
    return "metric" if name == "<lambda>" else name


def judge_metric(
    judge: Callable[[Tensor, Tensor], Outcome], metric: Metric, outputs: Tensor, targets: Tensor
) -> Outcome:
    """What `judge` says, with the metric's scores in place of its own (kept in "own score").

    A single number for the block stands for all its samples, but is one observation only: the
    first sample carries all the weight, so that no interval gets narrower than it may.
    Raises ValueError naming the metric if it fails or gives another number of numbers.
    """
    own, name, n = judge(outputs, targets), name_of(metric), len(outputs)
    try:
        scores = metric(wide(outputs), targets.to(outputs.device))
        score = torch.as_tensor(scores).detach().float().cpu().reshape(-1)
    except Exception as error:
        raise ValueError(
            f"metric {name!r} failed on outputs of shape {tuple(outputs.shape)} and targets of "
            f"shape {tuple(targets.shape)}: {error}"
        ) from error
    if len(score) not in (1, n):
        raise ValueError(
            f"metric {name!r} gave {len(score)} numbers for {n} samples; "
            "give one for each, or a single one for all"
        )
    weight = None
    if len(score) < n:
        weight = torch.zeros(n)
        weight[0] = n
    elif n == 1:
        weight = torch.ones(1)  # a last block of one sample: which of both it was cannot be told
    more = dict(own.more)
    if own.score is not None:
        more["own score"] = own.score
    if own.weight is not None:
        more["own weight"] = own.weight
    return replace(own, score=score.expand(n).contiguous(), weight=weight, more=more)
