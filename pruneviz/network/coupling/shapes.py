"""What do operators that only move entries around do to units?"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch.fx import Node

from pruneviz.network.coupling.atoms import Dims, Ids
from pruneviz.network.coupling.elementwise import op_of
from pruneviz.network.coupling.reshapes import reshape
from pruneviz.network.coupling.walk import (
    NodeDims,
    Rule,
    Walk,
    argument,
    shape_of,
    shapes_of,
    stiff,
)

_PICKED = "single entries of it are picked by their place ({op})"
_PARTS = "it is split into unequal parts ({op})"
_PADDED = "it is padded"
_JOINED = "it is joined with a tensor that stays as it is ({op})"


def view(walk: Walk, node: Node) -> NodeDims:
    """Any change of shape that keeps the order of entries."""
    source = node.args[0]
    return reshape(walk.sites, walk.of(source), shape_of(source), shape_of(node), node.name)


def permute(walk: Walk, node: Node) -> NodeDims:
    """Dimensions in another order."""
    dims = walk.of(node.args[0])
    op = op_of(node)
    if op in ("transpose", "transpose_", "swapaxes"):
        a, b = int(node.args[1]), int(node.args[2])  # type: ignore[arg-type]
        dims[a], dims[b] = dims[b], dims[a]
        return dims
    if op in ("t", "numpy_T", "mT", "adjoint"):
        return [*dims[:-2], *dims[-2:][::-1]]
    if op == "movedim":
        order = _move(len(dims), node.args[1], node.args[2])
        return [dims[place] for place in order]
    return [dims[place] for place in argument(node, 1, "dims")]


def _move(count: int, source: Any, target: Any) -> list[int]:
    sources = [source] if isinstance(source, int) else source
    targets = [target] if isinstance(target, int) else target
    sources, targets = [s % count for s in sources], [t % count for t in targets]
    rest = iter(place for place in range(count) if place not in sources)
    there = dict(zip(targets, sources, strict=True))
    return [there[place] if place in there else next(rest) for place in range(count)]


def expand(walk: Walk, node: Node) -> NodeDims:
    """Sizes of one are repeated; `expand_as` repeats them as often as another tensor has units."""
    source = node.args[0]
    dims, old, new = walk.of(source), shape_of(source), shape_of(node)
    lead = len(new) - len(old)
    other = walk.of(node.args[1]) if op_of(node) == "expand_as" else stiff(new)
    return [
        dims[d - lead] if d >= lead and old[d - lead] == size else other[d]
        for d, size in enumerate(new)
    ]


def repeat(walk: Walk, node: Node) -> NodeDims:
    """Every dimension is laid end to end some times."""
    source = node.args[0]
    dims, old, new = walk.of(source), shape_of(source), shape_of(node)
    lead = len(new) - len(old)
    dims, old = stiff([1] * lead) + dims, [1] * lead + old
    return [
        None if ids is None else np.tile(ids, size // before)
        for ids, before, size in zip(dims, old, new, strict=True)
    ]


def repeat_interleave(walk: Walk, node: Node) -> NodeDims:
    """Every entry of one dimension is repeated on the spot."""
    source = node.args[0]
    dims, old, new = walk.of(source), shape_of(source), shape_of(node)
    return [
        None if ids is None else np.repeat(ids, size // before)
        for ids, before, size in zip(dims, old, new, strict=True)
    ]


def narrow(walk: Walk, node: Node) -> NodeDims:
    """A part of one dimension, by fixed bounds."""
    source = node.args[0]
    dims, shape = walk.of(source), shape_of(source)
    d = int(argument(node, 1, "dim", 0)) % len(shape)
    ids, size = dims[d], shape_of(node)[d]
    if ids is None or size == shape[d]:
        return dims
    dims[d] = None
    start, step = argument(node, 2, "start", 0), argument(node, 4, "step", 1)
    bounds = isinstance(start, int | None) and step == 1
    if bounds and shape[d] % size == 0 and (start or 0) % size == 0:
        site = f"{_key(source)}/{d}/{size}"  # all parts of one tensor are one site
        dims[d] = walk.sites.split(ids, [shape[d] // size, size], site)[1]
    else:
        walk.atoms.forbid(ids, _PICKED.format(op="slice"))
    return dims


def select(walk: Walk, node: Node) -> NodeDims:
    """One entry of one dimension."""
    dims = walk.of(node.args[0])
    d = int(argument(node, 1, "dim", 0))
    walk.atoms.forbid(dims.pop(d), _PICKED.format(op="select"))
    return dims


def unbind(walk: Walk, node: Node) -> NodeDims:
    """Every entry of one dimension apart."""
    dims = walk.of(node.args[0])
    d = int(argument(node, 1, "dim", 0))
    walk.atoms.forbid(dims.pop(d), _PICKED.format(op="unbind"))
    return [list(dims) for _ in shapes_of(node) or []]


def split(walk: Walk, node: Node) -> NodeDims:
    """Parts of one dimension, one after the other; equal parts lose the same places each."""
    dims, whole = walk.of(node.args[0]), shape_of(node.args[0])
    d = int(argument(node, 2, "dim", 0)) % len(whole)
    sizes = [shape[d] for shape in shapes_of(node) or []]
    ids = dims[d]
    part: Ids | None = None
    if len(sizes) == 1:
        part = ids
    elif ids is not None and len(set(sizes)) == 1:
        part = walk.sites.split(ids, [len(sizes), sizes[0]], f"{node.name}/parts")[1]
    elif ids is not None:
        walk.atoms.forbid(ids, _PARTS.format(op=op_of(node)))
    return [[*dims[:d], part, *dims[d + 1 :]] for _ in sizes]


def glu(walk: Walk, node: Node) -> NodeDims:
    """One half of a dimension is the gate of the other."""
    dims, whole = walk.of(node.args[0]), shape_of(node.args[0])
    d = int(argument(node, 1, "dim", -1)) % len(whole)
    dims[d] = walk.sites.split(dims[d], [2, whole[d] // 2], f"{node.name}/parts")[1]
    return dims


def cat(walk: Walk, node: Node) -> NodeDims:
    """Tensors one after the other along one dimension."""
    tensors: Any = node.args[0]
    shapes = [shape_of(value) for value in tensors]
    rank = max(len(shape) for shape in shapes)
    parts = [(walk.of(v), s) for v, s in zip(tensors, shapes, strict=True) if len(s) == rank]
    d = int(argument(node, 1, "dim", 0)) % rank
    result: Dims = []
    for place in range(rank):
        ids = [dims[place] for dims, _ in parts]
        if place != d:
            result.append(walk.atoms.unite(ids, _JOINED.format(op="cat")))
        elif all(one is None for one in ids):
            result.append(None)
        else:
            result.append(np.concatenate([_stiff(walk, dims[d], s[d]) for dims, s in parts]))
    return result


def _stiff(walk: Walk, ids: Ids | None, size: int) -> Ids:
    if ids is not None:
        return ids
    walk.atoms.count += size
    fresh = np.arange(walk.atoms.count - size, walk.atoms.count, dtype=np.int64)
    walk.atoms.forbid(fresh, _JOINED.format(op="cat"))
    return fresh


def stack(walk: Walk, node: Node) -> NodeDims:
    """Tensors beside each other along a new dimension."""
    tensors: Any = node.args[0]
    rank = len(shape_of(node))
    d = int(argument(node, 1, "dim", 0)) % rank
    columns = zip(*(walk.of(value) for value in tensors), strict=True)
    united: Dims = [walk.atoms.unite(ids, _JOINED.format(op="stack")) for ids in columns]
    return [*united[:d], None, *united[d:]]


def index(walk: Walk, node: Node) -> NodeDims:
    """Entries looked up by number along some dimensions; the others pass."""
    indices: Any = node.args[1]
    dims, values = walk.of(node.args[0]), list(indices)
    axes = [d for d, value in enumerate(values) if value is not None]
    for d in axes:
        walk.atoms.forbid(dims[d], _PICKED.format(op="index"))
    new: Dims = [None] * (len(shape_of(node)) - (len(dims) - len(axes)))
    rest = [ids for d, ids in enumerate(dims) if d not in axes]
    together = axes == list(range(axes[0], axes[-1] + 1)) if axes else True
    at = axes[0] if axes and together else 0
    return [*rest[:at], *new, *rest[at:]]


def index_select(walk: Walk, node: Node) -> NodeDims:
    """Entries of one dimension looked up by number."""
    dims = walk.of(node.args[0])
    d = int(node.args[1])  # type: ignore[arg-type]
    walk.atoms.forbid(dims[d], _PICKED.format(op=op_of(node)))
    dims[d] = None
    return dims


def roll(walk: Walk, node: Node) -> NodeDims:
    """Entries are moved along some dimensions."""
    dims = walk.of(node.args[0])
    for d in argument(node, 2, "dims", []) or range(len(dims)):
        walk.atoms.forbid(dims[d], _PICKED.format(op="roll"))
        dims[d] = None
    return dims


def pad(walk: Walk, node: Node) -> NodeDims:
    """Padded dimensions must stay."""
    dims, old, new = walk.of(node.args[0]), shape_of(node.args[0]), shape_of(node)
    amounts: Any = node.args[1]
    padded = {len(dims) - 1 - i // 2 for i, amount in enumerate(amounts) if amount != 0}
    for d, ids in enumerate(dims):
        if old[d] != new[d] or d in padded:
            walk.atoms.forbid(ids, _PADDED)
            dims[d] = None
    return dims


def pixel_shuffle(walk: Walk, node: Node) -> NodeDims:
    """Channels [kept, r²] become kept channels, r times as high and wide."""
    dims, shape = walk.of(node.args[0]), shape_of(node.args[0])
    channels = shape_of(node)[-3]
    factors = [channels, shape[-3] // channels]
    outer, inner = walk.sites.split(dims[-3], factors, f"{node.name}/channels")
    for ids in (inner, *dims[-2:]):
        walk.atoms.forbid(ids, _PICKED.format(op="pixel_shuffle"))
    return [*dims[:-3], outer, None, None]


def _key(value: object) -> str:
    return value.name if isinstance(value, Node) else ""


RULES: dict[str, Rule] = {
    **dict.fromkeys(
        (
            *("view", "reshape", "_unsafe_view", "flatten", "unflatten", "reshape_as", "view_as"),
            *("squeeze", "squeeze_", "unsqueeze", "unsqueeze_", "ravel"),
        ),
        view,
    ),
    **dict.fromkeys(
        ("permute", "transpose", "transpose_", "swapaxes", "t", "numpy_T", "mT", "movedim"), permute
    ),
    **dict.fromkeys(("expand", "expand_as", "broadcast_to"), expand),
    **dict.fromkeys(("repeat", "tile"), repeat),
    "repeat_interleave": repeat_interleave,
    **dict.fromkeys(("slice", "narrow"), narrow),
    "select": select,
    "unbind": unbind,
    **dict.fromkeys(("chunk", "split", "split_with_sizes", "tensor_split"), split),
    "glu": glu,
    **dict.fromkeys(("cat", "concat"), cat),
    "stack": stack,
    "index": index,
    "index_select": index_select,
    "roll": roll,
    **dict.fromkeys(("pad", "constant_pad_nd"), pad),
    "pixel_shuffle": pixel_shuffle,
}
