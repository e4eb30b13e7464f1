"""Which blocks can be left out, and which layers stand in none?"""

from __future__ import annotations

import pandas as pd

from pruneviz.measuring.bench import Bench
from pruneviz.network.groups import Group

COLUMNS = ["block", "layer", "layers", "params", "macs", "locked"]


def block_table(bench: Bench) -> pd.DataFrame:
    """One row a block, then one a layer that stands in none.

    block: the innermost module that holds it, or a layer's name; layer: the one that a plan names
    it by (any other of its `layers` does, too); params, macs: what goes with it; locked: why it
    must stay, or "". ValueError if the network cannot be traced.
    """
    blocks, rows = bench.graph_cache.blocks, []
    sizes = dict(bench.source.model.named_parameters(remove_duplicate=False))
    for name, group in blocks.groups.items():
        params = sum(sizes[place.tensor].numel() for place in group.places)
        macs = sum(bench.macs[layer] for layer in group.layers)
        rows.append((block_name(group), name, group.layers, params, macs, ""))
    for name, why in blocks.fixed.items():
        layer = bench.layer_of[name]
        params = layer.size + (layer.units if layer.has_bias else 0)
        rows.append((name, name, (name,), params, bench.macs[name], why))
    return pd.DataFrame(rows, columns=COLUMNS)


def block_name(group: Group) -> str:
    """What a block is called on the screen: the module it fills, or its part of one."""
    assert group.skip is not None
    skip, inside = group.skip, [*group.skip.silent, *group.skip.through]
    if len(inside) == 1:
        return inside[0]
    # Of a transformer's layer the module that holds the weights, without the norm before it.
    holders = [path for path in inside if any(x.startswith(f"{path}.") for x in group.layers)]
    return holders[0] if len(holders) == 1 else skip.path or group.name
