"""What do gradients follow?"""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F  # noqa: N812 (torch's own abbreviation)
from torch import Tensor

from pruneviz.data import IGNORED
from pruneviz.tasks.task_scores import flat, wide


def loss_classes(outputs: Tensor, targets: Tensor | None) -> Tensor:
    """Cross-entropy [b] of outputs [b, classes]; without targets, by the network's own answers."""
    labels = outputs.detach().argmax(1) if targets is None else targets
    return F.cross_entropy(wide(outputs), labels.to(outputs.device).long(), reduction="none")


def loss_positions(axis: int, outputs: Tensor, targets: Tensor | None) -> Tensor:
    """Cross-entropy [b] of outputs with their classes on `axis`, the mean over its positions."""
    rows = wide(outputs.movedim(axis, -1).flatten(1, -2))
    labels = rows.detach().argmax(-1) if targets is None else targets.flatten(1)
    labels = labels.to(outputs.device).long()
    loss = F.cross_entropy(rows.flatten(0, 1), labels.flatten(), reduction="none")
    return loss.view_as(labels).sum(1) / (labels != IGNORED).sum(1).clamp(min=1)


def loss_skills(outputs: Tensor, targets: Tensor | None) -> Tensor:
    """Cross-entropy [b] of outputs [b, words, classes], the mean over all words that follow."""
    return loss_positions(-1, outputs, None if targets is None else targets[..., 0])


def loss_values(outputs: Tensor, targets: Tensor | None) -> Tensor:
    """Mean squared error [b] of outputs [b, ...]; without targets, the mean square."""
    answers = flat(outputs)
    if targets is None:
        return answers.square().mean(1)
    return (answers - flat(targets.to(outputs.device))).square().mean(1)


def loss_own(
    loss: Callable[[Tensor, Tensor | None], Tensor], outputs: Tensor, targets: Tensor | None
) -> Tensor:
    """`loss` [b] as if there were no targets."""
    return loss(outputs, None)


def loss_unknown(outputs: Tensor, targets: Tensor | None) -> Tensor:
    """ValueError: there is none."""
    raise ValueError(
        "these targets fit no known loss, so nothing can be known of gradients; "
        "choose a criterion that needs none, such as 'magnitude'"
    )
