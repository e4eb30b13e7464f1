"""What of a network and its plan goes into files?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn

from pruneviz.data import Inputs
from pruneviz.measuring.bench import Bench
from pruneviz.memory import trim
from pruneviz.network.agreement import pieces, size_of
from pruneviz.network.forward_pass import call_all, fit
from pruneviz.network.replica import replica
from pruneviz.network.shrink import Removal
from pruneviz.plan import Plan
from pruneviz.progress import ShareDone, silent_share
from pruneviz.pruning.pruned import Pruned

SAMPLES = 32
_WHOLE = 2**62  # bytes of an answer that leave each sample by itself


@dataclass(frozen=True)
class Subject:
    """One plan on its way into files.

    report: called with the fraction of a format that is done; it may raise to stop.
    fixed: file -> why it takes one sample at a time, of those that do; entered as they are written.
    """

    bench: Bench
    plan: Plan
    pruned: Pruned
    report: ShareDone = field(default=lambda done: None, repr=False)
    fixed: dict[str, str] = field(default_factory=dict)

    @cached_property
    def overlay(self) -> nn.Module:
        """The network on the screen, which shares with the dense one what was not changed."""
        return self.pruned.overlay()

    @property
    def small(self) -> nn.Module | None:
        """The network without the units that were cut; None: see `why_not_small`."""
        return None if isinstance(self._removal, str) else self._removal.network

    @property
    def why_not_small(self) -> str:
        """Why there is no smaller network, "" where there is one."""
        return self._removal if isinstance(self._removal, str) else ""

    @property
    def removal(self) -> str:
        """How the smaller network was proved."""
        proof = None if isinstance(self._removal, str) else self._removal.proof
        return "" if proof is None else proof.words

    @cached_property
    def _removal(self) -> Removal | str:
        """Made for the first format that needs it; where it cannot be, the reason."""
        if self.plan.is_dense:
            return "this plan cuts nothing, so that there is nothing to remove"
        try:
            return self.pruned.removal(self.overlay)
        except ValueError as error:
            return str(error)
        finally:
            trim()

    @property
    def network(self) -> nn.Module:
        """The smallest network there is of the plan; what was cut counts in it nowhere twice."""
        return self.overlay if self.small is None else self.small

    @cached_property
    def inputs(self) -> Inputs:
        """The first validation samples, as the network takes them."""
        return fit(self.pruned.dense, self.bench.source.validation.first(SAMPLES).inputs)

    @property
    def samples(self) -> int:
        """How many these are."""
        return len(self.bench.source.validation.first(SAMPLES))

    def parts(self, *, alone: bool = False) -> Iterator[tuple[Inputs, dict[str, Tensor]]]:
        """The samples of the proof in parts, each with what the screen shows for it.

        Made anew: the answers of a language model are larger than its weights.
        """
        for part in pieces(self.inputs, _WHOLE if alone else self._one):
            yield part, self.pruned_outputs(part)

    def pruned_outputs(self, part: Inputs) -> dict[str, Tensor]:
        """All outputs of the dense network under masks and repairs."""
        with torch.inference_mode():
            answer = call_all(replica(self.overlay), part)
            return {name: tensor.cpu() for name, tensor in answer.items()}

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """The names of the network's outputs."""
        return tuple(self.pruned_outputs(next(pieces(self.inputs, _WHOLE))))

    @cached_property
    def _one(self) -> int:
        """Bytes of the answer to a sample."""
        first = next(pieces(self.inputs, _WHOLE))
        return size_of(self.pruned_outputs(first))


def subject_of(bench: Bench, plan: Plan, report: ShareDone = silent_share) -> Subject:
    """`plan` ready for export; ValueError names what of it does not fit the network."""
    return Subject(bench, plan, bench.prune(plan), report)
