"""What has each unit been doing while the network trained, and which are cut for it?"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace

import torch
from torch import Tensor, distributed

from pruneviz.network.calls import Call, WeightListener
from pruneviz.network.graph import activation_of
from pruneviz.network.replica import state
from pruneviz.network.weight_inputs import unit_rows
from pruneviz.pruning.evidence import Evidence, weights_only
from pruneviz.training.legs import cubic, on_the_way
from pruneviz.training.run import Run

SIZE, SILENCE, SEEN, PLACE = "mean |activation|", "silence", "steps seen", "place"


def listen(run: Run, samples: int) -> AbstractContextManager[object]:
    """While entered, what the units of the plan's layers say is added to their running means.

    Of the batches it is trained on: mean |a| and the fraction of a ≤ 0, a being the unit's
    activation behind its own batch norm (by its running statistics) and activation function.
    """
    graph = run.structure.graph_cache.graph_or_none()
    tensors = state(run.network)
    layers = {n: x for n, x in run.structure.layers.items() if x.kind != "embedding"}
    activate = {n: activation_of(graph, x, tensors) for n, x in layers.items()} if graph else {}
    parameters = dict(run.network.named_parameters(remove_duplicate=False))

    def hear(call: Call) -> None:
        layer = call.layer
        with torch.no_grad():
            output = call.part(call.output.detach())
            values = activate[layer.name](output) if layer.name in activate else output
            active = unit_rows(call.by_sample(values, samples), layer)
            _add(run, f"{SIZE}/{layer.name}", active.abs().mean((0, 2)).float())
            _add(run, f"{SILENCE}/{layer.name}", (active <= 0).float().mean((0, 2)))
            run.memory.setdefault(f"{PLACE}/{layer.name}", torch.arange(layer.units))

    return WeightListener(layers, parameters, hear)


def _add(run: Run, key: str, now: Tensor) -> None:
    """A running mean; the first steps count as much as they would in a plain one."""
    total = run.memory.get(f"{SEEN} of {key}", torch.zeros(()))
    keep = min(run.training.memory, float(total) / (float(total) + 1))
    before = run.memory.get(key, torch.zeros_like(now)).to(now.device)
    run.memory[key] = keep * before + (1 - keep) * now
    run.memory[f"{SEEN} of {key}"] = total + 1


def cut_inactive(run: Run, t: float) -> None:
    """Cut the least active units, as far as the plan has come at t; or those alone that are silent.

    training.silent above 0: units whose fraction of activations ≤ 0 has come to it, and of a layer
    never more than the plan says.
    """
    _agree(run)
    plan = replace(on_the_way(run.plan, t, cubic), scope="layer", aggregate="mean")
    evidence = _evidence(run)
    heard = {name for name, layer_evidence in evidence.items() if layer_evidence.has("activation")}
    groups = run.structure.graph_cache.groups
    able = {
        n: level for n, level in plan.sparsity.items() if level and heard & {*groups.members(n)}
    }
    if run.training.silent > 0:
        able = {name: min(run.plan.sparsity[name], _silent(run, name)) for name in able}
        # Of members that are cut together all must be silent, or none of the units goes.
        able = {n: min(able.get(m, level) for m in groups.members(n)) for n, level in able.items()}
        plan = replace(plan, criterion="apoz")
    else:
        plan = replace(plan, criterion="activation")
    before = run.masks
    structure = run.structure
    if run.training.silent > 0:  # counted on the units that are there, not on those of the plan
        structure = replace(structure, items={})
    run.hold(structure.cut(run.network, replace(plan, sparsity=able), before, evidence))
    _tell(run, before.layers)


def _agree(run: Run) -> None:
    """What several processes have heard, each of its share of the batches, becomes one."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return
    for key, values in run.memory.items():
        if key.startswith((f"{SIZE}/", f"{SILENCE}/")):
            distributed.all_reduce(values)
            values /= distributed.get_world_size()


def _silent(run: Run, name: str) -> float:
    silence = run.memory.get(f"{SILENCE}/{name}")
    if silence is None:
        return 0.0
    return float((silence >= run.training.silent).float().mean())


def _evidence(run: Run) -> dict[str, Evidence]:
    evidence = weights_only(run.network, run.structure.layers)
    for name, one in evidence.items():
        size, silence = (run.memory.get(f"{what}/{name}") for what in (SIZE, SILENCE))
        if size is not None and silence is not None:
            evidence[name] = replace(one, samples=1, activation=size, silence=silence)
    return evidence


def _tell(run: Run, before: Mapping[str, Tensor]) -> None:
    """Write down each unit that was cut now, with what it had been doing."""
    for name, mask in run.masks.layers.items():
        rows = mask.flatten(1).any(1)
        was = before[name].flatten(1).any(1) if name in before else torch.ones_like(rows)
        size, silence = (run.memory.get(f"{what}/{name}") for what in (SIZE, SILENCE))
        if size is None or silence is None:
            continue
        for unit in (was & ~rows).nonzero().flatten().tolist():
            words = f"≤ 0 in {silence[unit]:.1%} of its activations, mean |a| {size[unit]:.3g}"
            run.tell("silent", name, 1, words, unit=int(run.memory[f"{PLACE}/{name}"][unit]))
