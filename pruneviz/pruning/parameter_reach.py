"""Which parameters does a slider reach, and which not?"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from torch import nn

from pruneviz.network.groups import Groups
from pruneviz.network.layers import Layer

_LITTLE = 0.5  # below it most of the network stays as it is, whatever a slider says
_NAMED = 3  # kinds of what no slider reaches that a sentence names


def layer_table(
    layers: Mapping[str, Layer],
    macs: Mapping[str, int],
    locks: Mapping[str, str],
    groups: Groups | None,
) -> pd.DataFrame:
    """One row a layer: layer, kind, shape, params, macs, group (its own name in none), locked.

    params: the weights that a slider reaches and the biases that go with their units.
    """
    rows = [
        (
            x.name,
            x.kind,
            x.shape,
            x.size + (x.units if x.has_bias else 0),
            macs[x.name],
            x.name if groups is None else groups.lead(x.name),
            locks.get(x.name, ""),
        )
        for x in layers.values()
    ]
    columns = ["layer", "kind", "shape", "params", "macs", "group", "locked"]
    return pd.DataFrame(rows, columns=columns)


def never_pruned(model: nn.Module, layers: Mapping[str, Layer]) -> pd.DataFrame:
    """Parameters that are no layer's weight or bias, one row each: parameter, params, reason.

    With those of all layers they make up the whole network.
    """
    own = [name for x in layers.values() for name in (x.weight, x.bias) if name is not None]
    reached = {id(model.get_parameter(name)) for name in own}
    rows = []
    for name, parameter in model.named_parameters():
        if id(parameter) not in reached:
            path, _, last = name.rpartition(".")
            rows.append((name, parameter.numel(), _reason(model.get_submodule(path), last)))
    return pd.DataFrame(rows, columns=["parameter", "params", "reason"])


def reach_notes(model: nn.Module, never: pd.DataFrame) -> tuple[str, ...]:
    """What is to be known of a network of which sliders reach less than half, one sentence or none.

    never: from `never_pruned`. It names what makes up most of the rest, and why that stays.
    """
    total = sum(parameter.numel() for parameter in model.parameters())
    rest = int(never["params"].sum())
    if total - rest >= _LITTLE * total:
        return ()
    kinds = never.groupby("reason")["params"].sum().sort_values(ascending=False, kind="stable")
    parts = [_part(str(reason), int(params)) for reason, params in kinds.head(_NAMED).items()]
    if len(kinds) > _NAMED:
        parts.append(f"{int(kinds.iloc[_NAMED:].sum()):,} of other kinds")
    reach = 100 * (total - rest) / total
    return (f"sliders reach {reach:.1f} % of the parameters; the rest is {', '.join(parts)}",)


def _part(reason: str, params: int) -> str:
    kind, _, why = reason.partition(": ")
    return f"{params:,} of {kind} ({why})"


def _reason(module: nn.Module, name: str) -> str:
    kind = type(module).__name__
    if name.endswith("bias"):
        return "bias: goes only with its unit"
    if "norm" in kind.lower():
        return f"{kind}: goes only with its unit"
    if name == "weight" and isinstance(module, (nn.Linear, nn.modules.conv._ConvNd)):
        return f"{kind}: computes another weight from it before use; a mask would not hold"
    return f"{kind}: no layer of a known kind"
