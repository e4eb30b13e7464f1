"""Does a repair help on samples that it has not seen?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count

import torch
from torch import Tensor, nn

from pruneviz.data import Data
from pruneviz.network.forward_pass import call_all
from pruneviz.network.graph import Graph
from pruneviz.network.groups import Groups
from pruneviz.network.layers import Layer
from pruneviz.network.replica import replica
from pruneviz.plan import Plan
from pruneviz.progress import ShareDone, silent_share
from pruneviz.pruning.repair import BATCH, SAMPLES, repair
from pruneviz.pruning.repair.consumers import RepairedNetwork
from pruneviz.pruning.repair.reconstruction import RIDGE

_FOLDS, _MANY = 5, 100
_RIDGES = (RIDGE, 10 * RIDGE, 100 * RIDGE, 1000 * RIDGE)


@dataclass(frozen=True)
class RepairResult:
    """tensors: what takes the place of parameters and buffers. notes: sentences on repairs that
    were asked for and are not among them.
    """

    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def mend(
    model: nn.Module,
    layers: Mapping[str, Layer],
    groups: Groups | None,
    graph: Graph | None,
    plan: Plan,
    masks: Mapping[str, Tensor],
    units: Mapping[str, Tensor],
    calibration: Data,
    *,
    batch: int = BATCH,
    samples: int = SAMPLES,
    progress: ShareDone = silent_share,
) -> RepairResult:
    """The repairs of `plan` that bring the answers nearer to those of the dense network.

    Each is made on four fifths of the calibration samples and judged by the answers to the others,
    which also choose how near reconstruction stays to the weights there were. What helps there is
    made again on all of them; what does not is left out, with a sentence. A single sample judges
    nothing. The arguments and errors are those of `repair`.
    """
    passes = count()

    def make(names: tuple[str, ...], ridge: float, seen: Data) -> dict[str, Tensor]:
        request, place = replace(plan, repair=names), next(passes)
        return repair(
            model, layers, groups, graph, request, masks, units, seen,
            batch=batch, samples=samples, ridge=ridge,
            progress=lambda part: progress(1 - 1 / (1 + (place + part) / _FOLDS)),
        )  # fmt: skip

    data = calibration.first(samples)
    if all(bool(mask.all()) for mask in masks.values()):
        return RepairResult()
    if len(data) < 2:
        why = "was judged by nothing: one calibration sample"
        notes = tuple(f"repair {name!r} {why}" for name in plan.repair)
        return RepairResult(make(plan.repair, RIDGE, data), notes)
    judge = _Judge(RepairedNetwork(model, masks), replica(model), data, batch)
    best, ridge = judge.error(lambda seen: {}), RIDGE
    names: tuple[str, ...] = ()
    refusals: list[str] = []
    for name in plan.repair:
        error, trial = _best(judge, partial(make, (*names, name)), name, ridge)
        if error <= best:
            best, ridge, names = error, trial, (*names, name)
        else:
            refusals.append(_refusal(name, error, best, judge.samples))
    tensors = make(names, ridge, data) if names else {}
    progress(1.0)
    return RepairResult(tensors, tuple(refusals))


def _best(
    judge: _Judge, repair_at: Callable[[float, Data], dict[str, Tensor]], name: str, ridge: float
) -> tuple[float, float]:
    """The least error of a repair, and the ridge that gave it: raised as long as that helps."""
    error = judge.error(partial(repair_at, ridge))
    if name != "reconstruct":
        return error, ridge
    for other in _RIDGES[1:]:
        there = judge.error(partial(repair_at, other))
        if not there < error:
            break
        error, ridge = there, other
    return error, ridge


class _Judge:
    """How near the dense network's a repair brings the answers to samples that it has not seen.

    A fifth of the samples is held out; of fewer than a hundred each fifth in its turn.
    """

    def __init__(self, network: RepairedNetwork, model: nn.Module, data: Data, batch: int) -> None:
        self._network, self._model, self._data, self._batch = network, model, data, batch
        parts = list(torch.arange(len(data)).tensor_split(min(_FOLDS, len(data))))
        self._unseen = parts if len(data) < _MANY else parts[-1:]

    @property
    def samples(self) -> int:
        """How many are held out in all."""
        return sum(len(part) for part in self._unseen)

    def error(self, repair_on: Callable[[Data], Mapping[str, Tensor]]) -> float:
        """Σ (answer − dense answer)² / Σ (dense answer)², the mean over all outputs.

        repair_on: what a repair makes of the samples that it may see.
        """
        sums: dict[str, Tensor] = {}
        every = torch.arange(len(self._data))
        for part in self._unseen:
            tensors = self._network.tensors(
                repair_on(self._data.take(every[~torch.isin(every, part)]))
            )
            for start in range(0, len(part), self._batch):
                inputs = self._data.take(part[start : start + self._batch]).inputs
                with torch.inference_mode():
                    dense = call_all(replica(self._model), inputs)
                    got = call_all(replica(self._model), inputs, tensors)
                for name in (n for n, t in dense.items() if t.is_floating_point() and n in got):
                    one, other = dense[name].double(), got[name].double()
                    both = torch.stack([(one - other).square().sum(), one.square().sum()])
                    sums[name] = sums[name] + both if name in sums else both
        tiny = torch.finfo(torch.float64).tiny
        parts = [float(off / size.clamp(min=tiny)) for off, size in sums.values()]
        mean = sum(parts) / max(1, len(parts))
        return mean if mean == mean else float("inf")  # broken answers are as far as can be


def _refusal(name: str, error: float, without: float, samples: int) -> str:
    return (
        f"repair {name!r} was not kept: on {samples:,} calibration "
        f"sample{'' if samples == 1 else 's'} that it had not seen, answers lay farther from the "
        f"dense network's with it than without (relative squared error {error:.2g} against "
        f"{without:.2g})"
    )
