"""Which numbers come out for one network, with so many threads, batches and blocks?

python -m tests.determinism NAME FILE THREADS: those of one network, in a process of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

import pruneviz as pv
from pruneviz.measuring.answers import answer
from pruneviz.pruning.criteria import CRITERIA, Criterion
from pruneviz.pruning.evidence import Evidence
from pruneviz.pruning.evidence_pass import gather
from pruneviz.pruning.prune import apply, rank
from pruneviz.sources import Source
from pruneviz.workbench import Workbench
from tests import zoo

CALIBRATION, VALIDATION, BATCH = 150, 200, 64
LEVEL = 0.7
_GRANULARITIES = ("weight", "2:4", "neuron")


@dataclass(frozen=True)
class Numbers:
    """scores, masks: "criterion granularity layer" -> one an item, True = kept. predicted, loss,
    score: [samples], of the plan by magnitude that cuts LEVEL of each layer.
    """

    scores: dict[str, Tensor]
    masks: dict[str, Tensor]
    predicted: Tensor
    loss: Tensor
    score: Tensor


@contextmanager
def threads(number: int) -> Iterator[None]:
    """torch works with so many threads inside."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def bench_of(name: str, dtype: torch.dtype = torch.float32) -> Workbench:
    """A sample network with some of its data, or one of the zoo, in a number format."""
    if name in zoo.SMALL:
        model, data = zoo.made(name)
        data = _as(data, dtype)
        return Workbench(Source(name, model.to(dtype), data, data, ()))
    given = pv.open(name).source
    calibration = _as(given.calibration.first(CALIBRATION), dtype)
    validation = _as(given.validation.first(VALIDATION), dtype)
    return Workbench(Source(name, given.model.to(dtype), calibration, validation, given.classes))


def _as(data: pv.Data, dtype: torch.dtype) -> pv.Data:
    """Inputs and targets that are floats in another number format."""

    def of(tensor: Tensor) -> Tensor:
        return tensor.to(dtype) if tensor.is_floating_point() else tensor

    inputs, targets = data.inputs, data.targets
    return pv.Data(
        of(inputs) if isinstance(inputs, Tensor) else {n: of(t) for n, t in inputs.items()},
        None if targets is None else of(targets),
    )


def numbers(bench: Workbench, batch: int = BATCH, block: int = BATCH) -> Numbers:
    """All of them; batch: calibration samples that pass at once, block: validation samples."""
    source, layers = bench.source, bench.layer_of
    evidence = gather(
        source.model, layers, bench.graph, source.calibration,
        classes=max(1, len(source.classes)), task=bench.task, batch=batch,
    )  # fmt: skip
    scores: dict[str, Tensor] = {}
    masks: dict[str, Tensor] = {}
    for criterion in CRITERIA.values():
        for granularity in filter(criterion.allows, _GRANULARITIES):
            plan = _plan(bench, criterion.name, granularity)
            told = {n: level for n, level in plan.sparsity.items() if _has(evidence[n], criterion)}
            plan = replace(plan, sparsity=told)
            groups = bench.groups if granularity == "neuron" else None
            rankings = rank(layers, evidence, plan, groups)
            pruned = apply(source.model, plan, layers, rankings, bench.graph, groups)
            found = pruned.masks if groups is None else pruned.units
            for name, ranking in rankings.items():
                key = f"{criterion.name} {granularity} {name}"
                scores[key], masks[key] = ranking.scores, found[name]
    tensors = bench.masks(_plan(bench, "magnitude", "weight")).tensors
    samples = len(source.validation)
    found = answer(source.model, tensors, source.validation, 0, samples, bench.task, block)
    score = found.predicted == source.validation.targets if found.score is None else found.score
    return Numbers(scores, masks, found.predicted, found.loss, torch.as_tensor(score).float())


def _has(evidence: Evidence, criterion: Criterion) -> bool:
    return all(evidence.has(need) for need in criterion.needs if need not in ("written", "read"))


def _plan(bench: Workbench, criterion: str, granularity: str) -> pv.Plan:
    """LEVEL of each layer that can be cut so."""
    plan = pv.Plan(criterion, granularity, sparsity=dict.fromkeys(bench.layer_of, LEVEL))
    can = bench.layer_of.keys() - bench.cannot(plan).keys()
    return replace(plan, sparsity={name: LEVEL for name in bench.layer_of if name in can})


def main() -> None:
    """Into the file that is named."""
    name, file, number = sys.argv[1:]
    with threads(int(number)):
        torch.save(vars(numbers(bench_of(name))), Path(file))


if __name__ == "__main__":
    main()
