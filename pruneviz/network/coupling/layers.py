"""What do layers, norms and products of tensors do to units?"""

from __future__ import annotations

from collections.abc import Sequence

from torch.fx import Node

from pruneviz.network.coupling.atoms import Dims, Ids
from pruneviz.network.coupling.elementwise import op_of
from pruneviz.network.coupling.walk import NodeDims, Rule, Walk, argument, shape_of

_STREAM = "the layer reads what must stay as it is"
_NORMED = "it is normalised together ({op}): without some, the others would change"
_SCALED = "two activations are multiplied along it (attention is scaled by its size)"
_BLOCKS = "a grouped convolution needs equal groups"


def linear(walk: Walk, node: Node) -> NodeDims:
    """x [..., inputs], weight [units, inputs], bias [units]."""
    x, w = walk.of(node.args[0]), walk.of(node.args[1])
    walk.atoms.unite([x[-1], w[1]], _STREAM)
    if shape_of(node.args[1])[0] < 2:
        walk.atoms.forbid(w[0], _STREAM)
    return [*x[:-1], _units(walk, node, w[0], argument(node, 2, "bias"))]


def addmm(walk: Walk, node: Node) -> NodeDims:
    """bias [units], x [rows, inputs], weight [inputs, units]."""
    x, w = walk.of(node.args[1]), walk.of(node.args[2])
    walk.atoms.unite([x[1], w[0]], _STREAM)
    return [x[0], _units(walk, node, w[1], node.args[0])]


def convolution(walk: Walk, node: Node) -> NodeDims:
    """x [n, inputs, ...], weight [units, inputs / groups, ...]; turned for the transposed kind."""
    transposed = "transpose" in op_of(node)
    x, w = walk.of(node.args[0]), walk.of(node.args[1])
    groups = argument(node, 6, "groups", 1)
    at = 1 if len(x) == len(w) else 0  # a sample may come without its batch
    for ids in [*x[at + 1 :], *w[2:]]:
        walk.atoms.forbid(ids, _STREAM)
    if groups == 1:
        walk.atoms.unite([x[at], w[0 if transposed else 1]], _STREAM)
        out = w[1 if transposed else 0]
    else:
        out = _group(walk, node, x[at], w, groups, transposed)
    out = _units(walk, node, out, argument(node, 2, "bias"))
    return [*x[:at], out, *([None] * (len(x) - at - 1))]


def _group(
    walk: Walk, node: Node, x: Ids | None, w: Dims, groups: int, transposed: bool
) -> Ids | None:
    """Either whole groups are cut, or the same number from each group."""
    shape, sites = shape_of(node.args[1]), walk.sites
    if transposed:
        inputs, each = shape[0] // groups, shape[1]
        x = walk.atoms.unite([x, w[0]], _STREAM)
        group, _ = sites.split(x, [groups, inputs], f"{node.name}/in")
        return sites.merge([group, w[1]], [groups, each], f"{node.name}/out")
    inputs, each = shape[1], shape[0] // groups
    group_in, place_in = sites.split(x, [groups, inputs], f"{node.name}/in")
    group_out, _ = sites.split(w[0], [groups, each], f"{node.name}/out")
    walk.atoms.unite([group_in, group_out], _BLOCKS)
    if inputs > 1:
        walk.atoms.unite([place_in, w[1]], _BLOCKS)
    elif group_out is not None:  # each channel with its filters: so what it reads can go as well
        sites.first.append(group_out)
    return w[0]


def _units(walk: Walk, node: Node, out: Ids | None, bias: object) -> Ids | None:
    for ids in walk.of(bias):
        out = walk.atoms.unite([out, ids], _STREAM)
    walk.outputs[node] = out
    return out


def batch_norm(walk: Walk, node: Node) -> NodeDims:
    """Each channel is normalised for itself: its scale, shift and statistics go with it."""
    dims = walk.of(node.args[0])
    training = argument(node, 5, "training", False)
    for place, ids in enumerate(dims):
        if training and place != 1:  # statistics of this very batch run over all the others
            walk.atoms.forbid(ids, _NORMED.format(op=op_of(node)))
            dims[place] = None
    return _with_channels(walk, dims, node.args[1:5])


def layer_norm(walk: Walk, node: Node) -> NodeDims:
    """All that is normalised together must stay, with its scale and shift."""
    dims = walk.of(node.args[0])
    count = len(argument(node, 1, "normalized_shape"))
    reason = _NORMED.format(op=op_of(node))
    for ids in dims[-count:]:
        walk.atoms.forbid(ids, reason)
    walk.forbid_all(node.args[2:4], reason)
    return dims  # these atoms stay, and carry the reason on to whatever they are joined with


