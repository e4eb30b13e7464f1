"""What do operators that work entry by entry, or along one dimension, do to units?"""

from __future__ import annotations

from torch.fx import Node

from pruneviz.network.coupling.walk import NodeDims, Rule, Walk, argument, shape_of

_FIXED = "it is joined with a tensor that stays as it is ({op})"
_REDUCED = "{op} runs over it, and would answer otherwise without it"


def _words(text: str) -> list[str]:
    return text.split()


_ELEMENTWISE = _words("""
relu relu_ gelu gelu_ silu silu_ sigmoid sigmoid_ tanh tanh_ leaky_relu leaky_relu_ elu elu_
celu hardtanh hardtanh_ hardswish hardswish_ hardsigmoid hardsigmoid_ mish mish_ softplus
softsign selu selu_ relu6 relu6_ log_sigmoid hardshrink softshrink threshold rrelu add add_ sub
sub_ rsub mul mul_ div div_ pow pow_ sqrt rsqrt square reciprocal neg abs exp exp_ expm1 log
log1p sin cos erf floor ceil round sign clamp clamp_ clamp_min clamp_max minimum maximum fmod
remainder addcmul addcdiv lerp where masked_fill masked_fill_ eq ne lt le gt ge logical_and
logical_or logical_not bitwise_and bitwise_or bitwise_not __and__ __or__ isnan isinf isfinite
nan_to_num
""")
_SAME = _words("""
to _to_copy clone detach detach_ contiguous alias lift_fresh_copy dropout dropout_
feature_dropout alpha_dropout type_as zeros_like ones_like full_like empty_like rand_like float
half double
""")
_REDUCTIONS = _words("""
mean sum amax amin max min prod var std var_mean std_mean logsumexp linalg_vector_norm norm
argmax argmin any all
""")
_ALONG = _words("""
softmax _softmax log_softmax _log_softmax cumsum cumprod flip sort topk
""")
_POOLS = _words("""
max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d
adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d
upsample_nearest1d upsample_nearest2d upsample_nearest3d upsample_bilinear2d upsample_bicubic2d
upsample_linear1d upsample_trilinear3d _upsample_nearest_exact2d lp_pool2d reflection_pad1d
reflection_pad2d replication_pad1d replication_pad2d instance_norm
""")


def elementwise(walk: Walk, node: Node) -> NodeDims:
    """Entry i of the result is made of the entries i of every tensor; sizes of one are spread."""
    shape = shape_of(node)
    tensors = [a for a in _tensors(node) if shape_of(a) and walk.of(a)]
    result: list[object] = []
    for place, size in enumerate(shape):
        parts = []
        for value in tensors:
            at = place - len(shape) + len(shape_of(value))
            if at >= 0 and shape_of(value)[at] == size:
                parts.append(walk.of(value)[at])
        reason = _FIXED.format(op=op_of(node))
        result.append(walk.atoms.unite(parts, reason) if size > 1 and parts else None)
    return result  # type: ignore[return-value]


def same(walk: Walk, node: Node) -> NodeDims:
    """The result is like the first tensor, whatever else is given."""
    return walk.of(node.args[0])


def reduction(walk: Walk, node: Node) -> NodeDims:
    """The dimensions that are summed up must stay: the result depends on how many there are."""
    source = node.args[0]
    dims, shape = walk.of(source), shape_of(source)
    place = 2 if op_of(node) in ("linalg_vector_norm", "norm") else 1
    axes = argument(node, place, "dim")
    if isinstance(axes, Node):  # max of two tensors, say
        return elementwise(walk, node)
    whole = axes is None or axes == []
    over = range(len(shape)) if whole else [axes] if isinstance(axes, int) else axes
    gone = {d % len(shape) for d in over}
    for d in gone:
        walk.atoms.forbid(dims[d], _REDUCED.format(op=op_of(node)))
    several = isinstance(node.meta.get("val"), (tuple, list))
    one = node.meta["val"][0] if several else node.meta["val"]
    keepdim = len(shape_of(one)) == len(shape)
    result = [None if d in gone else ids for d, ids in enumerate(dims) if keepdim or d not in gone]
    return [result, list(result)] if several else result


def along(walk: Walk, node: Node) -> NodeDims:
    """All entries along one dimension decide together: these must stay."""
    source = node.args[0]
    dims = walk.of(source)
    axis = argument(node, 1, "dim", -1)
    if op_of(node) == "topk":
        axis = argument(node, 2, "dim", -1)
    for d in [axis] if isinstance(axis, int) else axis:
        walk.atoms.forbid(dims[d], _REDUCED.format(op=op_of(node)))
        dims[d] = None
    return [dims, list(dims)] if isinstance(node.meta.get("val"), (tuple, list)) else dims


def pool(walk: Walk, node: Node) -> NodeDims:
    """Channels pass; positions must stay."""
    source = node.args[0]
    dims = walk.of(source)
    for value in node.args[1:5] if op_of(node) == "instance_norm" else ():
        for ids in walk.of(value):
            dims[1] = walk.atoms.unite([dims[1], ids], _FIXED.format(op=op_of(node)))
    first = 2 if len(dims) > 2 else 1
    for d in range(first, len(dims)):
        walk.atoms.forbid(dims[d], _REDUCED.format(op=op_of(node)))
        dims[d] = None
    return [dims, list(dims)] if isinstance(node.meta.get("val"), (tuple, list)) else dims


def prelu(walk: Walk, node: Node) -> NodeDims:
    """The slope of each channel goes with it."""
    dims, slope = walk.of(node.args[0]), walk.of(node.args[1])
    if slope and slope[0] is not None:
        dims[1] = walk.atoms.unite([dims[1], slope[0]], _FIXED.format(op="prelu"))
    return dims


def op_of(node: Node) -> str:
    """The operator's own name, without its library and overload."""
    return str(node.target).removeprefix("aten.").split(".")[0]


def _tensors(node: Node) -> list[Node]:
    return [n for n in node.all_input_nodes if n.meta.get("val") is not None]


RULES: dict[str, Rule] = {
    **dict.fromkeys(_ELEMENTWISE, elementwise),
    **dict.fromkeys(_SAME, same),
    **dict.fromkeys(_REDUCTIONS, reduction),
    **dict.fromkeys(_ALONG, along),
    **dict.fromkeys(_POOLS, pool),
    "prelu": prelu,
}
