"""What do gradients, one sample at a time, tell of weights that are not heard at work?"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pruneviz.data import Data
from pruneviz.network.forward_pass import at_work, call_all
from pruneviz.network.layers import Layer
from pruneviz.network.replica import first_names, leaves, replica
from pruneviz.outputs import main_output
from pruneviz.progress import ShareDone, silent_share
from pruneviz.pruning.tally import LARGE
from pruneviz.tasks import Task, task_for
from pruneviz.tasks.several import loss_of


def gradients_singly(
    model: nn.Module,
    layers: Mapping[str, Layer],
    data: Data,
    task: Task | None,
    progress: ShareDone = silent_share,
) -> dict[str, dict[str, Tensor]]:
    """Layer -> the fields of Evidence that gradients give, by one backward pass a sample.

    Slower than `Tally`, which takes a batch at a time from the inputs and output gradients of a
    layer; right for whatever a network does with a weight.
    """
    copy, modules, names = replica(model), leaves(model), first_names(model)
    own = {name: modules[names[layer.weight]] for name, layer in layers.items()}
    sums: dict[str, list[Tensor]] = {}
    units: dict[str, list[Tensor]] = {name: [] for name in layers}
    for place in range(len(data)):
        part = data.take(slice(place, place + 1))
        with torch.enable_grad(), at_work(f"gathering evidence on calibration sample {place}"):
            answer = call_all(copy, part.inputs, modules)
            task = task or task_for(answer[main_output(answer)].detach(), data, None)
            loss = loss_of(task, answer, part.targets).sum()
            each = torch.autograd.grad(
                loss, list(own.values()), allow_unused=True, materialize_grads=True
            )
        for (name, layer), grad in zip(layers.items(), each, strict=True):
            dtype = torch.float32 if layer.size >= LARGE else torch.float64
            g = layer.canonical(grad).to(dtype)
            weight = layer.canonical(own[name].detach())
            units[name].append((g * weight).sum(1, dtype=torch.float64).float())
            before = sums.get(name, [torch.zeros_like(g)] * 3)
            new = (g, g.abs(), g.square())
            sums[name] = [total + one for total, one in zip(before, new, strict=True)]
        progress((place + 1) / len(data))
    fields = ("gradient", "gradient_size", "gradient_power")
    return {
        name: dict(zip(fields, (s / len(data) for s in sums[name]), strict=True))
        | {"contribution": torch.stack(units[name])}
        for name in layers
    }
