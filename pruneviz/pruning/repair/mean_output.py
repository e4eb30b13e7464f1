"""What do removed units put out on average, and where can that be kept?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import torch
from torch import Tensor

from pruneviz.data import Data
from pruneviz.network.calls import Call
from pruneviz.network.weight_inputs import exact, unit_rows
from pruneviz.progress import ShareDone, silent_share
from pruneviz.pruning.repair.consumers import Consumer, RepairedNetwork, apply, by_item


def fold(
    network: RepairedNetwork,
    consumers: Mapping[str, Consumer],
    data: Data,
    batch: int,
    progress: ShareDone = silent_share,
) -> dict[str, Tensor]:
    """Biases and running means that make up for the mean of what consumers no longer take in.

    Means are over samples and positions of the dense network, padding included, so that the mean
    of each output of a consumer alone stays what it was. Consumers with no place for a constant,
    and those used several times, are left as they are.
    """
    able = {name: c for name, c in consumers.items() if c.constant is not None}
    lost = {name: _lost_weights(network, c) for name, c in able.items()}
    sums: dict[str, Tensor] = {}
    counts: Counter[str] = Counter()
    uses: Counter[str] = Counter()

    def hear(call: Call) -> None:
        name = call.layer.name
        missing = unit_rows(by_item(call, apply(call, lost[name])), call.layer)
        total = exact(missing).sum((0, 2), dtype=torch.float64)
        sums[name] = sums[name] + total if name in sums else total
        counts[name] += missing.shape[0] * missing.shape[2]
        uses[name] += 1

    starts = range(0, len(data), batch) if able else ()
    tensors = network.tensors({}, cut=False)
    for start in starts:
        inputs = data.take(slice(start, start + batch)).inputs
        network.run(inputs, tensors, network.listener(tensors, able, hear))
        progress(min(1.0, (start + batch) / len(data)))
    repaired: dict[str, Tensor] = {}
    for name, total in sums.items():
        constant, mean = able[name].constant, total / counts[name]
        if constant is not None and uses[name] == len(starts) and bool(mean.isfinite().all()):
            constant.add(network.dense, repaired, mean)
    return repaired


def _lost_weights(network: RepairedNetwork, consumer: Consumer) -> Tensor:
    # The weights of inputs that are cut, in rows that stay.
    layer = consumer.layer
    weight = layer.canonical(network.dense[layer.weight])
    rows = consumer.rows.reshape(-1, *[1] * (weight.ndim - 1))
    return weight * (rows & ~consumer.kept)
