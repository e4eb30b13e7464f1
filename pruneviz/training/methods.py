"""Which ways are there to prune a network by training it?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor

from pruneviz.plan import WIDTHS, Plan
from pruneviz.training.activity import cut_inactive, listen
from pruneviz.training.dynamic import begin_sparse, grow_by_chance, grow_by_gradient
from pruneviz.training.legs import Law, Leg, cubic, geometric
from pruneviz.training.penalties import l1, norm_scales
from pruneviz.training.run import Run
from pruneviz.training.settings import Training

Legs = Callable[[Training], tuple[Leg, ...]]


@dataclass(frozen=True)
class Method:
    """One way to train and prune.

    meaning: in a sentence. legs: the stretches it consists of. law: by which sparsity grows.
    begin: instead of the plan's criterion where a leg begins. change: run, t -> nothing; changes
    masks `training.every` steps between begin and end, t: 0..1 between them, and may read the
    gradients of all weights, those that are cut too; None: cuts as the plan's criterion says, at t
    by `law`. penalty: added to the loss. listen: run, samples -> what is entered around each
    forward pass. granularities: that it can cut; () = all.
    """

    name: str
    label: str
    meaning: str
    source: str
    legs: Legs
    law: Law = cubic
    begin: Callable[[Run, Plan], None] | None = None
    change: Callable[[Run, float], None] | None = None
    penalty: Callable[[Run], Tensor] | None = None
    listen: Callable[[Run, int], AbstractContextManager[object]] | None = None
    granularities: tuple[str, ...] = ()


def _dense(training: Training) -> tuple[Leg, ...]:
    return (Leg("dense", training.epochs),)


def _one_shot(training: Training) -> tuple[Leg, ...]:
    return (Leg("retrain", training.epochs, done=1.0),)


def _iterative(training: Training) -> tuple[Leg, ...]:
    rounds = training.rounds
    return tuple(
        Leg(f"round {r} of {rounds}", training.epochs, done=r / rounds)
        for r in range(1, rounds + 1)
    )


def _changing_legs(training: Training) -> tuple[Leg, ...]:
    return (Leg("training", training.epochs, changes=True),)


def _lottery(training: Training) -> tuple[Leg, ...]:
    legs = [Leg("dense", training.epochs)]
    for r in range(1, training.rounds + 1):
        legs.append(Leg(f"ticket {r}", training.epochs, r / training.rounds, weights="rewound"))
        if training.controls:
            new = Leg(f"new weights {r}", training.epochs, None, "new", "stay", aside=True)
            elsewhere = Leg(
                f"random mask {r}", training.epochs, None, "rewound", "shuffled", aside=True
            )
            legs += [new, elsewhere]
    return tuple(legs)


def _rewiring_legs(training: Training) -> tuple[Leg, ...]:
    return (Leg("sparse", training.epochs, done=1.0, changes=True),)


def _penalised_legs(training: Training) -> tuple[Leg, ...]:
    if training.epochs < 2:
        raise ValueError(
            f"method {training.method!r} needs 2 epochs or more, got {training.epochs}: "
            "some with its penalty, the others after it has cut"
        )
    first = min(max(1, round(training.end * training.epochs)), training.epochs - 1)
    rest = training.epochs - first
    return (Leg("with penalty", first, penalised=True), Leg("retrain", rest, done=1.0))


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method("dense", "Dense", "Trains without cutting: what all others are compared with.",
               "", _dense),
        Method("one-shot", "One-shot: cut, then retrain",
               "Cuts the plan at once, then trains on with what was cut held at zero.",
               "Han et al., 2015", _one_shot),
        Method("iterative", "Iterative: cut and retrain in rounds",
               "Cuts the same fraction of what is left in each round and retrains after it.",
               "Han et al., 2015", _iterative, geometric),
        Method("gradual", "Gradual, cubic",
               "Cuts a little every few steps while it trains, more at first and less and less "
               "later.",
               "Zhu & Gupta, 2017", _changing_legs, cubic),
        Method("activity", "By activity while it trains",
               "Listens to every unit while it trains and cuts those that stay silent.",
               "Hu et al., 2016", _changing_legs, cubic, change=cut_inactive, listen=listen,
               granularities=WIDTHS),
        Method("lottery", "Lottery tickets",
               "Trains, cuts the smallest weights, sets the others back to where they began, "
               "and trains again. The paper begins with new weights, and so does this unless you "
               "start from trained ones; the learning rate runs through its schedule anew in "
               "each round.",
               "Frankle & Carbin, 2019", _lottery, geometric, granularities=("weight",)),
        Method("set", "SET: rewired by chance",
               "Sparse from the start: every few steps the smallest weights go and as many grow "
               "elsewhere, by chance. Unlike in the paper, the number rewired falls along a "
               "cosine and ends at a set part of the training, and the smallest weights of "
               "either sign go.",
               "Mocanu et al., 2018", _rewiring_legs, begin=begin_sparse, change=grow_by_chance,
               granularities=("weight",)),
        Method("rigl", "RigL: rewired by gradient",
               "Sparse from the start: every few steps the smallest weights go and as many grow "
               "where the loss asks for them most. Unlike in the paper, a weight that was just "
               "cut does not grow back at once.",
               "Evci et al., 2020", _rewiring_legs, begin=begin_sparse, change=grow_by_gradient,
               granularities=("weight",)),
        Method("l1", "L1 penalty, then cut",
               "Makes weights small while it trains, then cuts the plan and retrains.",
               "Han et al., 2015", _penalised_legs, penalty=l1),
        Method("slimming", "Batch-norm slimming, then cut",
               "Makes the scales of batch norms small while it trains, then cuts the units behind "
               "the smallest and retrains.",
               "Liu et al., 2017", _penalised_legs, penalty=norm_scales, granularities=WIDTHS),
    )
}  # fmt: skip


def find_method(training: Training, plan: Plan) -> Method:
    """The method asked for; ValueError where it is unknown or does not go with the plan."""
    method = METHODS.get(training.method)
    if method is None:
        raise ValueError(f"unknown method {training.method!r}; known are {', '.join(METHODS)}")
    if method.name != "dense" and plan.is_dense:
        raise ValueError(
            f"method {method.name!r} needs a plan that cuts something; "
            "give sparsities, or train with method 'dense'"
        )
    if method.granularities and plan.granularity not in method.granularities:
        raise ValueError(
            f"method {method.name!r} cuts by {' or '.join(map(repr, method.granularities))}, "
            f"not by {plan.granularity!r}; choose another granularity or method"
        )
    if training.remove and plan.granularity not in WIDTHS:
        raise ValueError(
            "remove=True takes whole units out of the network; use granularity 'neuron' or 'head', "
            f"not {plan.granularity!r}"
        )
    return method


def shuffle(mask: Tensor, seed: int) -> Tensor:
    """The same mask with its places in random order: as many are kept."""
    chance = torch.Generator().manual_seed(seed)
    order = torch.randperm(mask.numel(), generator=chance)
    return mask.cpu().flatten()[order].reshape(mask.shape)
