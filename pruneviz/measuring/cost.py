"""What does a plan cost?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from pruneviz.data import Data
from pruneviz.measuring.counts import Counts, macs_of_network
from pruneviz.measuring.latency import SECONDS, Latency, latency
from pruneviz.measuring.ledger import Cost, Footprint, RuntimeCost
from pruneviz.measuring.memory import peak_activation
from pruneviz.measuring.runtime import RuntimeSession, in_onnx_runtime
from pruneviz.measuring.sizes import (
    as_bitmask,
    as_csr,
    encoded_bytes,
    file_bytes,
    file_tensors,
    zipped_bytes,
)
from pruneviz.network.forward_pass import fit
from pruneviz.network.replica import replica
from pruneviz.progress import Progress, silent
from pruneviz.pruning.pruned import Pruned
from pruneviz.pruning.units import levels

BATCH = 8
_ONNX, _ONNX_DENSE = "onnx runtime", "onnx runtime, dense"


def shrunk(pruned: Pruned) -> tuple[nn.Module | None, str]:
    """The network without what was cut, or None and why it cannot be had."""
    try:
        return pruned.shrink(), ""
    except ValueError as error:
        return None, str(error)


def cost_of(
    pruned: Pruned,
    counts: Counts,
    small: nn.Module | None,
    why: str,
    data: Data,
    *,
    batch: int = BATCH,
    seconds: float = SECONDS,
    progress: Progress = silent,
) -> Cost:
    """Measure everything about a plan that can be measured without a target.

    counts: of the same plan. small: the network with its pruned units removed, or None, and then
    `why`. data: its first samples are the inputs, `batch` of them (or all there are) for latency.
    seconds: the most that timing may take, whatever the network. progress: called with what is
    being done and the fraction done; it may raise to stop. Nothing is written to any network.
    Raises ValueError for a batch below one.
    """
    if type(batch) is not int or batch < 1:
        raise ValueError(f"batch must be a whole number of 1 or more, got {batch!r}")
    networks = {"dense": replica(pruned.dense), "masked": replica(pruned.model)}
    if small is not None:
        networks["shrunk"] = replica(small)
    inputs = data.first(batch).inputs
    still = {
        name: _still(network, data, partial(_part, progress, name, place, len(networks)))
        for place, (name, network) in enumerate(networks.items())
    }
    progress("sparse encodings", 0.45)
    masked = file_tensors(networks["masked"])
    bitmask, csr = encoded_bytes(masked, as_bitmask), encoded_bytes(masked, as_csr)
    del masked
    which = list(networks)[-1]
    running, why_not, there = _runtime_calls(networks[which], networks["dense"], inputs, progress)
    timed = _measure_latency(networks, there, inputs, len(data.first(batch)), seconds, progress)
    onnx = None if running is None else _in_runtime(which, running, timed)
    spent = {n: Footprint(**values, latency=timed.timings[n]) for n, values in still.items()}
    return Cost(
        asked=planned_sparsity(pruned),
        kept=counts.params_kept,
        ideal_macs=counts.macs_kept,
        dense=spent["dense"],
        masked=spent["masked"],
        shrunk=spent.get("shrunk"),
        onnx=onnx,
        bitmask=bitmask,
        csr=csr,
        batch=timed.batch,
        threads=timed.threads,
        per_unit=pruned.groups is not None,
        why_not_shrunk="" if small is not None else why,
        why_not_onnx=why_not,
    )


def _in_runtime(which: str, running: RuntimeSession, timed: Latency) -> RuntimeCost:
    now, dense = timed.timings[_ONNX], timed.timings.get(_ONNX_DENSE)
    return RuntimeCost(which, running.bytes, running.difference, now, dense)


def planned_sparsity(pruned: Pruned) -> float:
    """The fraction a plan asks to prune: of units where units are cut, else of weights.

    A group counts once, with the level that any of its members is given.
    """
    groups = pruned.groups
    if groups is None:
        total = int(pruned.report["total"].sum())
        number = float((pruned.report["asked"] * pruned.report["total"]).sum())
        return number / total if total else 0.0
    units = {name: group.units for name, group in groups.groups.items()}
    units |= {name: len(pruned.masks[name]) for name in groups.fixed}
    if pruned.plan.granularity == "head":
        heads = {name for name, group in groups.groups.items() if group.word == "head"}
        units = {n: k for n, k in units.items() if n in heads}
    asked_of = levels(pruned.plan, groups)
    total = sum(units.values())
    return sum(asked_of.get(n, 0.0) * k for n, k in units.items()) / total if total else 0.0


def _still(network: nn.Module, data: Data, progress: Progress) -> dict[str, Any]:
    """All of a network that needs no clock."""
    progress("multiply-accumulates", 0.0)
    macs = macs_of_network(network, data)
    progress("activation memory", 0.1)
    memory = peak_activation(network, data.first(1).inputs)
    progress("file", 0.2)
    tensors = file_tensors(network)
    parameters = list(network.parameters())
    return {
        "params": sum(p.numel() for p in parameters),
        "zeros": sum(p.numel() - int(p.count_nonzero()) for p in parameters),
        "macs": macs,
        "file": file_bytes(tensors),
        "zipped": zipped_bytes(tensors, lambda done: progress("zipping", 0.2 + 0.8 * done)),
        "memory": memory,
    }


def _part(
    progress: Progress, name: str, place: int, networks: int, label: str, done: float
) -> None:
    progress(f"{name}: {label}", 0.45 * (place + done) / networks)


def _runtime_session(
    network: nn.Module, inputs: Tensor | Mapping[str, Tensor]
) -> tuple[RuntimeSession | None, str]:
    try:
        return in_onnx_runtime(network, inputs), ""
    except ValueError as error:
        return None, str(error)


def _runtime_calls(
    network: nn.Module,
    dense: nn.Module,
    inputs: Tensor | Mapping[str, Tensor],
    progress: Progress,
) -> tuple[RuntimeSession | None, str, dict[str, Callable[[], object]]]:
    """The smallest network in ONNX Runtime, or why not, and what is to be timed there.

    The dense network too: without it, a gain of the runtime's would look like the plan's.
    """
    progress("exporting to ONNX", 0.5)
    running, why_not = _runtime_session(network, inputs)
    if running is None:
        return None, why_not, {}
    progress("exporting the dense network to ONNX", 0.55)
    baseline, _ = _runtime_session(dense, inputs)
    there = {} if baseline is None else {_ONNX_DENSE: baseline.call}
    return running, why_not, {_ONNX: running.call} | there


def _measure_latency(
    networks: Mapping[str, nn.Module],
    others: Mapping[str, Callable[[], object]],
    inputs: Tensor | Mapping[str, Tensor],
    batch: int,
    seconds: float,
    progress: Progress,
) -> Latency:
    calls = {name: partial(_forward, network, inputs) for name, network in networks.items()}
    with torch.no_grad():
        return latency(
            {name: call() for name, call in calls.items()} | dict(others),
            batch,
            seconds=seconds,
            progress=lambda done: progress("latency", 0.6 + 0.4 * done),
        )


def _forward(network: nn.Module, inputs: Tensor | Mapping[str, Tensor]) -> Callable[[], object]:
    """One forward pass and nothing else, waited for where the device works on its own."""
    arguments = fit(network, inputs)
    args, kwargs = ((arguments,), {}) if isinstance(arguments, Tensor) else ((), arguments)
    device = next((p.device for p in network.parameters()), torch.device("cpu"))

    def run() -> object:
        answer = network(*args, **kwargs)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return answer

    return run
