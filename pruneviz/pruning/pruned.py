"""What has a plan made of a network?"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd
import torch
from torch import Tensor, nn

from pruneviz.network.graph import Graph
from pruneviz.network.groups import Groups
from pruneviz.network.replica import apply_masks, content, overlaid, state
from pruneviz.network.shrink import Removal, own_copy, removal
from pruneviz.plan import Plan
from pruneviz.pruning.masks import checksum_of


@dataclass(frozen=True)
class Pruned:
    """The result of a plan on one network.

    masks: layer -> bool of the weight's shape, True = kept. parameter_masks: parameter name ->
    bool, for everything that is cut: weights and what belongs to pruned units.
    scores: layer -> floats, like the weight; of whole units [units], by the lead of their group.
    report: one row a layer: layer, asked, got (of its items: weights or units), kept, total (of
    weights), collapse (what is wrong, or "").
    units: lead of a group, or layer in none -> bool [units], True = kept. groups, graph: what the
    units were found by. repaired: tensors that a repair has changed, whole, by name.
    notes: sentences on repairs that were asked for and made it worse, so that they were not kept.

    >>> pruned = pv.prune(nn.Linear(10, 1), pv.Plan(sparsity={"": 0.3}))
    >>> int(pruned.masks[""].sum())
    7
    """

    plan: Plan
    masks: Mapping[str, Tensor]
    parameter_masks: Mapping[str, Tensor]
    scores: Mapping[str, Tensor]
    report: pd.DataFrame
    dense: nn.Module = field(repr=False)
    units: Mapping[str, Tensor] = field(default_factory=dict)
    groups: Groups | None = field(default=None, repr=False)
    graph: Graph | None = field(default=None, repr=False)
    repaired: Mapping[str, Tensor] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()

    @property
    def sparsity(self) -> dict[str, float]:
        """Fraction of items (weights, or whole units) pruned, by layer."""
        return dict(zip(self.report["layer"], self.report["got"].astype(float), strict=True))

    @property
    def collapse(self) -> dict[str, str]:
        """Layers of which nothing is left, with the sentence that says so."""
        rows = self.report[self.report["collapse"] != ""]
        return dict(zip(rows["layer"], rows["collapse"], strict=True))

    @property
    def stay(self) -> dict[str, str]:
        """Layer -> the sentence on units of it that are cut and can only be masked: zeros stay."""
        if self.groups is None:
            return {}
        gone = {name: int((~kept).sum()) for name, kept in self.units.items()}
        return {
            name: f"{gone[name]:,} of {len(self.units[name]):,} units of {name!r} stay in it, as "
            f"zeros: {self.groups.fixed[name]}"
            for name in self.groups.fixed
            if gone.get(name)
        }

    @cached_property
    def checksum(self) -> str:
        """SHA-256, in hex, over the names of the layers of which something is cut, sorted, and the
        packed bits of their masks.
        """
        return checksum_of(self.masks)

    @cached_property
    def versions(self) -> dict[str, str]:
        """What tells apart the tensors of `tensors` from those of other plans, by name."""
        told = {
            name: checksum_of({name: mask})
            for name, mask in self.parameter_masks.items()
            if not bool(mask.all())
        }
        for name, tensor in self.repaired.items():
            told[name] = told.get(name, "") + hashlib.sha256(content(tensor)).hexdigest()
        return told

    @property
    def bytes(self) -> int:
        """Memory that its masks and repaired tensors hold."""
        tensors = [*self.masks.values(), *self.parameter_masks.values(), *self.repaired.values()]
        stores = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}
        return sum(stores.values())

    @property
    def tensors(self) -> dict[str, Tensor]:
        """Every parameter and buffer that is not as in the dense network, by name; made anew."""
        changed = state(self.dense) | dict(self.repaired)
        return dict(self.repaired) | apply_masks(changed, self.parameter_masks)

    @cached_property
    def model(self) -> nn.Module:
        """A copy of the network, its own class and keys, with masks and repairs baked in."""
        model = copy.deepcopy(self.dense)
        own = state(model)
        with torch.no_grad():
            for name, tensor in self.tensors.items():
                own[name].copy_(tensor)
        return model

    def overlay(self) -> nn.Module:
        """The network with masks and repairs in place, sharing all else with the dense one.

        Made anew, in eval mode, and not to be written to.
        """
        return overlaid(self.dense, self.tensors)

    def shrink(self) -> nn.Module:
        """The network without the units that were cut: physically smaller, its own class and keys.

        Units that can only be masked (see `Groups.fixed`) stay, as zeros. As `removal` proves it.
        """
        if self.plan.is_dense:
            return copy.deepcopy(self.dense)
        return own_copy(self.removal().network, self.dense)

    def removal(self, masked: nn.Module | None = None) -> Removal:
        """The network without the units that were cut, sharing what was not; and its proof.

        masked: what `overlay` has given, where it is there already.
        It is proved on the example that the network was traced with that it answers as the masked
        network does: to 1e-5 of the largest answer, or in double precision (to 1e-9) where its
        own does not decide. ValueError names the group that breaks it, and what cannot be removed.
        """
        if self.plan.is_dense:
            return Removal(masked or self.overlay(), None)
        if self.groups is None or self.graph is None:
            raise ValueError(
                f"granularity {self.plan.granularity!r} leaves the shape of a network as it is; "
                "only whole units ('neuron', 'head', 'block') can be removed"
            )
        masked = masked or self.overlay()
        return removal(masked, self.groups, self.units, self.graph.example)
