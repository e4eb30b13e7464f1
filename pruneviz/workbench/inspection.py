"""What goes on inside a network under a plan?"""

from __future__ import annotations

from torch import Tensor

from pruneviz.measuring import collapse, feature_maps
from pruneviz.measuring.bench import Bench
from pruneviz.plan import Plan

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
