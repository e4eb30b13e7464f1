"""How far are a network's answers from those that it is to learn from?"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own abbreviation)
from torch import Tensor, nn

from pruneviz.data import IGNORED, Data
from pruneviz.network.forward_pass import call_all
from pruneviz.outputs import named_output
from pruneviz.tasks import Task
from pruneviz.tasks.forms import as_logits
from pruneviz.tasks.several import Answer
from pruneviz.training.features import FeatureListener, Features
from pruneviz.training.run import Run

_CLASSES, _CHANCES = ("classes", "positions", "skills", "agreement"), ("binary", "labels")


class Teacher:
    """The dense network, which answers and is never trained; a copy on the device given."""

    def __init__(self, dense: nn.Module, run: Run, names: Sequence[str]) -> None:
        network = copy.deepcopy(dense).eval().requires_grad_(False)
        self._network = network.to(run.chance.device)
        self._temperature, self._names = run.training.temperature, names

    def answer(self, part: Data) -> tuple[Answer, Features]:
        """What it answers to these samples, and what its modules `names` put out."""
        with torch.no_grad(), FeatureListener(self._network, self._names) as features:
            return call_all(self._network, part.inputs), features

    def divergence(self, task: Task, answers: Answer, own: Answer, part: Data) -> Tensor:
        """How far `answers` to these samples lie from its `own`: a scalar, see `divergence`."""
        names = [named_output(answers, task.output)]
        if task.overall:
            names = [name for name in task.others if answers[name].is_floating_point()]
        tasks = task.others if task.overall else {names[0]: task}
        parts = [
            divergence(tasks[name], answers[name], own[name], part.targets, self._temperature)
            for name in names
        ]
        return torch.stack(parts).mean()


def divergence(
    task: Task, outputs: Tensor, wanted: Tensor, targets: Tensor | None, temperature: float
) -> Tensor:
    """T² · KL(wanted ‖ outputs) at temperature T, the mean over samples and positions.

    Of classes over softmax, of yes or no over sigmoid; of values the mean squared error, which
    knows no temperature. Positions whose target does not count do not count here either.

    >>> from pruneviz.tasks.table import CLASSES
    >>> float(divergence(CLASSES, torch.zeros(1, 2), torch.zeros(1, 2), None, 2.0))
    0.0
    """
    if task.name not in (*_CLASSES, *_CHANCES):
        return F.mse_loss(outputs, wanted)
    logits = as_logits(task.form)
    ours, theirs = logits(outputs) / temperature, logits(wanted) / temperature
    if task.name in _CLASSES:
        ours, theirs = ours.log_softmax(task.axis), theirs.log_softmax(task.axis)
        apart = (theirs.exp() * (theirs - ours)).sum(task.axis)
    else:
        yes = theirs.sigmoid() * (F.logsigmoid(theirs) - F.logsigmoid(ours))
        apart = yes + (-theirs).sigmoid() * (F.logsigmoid(-theirs) - F.logsigmoid(-ours))
    if task.name == "skills" and targets is not None:
        targets = targets[..., 0]
    if (
        task.name in ("positions", "skills")
        and targets is not None
        and targets.shape == apart.shape
    ):
        apart = apart[targets.to(apart.device) != IGNORED]
    return temperature**2 * (apart.mean() if apart.numel() else apart.sum())
