"""What of a network and its plan goes into files?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn

from pruneviz.data import Inputs
from pruneviz.measuring.bench import Bench
from pruneviz.network.calling import call, fitting
from pruneviz.network.replica import replica
from pruneviz.plan import Plan
from pruneviz.pruning.pruned import Pruned

SAMPLES = 32


@dataclass(frozen=True)
class Subject:
    """One plan on its way into files.

    small: the network without the units that were cut, or None and `why_not_small`.
    report: called with the fraction of a format that is done; it may raise to stop.
    """

    bench: Bench
    plan: Plan
    pruned: Pruned
    small: nn.Module | None
    why_not_small: str
    report: Callable[[float], None] = field(default=lambda done: None, repr=False)

    @property
    def network(self) -> nn.Module:
        """The smallest network there is of the plan; what was cut counts in it nowhere twice."""
        return self.pruned.model if self.small is None else self.small

    @cached_property
    def inputs(self) -> Inputs:
        """The first validation samples, as the network takes them."""
        return fitting(self.pruned.dense, self.bench.source.validation.first(SAMPLES).inputs)

    @property
    def samples(self) -> int:
        """How many these are."""
        return len(self.bench.source.validation.first(SAMPLES))

    @cached_property
    def expected(self) -> Tensor:
        """What the screen shows: the answers of the dense network under masks and repairs."""
        network = replica(self.pruned.dense)
        with torch.inference_mode():
            return call(network, self.inputs, self.pruned.tensors).cpu()


def subject_of(
    bench: Bench, plan: Plan, report: Callable[[float], None] = lambda done: None
) -> Subject:
    """`plan` ready for export; ValueError names what of it does not fit the network."""
    pruned = bench.prune(plan)
    small, why = None, "this plan cuts nothing, so that there is nothing to remove"
    if not plan.is_dense:
        try:
            small, why = pruned.shrink(), ""
        except ValueError as error:
            why = str(error)
    return Subject(bench, plan, pruned, small, why, report)
