"""Which layers had better be left alone, and why?"""

from __future__ import annotations

from collections.abc import Mapping

from pruneviz.network.groups import Groups
from pruneviz.network.layers import Layer
from pruneviz.network.survey import Survey

_SMALL = 0.05
_NAMED = 3  # outputs that are named in a reason


def usual_locks(layers: Mapping[str, Layer], survey: Survey) -> dict[str, str]:
    """Layer -> why it is locked until somebody unlocks it.

    The output head, a first layer with less than 5 % of the weights, depthwise convolutions and
    embeddings (which practice leaves dense: Gale et al. 2019, arXiv:1902.09574, sec. 4; Evci et
    al. 2020, arXiv:1911.11134). Layers that never ran are locked too.
    """
    total = sum(layer.size for layer in layers.values() if layer.kind != "embedding")
    locks: dict[str, str] = {}
    for name, layer in layers.items():
        if layer.kind == "embedding":
            locks[name] = "embedding: off by default; each row belongs to one word or position"
        elif name not in survey.order:
            locks[name] = "never ran on the sample that was sent through: nothing can be measured"
        elif name in survey.heads:
            locks[name] = f"output head: its units are {_answers(survey, name)}"
        elif name in survey.first and layer.size < _SMALL * total:
            locks[name] = "first layer: few weights, needed by all later layers"
        elif layer.depthwise:
            locks[name] = "depthwise: one small filter per channel, with nothing to spare"
    if len(locks) == len(layers):  # something is there to be pruned: a small first layer will do
        locks = {name: why for name, why in locks.items() if not why.startswith("first")}
    return {} if len(layers) == 1 else locks


def _answers(survey: Survey, layer: str) -> str:
    """The answers, or which of several."""
    if len(survey.outputs) == 1:
        return "the answers"
    outputs = survey.outputs_by_layer[layer]
    more = f" and {len(outputs) - _NAMED} more" if len(outputs) > _NAMED else ""
    return f"the answers of {', '.join(map(repr, outputs[:_NAMED]))}{more}"


def unit_locks(locks: Mapping[str, str], groups: Groups) -> dict[str, str]:
    """The locks that hold where whole units are cut: of groups only those with every member locked.

    A first convolution whose filters are those of a whole stage, or a depthwise convolution that
    loses its channels with its neighbours, is no reason to lock all of them.
    """
    return {n: why for n, why in locks.items() if all(m in locks for m in groups.members(n))}