def group_norm(walk: Walk, node: Node) -> NodeDims:
    """Whole groups of channels may go."""
    dims, groups = walk.of(node.args[0]), node.args[1]
    size = shape_of(node.args[0])[1]
    assert isinstance(groups, int)
    if groups == 1:
        walk.atoms.forbid(dims[1], _NORMED.format(op=op_of(node)))
    _, inside = walk.sites.split(dims[1], [groups, size // groups], f"{node.name}/groups")
    walk.atoms.forbid(inside, _NORMED.format(op=op_of(node)))
    return _with_channels(walk, dims, node.args[2:4])


def _with_channels(walk: Walk, dims: Dims, values: Sequence[object]) -> Dims:
    """Scale, shift and statistics [channels] go with the channels."""
    for value in values:
        for ids in walk.of(value):
            dims[1] = walk.atoms.unite([dims[1], ids], _STREAM)
    return dims


def embedding(walk: Walk, node: Node) -> NodeDims:
    """weight [entries, features], places to look up."""
    w = walk.of(node.args[0])
    walk.atoms.forbid(w[0], "entries are looked up by their number")
    return [*([None] * len(shape_of(node.args[1]))), w[1]]


def product(walk: Walk, node: Node) -> NodeDims:
    """[..., rows, inner] times [..., inner, columns]; batch dimensions are spread."""
    left, right = node.args[0], node.args[1]
    a, b = walk.of(left), walk.of(right)
    inner = [a[-1], b[-2] if len(b) > 1 else b[0]]
    both_move = not walk.is_constant(left) and not walk.is_constant(right)
    if both_move:
        for ids in inner:
            walk.atoms.forbid(ids, _SCALED)
    else:
        walk.atoms.unite(inner, _STREAM)
    rows = [a[-2]] if len(a) > 1 else []
    columns = [b[-1]] if len(b) > 1 else []
    shapes = [shape_of(left)[:-2], shape_of(right)[:-2]]
    batch = _spread(walk, [a[:-2], b[:-2]], shapes)
    if both_move and len(batch) > 1:
        walk.sites.heads += [ids for ids in batch[1:] if ids is not None]
    return [*batch, *rows, *columns]


def attention(walk: Walk, node: Node) -> NodeDims:
    """Queries, keys and values [n, heads, positions, size]: heads may go whole."""
    q, k, v = (walk.of(a) for a in node.args[:3])
    shapes = [shape_of(a) for a in node.args[:3]]
    for ids in (q[-1], k[-1]):
        walk.atoms.forbid(ids, _SCALED)
    walk.atoms.unite([k[-2], v[-2]], _SCALED)
    if shapes[0][-3] != shapes[1][-3] and len(q) > 2:  # several queries to one key
        share = shapes[0][-3] // shapes[1][-3]
        group, _ = walk.sites.split(q[-3], [shapes[1][-3], share], f"{node.name}/shared")
        walk.atoms.unite([group, k[-3], v[-3]], _STREAM)
        batch = [*_spread(walk, [q[:-3]], [shapes[0][:-3]]), q[-3]]
    else:
        batch = _spread(walk, [q[:-2], k[:-2], v[:-2]], [s[:-2] for s in shapes])
    mask = argument(node, 3, "attn_mask")
    if walk.of(mask):
        offset = len(shape_of(mask)) - len(q)
        shared = _spread(walk, [batch, walk.of(mask)[:-2]], [shapes[0][:-2], shape_of(mask)[:-2]])
        batch = shared[max(offset, 0) :]
        for ids in walk.of(mask)[-2:]:
            walk.atoms.forbid(ids, _SCALED)
    walk.sites.heads += [ids for ids in batch[1:] if ids is not None]
    return [*batch, q[-2], v[-1]]


def _spread(walk: Walk, dims: Sequence[Dims], shapes: Sequence[Sequence[int]]) -> Dims:
    """Batch dimensions joined from the right; sizes of one are spread."""
    length = max((len(shape) for shape in shapes), default=0)
    result: Dims = []
    for back in range(length, 0, -1):
        there = [(d[-back], s[-back]) for d, s in zip(dims, shapes, strict=True) if len(s) >= back]
        size = max(s for _, s in there)
        parts = [ids for ids, s in there if s == size]
        result.append(walk.atoms.unite(parts, _STREAM) if size > 1 else None)
    return result


RULES: dict[str, Rule] = {
    "linear": linear,
    "addmm": addmm,
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), convolution),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), convolution),
    "batch_norm": batch_norm,
    **dict.fromkeys(("layer_norm", "rms_norm"), layer_norm),
    "group_norm": group_norm,
    "embedding": embedding,
    **dict.fromkeys(("matmul", "bmm", "mm"), product),
    "scaled_dot_product_attention": attention,
}
