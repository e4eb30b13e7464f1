"""What goes on inside a network under a plan?"""

from __future__ import annotations

from torch import Tensor

from pruneviz.measuring import attention_maps, collapse, feature_maps
from pruneviz.measuring.bench import Bench
from pruneviz.measuring.cost import cost_of, shrunk
from pruneviz.measuring.ledger import Cost
from pruneviz.plan import Plan
from pruneviz.progress import Progress, silent

_DENSE = Plan()
_FEW = 2  # samples, where more would keep somebody waiting


def layer_warnings(bench: Bench, plan: Plan) -> dict[str, str]:
    """Layer -> what has collapsed there: nothing left of it, or the network cut in two."""
    samples = _FEW if bench.slow else collapse.SAMPLES
    return collapse.collapses(bench.prune(plan), bench.layer_of, bench.source.validation, samples)


def layer_maps(bench: Bench, plan: Plan, layer: str, sample: int) -> Tensor:
    """Activations of one layer under `plan` for one validation sample: [units, ...].

    Raises ValueError for a layer or sample that is not there.
    """
    return feature_maps.feature_maps(
        bench.source.model,
        bench.prune(plan).tensors,
        feature_maps.find_layer(bench.layer_of, layer),
        bench.graph_cache.graph_or_none(),
        feature_maps.one_sample(bench.source.validation, sample),
    )


def head_maps(bench: Bench, layer: str, sample: int, plan: Plan = _DENSE) -> Tensor:
    """Where each head of the attention around a layer looks: [heads, queries, keys].

    For one validation sample, in the dense network, so that a head is seen before it is cut, or
    under `plan`. ValueError for a sample that is not there, or a layer that is in no attention.
    """
    return attention_maps.attention_maps(
        bench.source.model,
        bench.prune(plan).tensors,
        feature_maps.find_layer(bench.layer_of, layer).name,
        feature_maps.one_sample(bench.source.validation, sample),
    )


def ledger_of(bench: Bench, plan: Plan, progress: Progress = silent) -> Cost:
    """The ledger of `plan`, measured in some seconds: sizes, memory and latency."""
    pruned, counts = bench.prune(plan), bench.counts(plan)
    small, why = shrunk(pruned)
    return cost_of(pruned, counts, small, why, bench.source.validation, progress=progress)
