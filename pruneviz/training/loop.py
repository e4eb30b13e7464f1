"""How does a network train, step by step, with what is cut held at zero?"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING

import torch
from torch import Tensor, distributed, nn

from pruneviz.data import Data
from pruneviz.measuring.evaluate import answer, change, summarise
from pruneviz.network.calling import call_all
from pruneviz.plan import Plan
from pruneviz.progress import Progress
from pruneviz.tasks.several import loss_of
from pruneviz.training.augmentation import AUGMENTATIONS
from pruneviz.training.devices import seed_of
from pruneviz.training.legs import on_the_way
from pruneviz.training.mask_set import MaskPairs, MaskSet
from pruneviz.training.methods import Method
from pruneviz.training.narrowing import remove_cut
from pruneviz.training.optimizers import schedule_for
from pruneviz.training.run import EpochRow, Moment, Run
from pruneviz.training.settings import Training

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Watch = Callable[[Moment], None]
Schedule = torch.optim.lr_scheduler.LRScheduler


def steps_of(samples: int, training: Training) -> int:
    """Batches an epoch. A last one of a single sample joins the one before: alone it would move
    all weights as much as a whole batch does, and no batch norm can train on it.
    """
    whole, rest = divmod(samples, training.batch)
    alone = rest == 1 and whole > 0 and training.batch > 1
    return whole + (rest > 0 and not alone)


class Loop:
    """A run with what drives it: device, data, schedule, and who is told.

    fabric: where it runs. method: what it does. data: to train on. progress may raise to stop.
    """

    def __init__(
        self, run: Run, method: Method, fabric: Fabric, data: Data, progress: Progress, watch: Watch
    ) -> None:
        self.run, self.method, self.fabric, self.data = run, method, fabric, data
        self.progress, self._watch = progress, watch
        self.per_epoch = steps_of(len(data), run.training)
        self._grip, self._gripped = MaskPairs(), (run.network, MaskSet())
        self._rate = run.training.learning_rate
        self._module = fabric.setup_module(run.network)
        self.begin_leg()

    # -- an epoch --------------------------------------------------------------------------

    def epoch(self) -> None:
        """Train one epoch, measure it, and write its row."""
        run = self.run
        began, total, reporting_time = time.perf_counter(), 0.0, 0.0
        for number, (part, chance) in enumerate(self._batches()):
            now = time.perf_counter()
            self.progress(self._label(), self._done(number))
            reporting_time += (
                time.perf_counter() - now
            )  # it may wait, for as long as somebody pauses it
            total += self._step(part, chance) * len(part)
        if not all(bool(p.isfinite().all()) for p in run.network.parameters()):
            raise ValueError(self._diverged("the weights became infinite or NaN", run.step))
        run.epoch += 1
        seconds = time.perf_counter() - began - reporting_time
        self._agree()
        revived = run.masks.revived(run.network)
        if revived:
            name, count = next(iter(revived.items()))
            raise RuntimeError(f"{count} weights of {name!r} that are cut are not zero any more")
        self.measure(self._summed(total) / len(self.data), seconds)

    def _step(self, part: Data, chance: torch.Generator) -> float:
        run, training = self.run, self.run.training
        move = AUGMENTATIONS[training.augmentation].move
        part = move(part, chance) if move is not None else part
        self._rate = float(self.schedule.get_last_lr()[0])
        with run.chance.own():
            loss, plain = self._loss(part)
        if not math.isfinite(plain):
            raise ValueError(self._diverged(f"the loss became {plain}", run.step + 1))
        self._optimizer.zero_grad()
        self.fabric.backward(loss)
        run.step += 1
        self._change()
        grip = self._held()
        grip.hold_gradients_()
        self._optimizer.step()
        grip.hold_weights_()
        self.schedule.step()
        return plain

    def _held(self) -> MaskPairs:
        run = self.run
        network, pairs = self._gripped
        if network is not run.network or pairs is not run.masks:
            self._grip, self._gripped = run.masks.grip(run.network), (run.network, run.masks)
        return self._grip

    def _diverged(self, what: str, step: int) -> str:
        run = self.run
        return (
            f"{what} in {run.here.name!r}, epoch {run.epoch + 1}, step {step}, at a "
            f"learning rate of {self._rate:.3g}; train again with a lower one"
        )

    def _loss(self, part: Data) -> tuple[Tensor, float]:
        """The loss with its penalty, for the backward pass; and its value."""
        run = self.run
        heard = self.method.listen(run, len(part)) if self.method.listen else nullcontext()
        with heard:
            try:
                answers = call_all(self._module, part.inputs)
            except ValueError as error:
                if len(part) > 1 or not _has_batch_norm(self._module):
                    raise
                raise ValueError(
                    "a batch norm needs more than one value a channel to train, and a batch of "
                    "one sample gives it one; train with a batch of 2 or more samples"
                ) from error
        assert part.targets is not None
        loss = loss_of(run.bench.task, answers, part.targets).mean()
        if run.here.penalised and self.method.penalty is not None:
            loss = loss + run.training.strength * self.method.penalty(run)
        return loss, float(loss.detach())

    def _batches(self) -> Iterator[tuple[Data, torch.Generator]]:
        """The training samples in an order of this leg and epoch; each process has its part."""
        run = self.run
        place = (run.leg, run.epoch, 1) if run.here.aside else (run.own, run.epoch)
        chance = torch.Generator().manual_seed(seed_of(run.training.seed, *place))
        order = torch.randperm(len(self.data), generator=chance)
        batch = run.training.batch
        sizes = [batch] * (self.per_epoch - 1)
        for indices in torch.split(order, [*sizes, len(order) - sum(sizes)]):
            mine = indices[self.fabric.global_rank :: self.fabric.world_size]
            yield self.data.take(mine if len(mine) else indices[:1]), chance

    # -- what changes on the way -----------------------------------------------------------

    def _change(self) -> None:
        run, training = self.run, self.run.training
        if not run.here.changes:
            return
        first, last = training.begin * run.steps, training.end * run.steps
        at_end = run.step == max(1, math.floor(last))
        if not at_end and (run.step % training.every or not first <= run.step <= last):
            return
        self._agree()
        before, t = run.masks, min(1.0, (run.step - first) / max(1.0, last - first))
        if self.method.change is not None:
            self.method.change(run, 1.0 if at_end else t)
        else:
            self.cut(1.0 if at_end else t)
        if run.masks is not before:
            self.changed()

    def _summed(self, own: float) -> float:
        """The sum over all processes."""
        if self.fabric.world_size == 1:
            return own
        every = self.fabric.all_reduce(torch.tensor(own, dtype=torch.float64), reduce_op="sum")
        assert isinstance(every, Tensor)
        return float(every)

    def _agree(self) -> None:
        """Buffers of the first process in all: batch norms have seen other samples in each, and
        what they know decides, in some criteria, what is cut.
        """
        if self.fabric.world_size > 1:
            for buffer in self.run.network.buffers():
                distributed.broadcast(buffer, 0)

    def cut(self, done: float) -> None:
        """Cut what the plan's criterion says, as far as the plan has come."""
        run = self.run
        plan = on_the_way(run.plan, done, self.method.law)
        before = run.masks.gone
        run.hold(run.structure.cut(run.network, plan, run.masks))
        if run.masks.gone > before:
            run.tell("cut", "", run.masks.gone - before, f"by {run.plan.criterion}")

    def changed(self) -> None:
        """After masks have changed: remove for real what is asked to be, and show it."""
        if self.run.training.remove and remove_cut(self.run):
            self._module = self.fabric.setup_module(self.run.network)
            self.begin_leg(self.schedule)
        self.show()

    def begin_leg(self, before: Schedule | None = None) -> None:
        """Take up the run's optimiser; before: the schedule that goes on with it."""
        optimizer = self.fabric.setup_optimizers(self.run.optimizer)
        assert not isinstance(optimizer, tuple)  # one was given
        self._optimizer = optimizer
        self.schedule = schedule_for(self.run, before)

    # -- what is told ----------------------------------------------------------------------

    def measure(self, loss: float, seconds: float) -> None:
        """Measure the network as it is and write a row."""
        run, bench = self.run, self.run.bench
        first = self.data.first(min(len(self.data), len(bench.source.validation)))
        training, _ = self._measured(first)
        validation, scores = self._measured(bench.source.validation)
        dense = bench.evaluate(Plan())
        weight = dense.weight
        delta, low, high = change(scores, dense.scores, weight, bench.task)
        run.rows.append(
            EpochRow(
                leg=run.here.name,
                epoch=run.epoch,
                loss=loss,
                train_loss=training[3],
                train_accuracy=training[0],
                validation_loss=validation[3],
                accuracy=validation[0],
                low=validation[1],
                high=validation[2],
                delta=delta,
                delta_low=low,
                delta_high=high,
                gap=training[0] - validation[0],
                sparsity=run.sparsity,
                params=run.params,
                size=sum(p.numel() for p in run.network.parameters()),
                seconds=seconds,
                learning_rate=float(self.schedule.get_last_lr()[0]),
                aside=run.here.aside,
            )
        )
        self.show()

    def _measured(self, data: Data) -> tuple[tuple[float, float, float, float], Tensor]:
        run, bench = self.run, self.run.bench
        outcome = answer(run.network, {}, data, 0, len(data), bench.task, bench.block)
        evaluation = summarise(outcome, outcome, data.targets, (), len(data), bench.task)
        return (
            evaluation.accuracy,
            evaluation.low,
            evaluation.high,
            evaluation.loss,
        ), evaluation.scores

    def show(self) -> None:
        """Tell who watches."""
        run = self.run
        self._watch(Moment(run, self._done(0), tuple(run.rows), tuple(run.events)))

    def _label(self) -> str:
        run = self.run
        return f"{run.here.name}, epoch {run.epoch + 1} of {run.here.epochs}"

    def _done(self, step: int) -> float:
        run = self.run
        before = sum(leg.epochs for leg in run.legs[: run.leg])
        epochs = before + run.epoch + step / self.per_epoch
        return min(1.0, epochs / max(1, sum(leg.epochs for leg in run.legs)))


def _has_batch_norm(network: nn.Module) -> bool:
    norms = (one for one in network.modules() if isinstance(one, nn.modules.batchnorm._BatchNorm))
    return any(norm.training for norm in norms)
