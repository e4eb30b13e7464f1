"""What do batch norms see once units or weights are cut?"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own abbreviation)
from torch import Tensor
from torch.overrides import TorchFunctionMode

from pruneviz.data import Data
from pruneviz.network.groups import Groups, masks_of
from pruneviz.network.weight_inputs import exact
from pruneviz.progress import ShareDone, silent_share
from pruneviz.pruning.repair.consumers import STATS, RepairedNetwork

FEWEST = 32  # samples in a batch, where there are as many: fewer say little of a variance
_SIGNATURE = inspect.signature(F.batch_norm)
_MEAN, _VARIANCE = STATS


def recalibrate(
    network: RepairedNetwork,
    groups: Groups | None,
    units: Mapping[str, Tensor],
    repaired: Mapping[str, Tensor],
    data: Data,
    batch: int,
    progress: ShareDone = silent_share,
) -> dict[str, Tensor]:
    """Running means and (unbiased) variances of all batch norms, measured under the masks.

    One pass in batches of near the same size; each batch norm normalises by what the batch gives,
    as it does in training, and everything else works as in evaluation. The statistics are those
    of all that a batch norm was given, to the last batch. Channels that are cut keep theirs, and
    so do batch norms that keep none.
    """
    tensors = network.tensors(repaired)
    statistics = _BatchStatistics({id(tensors[n]): n for n in tensors if n.endswith(_MEAN)})
    size = max(batch, FEWEST)
    parts = torch.arange(len(data)).chunk(-(-len(data) // size))
    for part in parts:
        inputs = data.take(slice(int(part[0]), int(part[-1]) + 1)).inputs
        network.run(inputs, tensors, statistics)
        progress((int(part[-1]) + 1) / len(data))
    new: dict[str, Tensor] = {}
    for name, moments in statistics.moments.items():
        variance = name.removesuffix(_MEAN) + _VARIANCE
        kept = _kept_channels(network, groups, units, name)
        for key, value in ((name, moments.mean), (variance, moments.variance)):
            if value is not None and key in tensors:
                old = tensors[key]
                new[key] = torch.where(kept & value.isfinite(), value.to(old), old)
    return new


def _kept_channels(
    network: RepairedNetwork, groups: Groups | None, units: Mapping[str, Tensor], mean: str
) -> Tensor:
    # Channels that are not cut: by their group, or where they are in none by their scale.
    scale = mean.removesuffix(_MEAN) + "weight"
    kept = torch.ones_like(network.dense[mean], dtype=torch.bool)
    kept &= network.masks.get(network.names.get(scale, scale), kept)
    for lead, mask in units.items():
        group = groups.groups.get(lead) if groups else None
        if group is not None and any(place.tensor == mean for place in group.places):
            masks: dict[str, Tensor] = {}
            masks_of(group, mask, network.dense, masks)
            kept &= masks[mean]
    return kept


class _Moments:
    """Mean and sum of squared deviations [channels] of all that was added, in float64."""

    def __init__(self, channels: int, device: torch.device) -> None:
        self.n = 0
        self.mean = torch.zeros(channels, dtype=torch.float64, device=device)
        self._deviations = torch.zeros_like(self.mean)

    def add(self, n: int, mean: Tensor, variance: Tensor) -> None:
        """Add n values a channel, of which mean and (biased) variance are known."""
        apart, together = mean.double() - self.mean, self.n + n
        self._deviations += variance.double() * n + apart.square() * (self.n * n / together)
        self.mean += apart * (n / together)
        self.n = together

    @property
    def variance(self) -> Tensor | None:
        """The unbiased variance; None of a single value."""
        return self._deviations / (self.n - 1) if self.n > 1 else None


class _BatchStatistics(TorchFunctionMode):
    """While it is entered, batch norms normalise by the batch, and what they were given is kept.

    means: id of the running mean in use -> its name.
    """

    def __init__(self, means: Mapping[int, str]) -> None:
        super().__init__()
        self._means = means
        self.moments: dict[str, _Moments] = {}

    def __torch_function__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run the function; if it is a batch norm that keeps statistics, by its batch."""
        options = dict(kwargs or {})
        if func is not F.batch_norm:
            return func(*args, **options)
        bound = _SIGNATURE.bind(*args, **options).arguments
        name = self._means.get(id(bound[_MEAN]))
        values = bound["input"]
        if name is None or bound.get("training"):
            return func(*args, **options)
        n = values.numel() // values.shape[1]
        dims = [0, *range(2, values.ndim)]
        variance, mean = torch.var_mean(exact(values), dims, correction=0)
        moments = self.moments.setdefault(name, _Moments(len(mean), mean.device))
        moments.add(n, mean, variance)
        if n > 1:  # a single value has no variance to normalise by
            bound[_MEAN], bound[_VARIANCE] = mean.to(bound[_MEAN]), variance.to(bound[_VARIANCE])
        return func(**bound)
