"""What does one batch do to a network?"""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from pruneviz.data import Data
from pruneviz.network.forward_pass import call_all
from pruneviz.tasks.several import Answer, loss_of
from pruneviz.training.augmentation import AUGMENTATIONS
from pruneviz.training.distillation import Teacher
from pruneviz.training.features import FeatureListener, Features, feature_names, features_apart
from pruneviz.training.mask_set import MaskPairs, MaskSet
from pruneviz.training.methods import Method
from pruneviz.training.one_device import OneDevice
from pruneviz.training.optimizers import Schedule, schedule_for
from pruneviz.training.run import Run

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class Stepper:
    """Network, optimiser and schedule of a run on its device; a step is `backward`, `update`.

    Masks may change between the two, when the gradients are there.
    """

    def __init__(self, run: Run, method: Method, runner: OneDevice | Fabric) -> None:
        self._run, self._method, self._runner = run, method, runner
        self._pairs, self._paired = MaskPairs(), (run.network, MaskSet())
        self._rate = run.training.learning_rate
        self._names = feature_names(run.bench, run.training)
        learns = run.training.distill or self._names
        dense = run.bench.original.source.model
        self._teacher = Teacher(dense, run, self._names) if learns else None
        self.take_network()
        self.take_optimizer()

    def take_network(self) -> None:
        """Train the run's network, which is another one after a removal."""
        self._module = self._runner.setup_module(self._run.network)

    def take_optimizer(self, before: Schedule | None = None) -> None:
        """Train with the run's optimiser; before: the schedule that goes on with it."""
        optimizer = self._runner.setup_optimizers(self._run.optimizer)
        assert not isinstance(optimizer, tuple)  # one was given
        self._optimizer = optimizer
        self.schedule = schedule_for(self._run, before)

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return float(self.schedule.get_last_lr()[0])

    def backward(self, part: Data, chance: torch.Generator) -> float:
        """Gradients of the loss on these samples; returns the loss, with its penalty."""
        run = self._run
        move = AUGMENTATIONS[run.training.augmentation].move
        part = move(part, chance) if move is not None else part
        self._rate = self.rate
        with run.chance.own():
            loss, plain = self._loss(part)
        if not math.isfinite(plain):
            raise self._divergence(f"the loss became {plain}", run.step + 1)
        self._optimizer.zero_grad()
        self._runner.backward(loss)
        run.step += 1
        return plain

    def update(self) -> None:
        """Move the weights by their gradients; what is cut stays zero."""
        pairs = self._held_pairs()
        pairs.hold_gradients_()
        self._optimizer.step()
        pairs.hold_weights_()
        self.schedule.step()

    def check(self) -> None:
        """ValueError if a weight is no finite number any more, RuntimeError if one that is cut is
        not zero.
        """
        run = self._run
        if not all(bool(p.isfinite().all()) for p in run.network.parameters()):
            raise self._divergence("the weights became infinite or NaN", run.step)
        revived = run.masks.count_revived(run.network)
        if revived:
            name, count = next(iter(revived.items()))
            raise RuntimeError(f"{count} weights of {name!r} that are cut are not zero any more")

    def _held_pairs(self) -> MaskPairs:
        run = self._run
        network, masks = self._paired
        if network is not run.network or masks is not run.masks:
            self._pairs, self._paired = run.masks.grip(run.network), (run.network, run.masks)
        return self._pairs

    def _divergence(self, what: str, step: int) -> ValueError:
        run = self._run
        return ValueError(
            f"{what} in {run.here.name!r}, epoch {run.epoch + 1}, step {step}, at a "
            f"learning rate of {self._rate:.3g}; train again with a lower one"
        )

    def _loss(self, part: Data) -> tuple[Tensor, float]:
        """The loss with its penalty, for the backward pass; and its value."""
        run, method = self._run, self._method
        features = FeatureListener(run.network, self._names)
        with features, method.listen(run, len(part)) if method.listen else nullcontext():
            try:
                answers = call_all(self._module, part.inputs)
            except ValueError as error:
                if len(part) > 1 or not _has_batch_norm(self._module):
                    raise
                raise ValueError(
                    "a batch norm needs more than one value a channel to train, and a batch of "
                    "one sample gives it one; train with a batch of 2 or more samples"
                ) from error
        loss = self._learn(answers, features.features, part)
        if run.here.penalised and method.penalty is not None:
            loss = loss + run.training.strength * method.penalty(run)
        return loss, float(loss.detach())

    def _learn(self, answers: Answer, features: Features, part: Data) -> Tensor:
        # How far it is from the targets, and from the answers and features of the dense network.
        run, parts = self._run, []
        task, training = run.bench.task, run.training
        if training.distill < 1:
            parts.append((1 - training.distill) * loss_of(task, answers, part.targets).mean())
        if self._teacher is not None:
            own, dense_features = self._teacher.answer(part)
            if training.distill:
                apart = self._teacher.divergence(task, answers, own, part)
                parts.append(training.distill * apart)
            if self._names:
                parts.append(training.features * features_apart(run, features, dense_features))
        return torch.stack(parts).sum()


def _has_batch_norm(network: nn.Module) -> bool:
    norms = (one for one in network.modules() if isinstance(one, nn.modules.batchnorm._BatchNorm))
    return any(norm.training for norm in norms)
