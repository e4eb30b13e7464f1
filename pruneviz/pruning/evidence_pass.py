"""What does one pass over the calibration data tell of every layer?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from pruneviz.data import Data, check_targets
from pruneviz.memory import trim
from pruneviz.network.calls import Call, WeightListener
from pruneviz.network.flow import synaptic_flow
from pruneviz.network.forward_pass import at_work, call_all
from pruneviz.network.graph import Graph
from pruneviz.network.layers import Layer
from pruneviz.network.replica import first_names, leaves, replica
from pruneviz.network.rows import Layout, find_layout
from pruneviz.outputs import main_output, named_output
from pruneviz.progress import ShareDone, part_of, silent_share
from pruneviz.pruning.curvature import inverse_diagonals
from pruneviz.pruning.evidence import PARTS, Evidence, weights_only
from pruneviz.pruning.sample_gradients import gradients_singly
from pruneviz.pruning.tally import Tally, Use
from pruneviz.tasks import Task, task_for
from pruneviz.tasks.several import Answer, loss_of
from pruneviz.turns import piece

BATCH = 64
_FEW = 3  # samples tell where the rows of each are


def gather(
    model: nn.Module,
    layers: Mapping[str, Layer],
    graph: Graph | None,
    calibration: Data,
    *,
    classes: int,
    task: Task | None = None,
    parts: Collection[str] = tuple(PARTS),
    batch: int = BATCH,
    progress: ShareDone = silent_share,
) -> dict[str, Evidence]:
    """Evidence for every criterion, in one pass over the calibration data.

    One forward and one backward run a batch; per-sample gradients come from each layer's inputs and
    output gradients. Where a layer's rows (frames, windows, rows that were filtered) cannot be told
    apart by sample, the samples pass once more for it, one by one, and so for the gradients of
    stacked experts. Without a graph, activations are taken straight behind each layer. classes:
    columns of by_class; 1 puts all samples into one. task: whose loss is felt; told by the data if
    not given. parts: of PARTS, what is gathered. `progress` is called with the fraction done.
    Raises ValueError on empty data and on labels beyond the outputs.
    >>> model, data = nn.Linear(4, 3), pv.Data(torch.randn(20, 4), torch.arange(20) % 3)
    >>> evidence = pv.gather(model, pv.find_layers(model), None, data, classes=3)
    """
    if len(calibration) == 0:
        raise ValueError("calibration data is empty; give at least one sample")
    usual = len(set(parts) - {"curvature"}) > 0
    share = 0.5 if usual and "curvature" in parts else 1.0
    tallies: dict[str, Tally] = {}
    if {"activity", "gradients"} & set(parts):
        columns, first = max(1, classes), part_of(progress, 0.0, share)
        tallies = _tally(model, layers, graph, calibration, columns, task, parts, batch, first)
    experts = {name: layer for name, layer in layers.items() if layer.kind == "experts"}
    singly: Mapping[str, dict[str, Any]] = {}
    if experts and "gradients" in parts:
        singly = gradients_singly(model, experts, calibration, task, part_of(progress, 0.0, share))
    curved: Mapping[str, Tensor] = {}
    if "curvature" in parts:
        last = part_of(progress, 1 - share, share)
        curved = inverse_diagonals(model, layers, calibration, batch, last)
    flow: Mapping[str, Tensor] = {}
    if "flow" in parts and isinstance(calibration.inputs, Tensor):
        flow = _flow(model, layers, calibration.inputs)
    evidence = {}
    for name, alone in weights_only(model, layers, graph).items():
        heard = _evidence_fields(tallies.get(name), len(calibration)) | singly.get(name, {})
        flowing = None if alone.layer.kind == "embedding" else flow.get(name)
        evidence[name] = replace(alone, flow=flowing, inverse_diagonal=curved.get(name), **heard)
    trim()
    return evidence


def _tally(
    model: nn.Module,
    layers: Mapping[str, Layer],
    graph: Graph | None,
    data: Data,
    columns: int,
    task: Task | None,
    parts: Collection[str],
    batch: int,
    progress: ShareDone,
) -> dict[str, Tally]:
    # Layer -> the sums of one pass; of a second one, sample by sample, where rows are mixed.
    tallies: dict[str, Tally] = {}
    silent = ("embedding", "experts")
    listeners = {name: layer for name, layer in layers.items() if layer.kind not in silent}
    layouts = find_layouts(model, listeners, data)
    mixed = {name for (name, _), layout in layouts.items() if layout is None}

    def pass_(names: Collection[str], batch: int, start: float, share: float) -> None:
        new = {n: Tally.of(model, layers[n], graph, columns, layouts) for n in names}
        tallies.update(new)
        _pass(model, new, data, task, parts, batch, part_of(progress, start, share))

    half = 0.5 if mixed else 1.0
    pass_([name for name in listeners if name not in mixed], batch, 0.0, half)
    mixed |= {name for name, tally in tallies.items() if tally.mixed}
    if mixed:
        pass_([name for name in listeners if name in mixed], 1, half, 1 - half)
    return tallies


def find_layouts(
    model: nn.Module, layers: Mapping[str, Layer], data: Data
) -> dict[Use, Layout | None]:
    """(layer, how many uses of it came before in a pass) -> the layout of its rows, if any fits.

    A few samples are answered twice, the second time in another order. Nothing where the network
    refuses so few.
    """
    which = torch.linspace(0, len(data) - 1, min(len(data), _FEW)).round().long()
    first: dict[Use, Tensor] = {}
    layouts: dict[Use, Layout | None] = {}

    def compare(use: Use, rows: Tensor) -> None:
        before = first.pop(use, None)
        layouts[use] = None if before is None else find_layout(before, rows, len(which))

    try:
        _hear_rows(model, layers, data.take(which), first.__setitem__)
        _hear_rows(model, layers, data.take(which.roll(1)), compare)
    except Exception:  # whatever the network raises: the pass that follows says so
        return {}
    return layouts | dict.fromkeys(first)


def _hear_rows(
    model: nn.Module,
    layers: Mapping[str, Layer],
    data: Data,
    hear: Callable[[Use, Tensor], None],
) -> None:
    modules, names, uses = leaves(model), first_names(model), Counter[str]()

    def count(call: Call) -> None:
        hear((call.layer.name, uses[call.layer.name]), call.rows(call.inputs))
        uses[call.layer.name] += 1

    layer_modules = {name: modules[one] for name, one in names.items()}
    with torch.no_grad(), WeightListener(layers, layer_modules, count):
        call_all(replica(model), data.inputs, modules)


def _evidence_fields(tally: Tally | None, samples: int) -> dict[str, Any]:
    return {"samples": samples} if tally is None else {"samples": tally.samples, **tally.result()}


def _pass(
    model: nn.Module,
    tallies: Mapping[str, Tally],
    data: Data,
    task: Task | None,
    parts: Collection[str],
    batch: int,
    progress: ShareDone,
) -> None:
    copy, modules, names = replica(model), leaves(model), first_names(model)
    backward = "gradients" in parts

    def hear(call: Call) -> Tensor | None:
        return tallies[call.layer.name].hear(call, keep=backward)

    layers = {name: tally.layer for name, tally in tallies.items()}
    listening = WeightListener(layers, {name: modules[one] for name, one in names.items()}, hear)
    for start in range(0, len(data), batch):
        part = data.take(slice(start, start + batch))
        labels = part.targets
        for tally in tallies.values():
            tally.begin(len(part), labels)
        # Parameters that ask for gradients make every layer's output ask for them too.
        with piece(), torch.set_grad_enabled(backward):
            what = f"gathering evidence on calibration samples {start}..{start + len(part) - 1}"
            with listening, at_work(what):
                answer = call_all(copy, part.inputs, modules)
            if backward:
                task = task or task_for(answer[main_output(answer)].detach(), data, None)
                _backward(task, answer, part, tallies)
        progress(min(1.0, (start + batch) / len(data)))


def _backward(task: Task, answer: Answer, part: Data, tallies: Mapping[str, Tally]) -> None:
    if task.name == "classes" and part.targets is not None:
        outputs = answer[named_output(answer, task.output)]
        check_targets(part.targets, outputs.shape[1], "the network's outputs")
    loss = loss_of(task, answer, part.targets).sum()
    heard = [call.output for tally in tallies.values() for call, _ in tally.heard]
    grads = iter(torch.autograd.grad(loss, heard, allow_unused=True))
    for tally in tallies.values():
        tally.take([next(grads) for _ in tally.heard])


def _flow(model: nn.Module, layers: Mapping[str, Layer], inputs: Tensor) -> Mapping[str, Tensor]:
    if not inputs.is_floating_point():
        return {}
    try:
        return synaptic_flow(model, layers, inputs)
    except Exception:
        # A network that fixes its own precision cannot run in float64; Evidence says what to do.
        return {}
