"""How many multiply-accumulates does an operator take?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor
from torch._ops import OpOverload
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

# The arguments of an operator by name, and what it returned -> multiply-accumulates.
Formula = Callable[[Mapping[str, Any], Any], int]
_RECURRENT = ("aten::mkldnn_rnn_layer", "aten::_cudnn_rnn", "aten::miopen_rnn")
_GATES = {0: 1, 1: 1, 2: 4, 3: 3}  # of a recurrent layer: relu, tanh, LSTM, GRU


class StepByStep(TorchFunctionMode):
    """While it is entered torch takes no fast path through attention, in this thread alone.

    The fast paths of nn.MultiheadAttention and nn.TransformerEncoder are one operator that shows
    nothing of what it does; the switch that torch has for them would slow every other thread.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Torch asks whether anybody listens, and goes step by step where somebody does."""
        return func(*args, **(kwargs or {}))


class Counter(TorchDispatchMode):
    """While it is entered, `macs` grows by the multiply-accumulates of every product.

    Counted are products of matrices, convolutions, attention and recurrent layers; not what works
    entry by entry (sums, norms, activation functions) nor what looks up.
    """

    supports_higher_order_operators = True

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.macs = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run the operator and count it; one made of others is run as these."""
        options = kwargs or {}
        name = func._schema.name if isinstance(func, OpOverload) else ""
        formula = FORMULAS.get(name)
        if formula is None:
            return in_parts(self, func, args, options)
        result = func(*args, **options)
        names = [argument.name for argument in func._schema.arguments]
        self.macs += formula({**dict(zip(names, args, strict=False)), **options}, result)
        return result


def in_parts(
    mode: TorchDispatchMode, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    """Run an operator that `mode` has met; one made of others as these, so that it meets them too.

    Where torch runs for inference alone it shows the whole and not its parts.
    """
    if isinstance(func, OpOverload) and func.namespace != "prim":
        with mode:
            result = func.decompose(*args, **kwargs)
        if result is not NotImplemented:
            return result
    return func(*args, **kwargs)


def recurrent(
    gates: int,
    inputs: int,
    hidden: int,
    positions: int,
    *,
    layers: int = 1,
    directions: int = 1,
    projected: int = 0,
) -> int:
    """Of a recurrent layer (RNN: 1 gate, GRU: 3, LSTM: 4) over `positions` steps of all samples.

    inputs, hidden: sizes. layers: stacked, each reading what all directions of the one before
    say. projected: the size that the hidden state is projected to before it is passed on (0: not).
    Every weight is used once a step: recurrent(4, 32, 64, 20) == 20 * 4 * 64 * (32 + 64).
    """
    outputs, total = projected or hidden, 0
    for layer in range(layers):
        read = inputs if layer == 0 else directions * outputs
        total += directions * (gates * hidden * (read + outputs) + hidden * projected)
    return positions * total


def gate_bytes(func: Any, args: Sequence[Any]) -> int:
    """Bytes of the gates of all steps that an operator keeps inside, if it is a recurrent layer."""
    name = func._schema.name if isinstance(func, OpOverload) else ""
    if name not in _RECURRENT:
        return 0
    inputs, weights = args[:2]
    weight = weights if isinstance(weights, Tensor) else weights[0]
    return int(_positions(inputs) * weight.shape[0] * inputs.element_size())


def attention(query: Sequence[int], key: Sequence[int], value: Sequence[int]) -> int:
    """Of scaled dot-product attention, from the shapes [..., positions, size]: QKᵀ and times V."""
    return math.prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


def _matrices(left: str, right: str) -> Formula:
    def count(given: Mapping[str, Any], _: Any) -> int:
        # All of the left is met by each column of the right, of which a vector is one.
        columns = given[right].shape[-1] if given[right].ndim > 1 else 1
        return int(given[left].numel() * columns)

    return count


def _group_macs(arguments: Mapping[str, Any], result: Any) -> int:
    left, right = arguments["self"], arguments["mat2"]
    if left.ndim == right.ndim == 2:
        return int(left.numel() * right.shape[-1])
    return int(result.numel() * left.shape[-1])


def _linear(arguments: Mapping[str, Any], result: Any) -> int:
    return int(result.numel() * arguments["weight"].shape[-1])


def _convolution(arguments: Mapping[str, Any], result: Any) -> int:
    source, weight = arguments["input"], arguments["weight"]
    # Turned, each entry of the input meets one filter's part for every output of its group.
    over = source if arguments["transposed"] else result
    return int(over.numel() // over.shape[1] * weight.numel())


def _by_time(arguments: Mapping[str, Any], result: Any) -> int:
    return int(result.numel() * arguments["weight"][..., 0].numel())


def _deformable_macs(arguments: Mapping[str, Any], result: Any) -> int:
    return int(result.numel() * arguments["weight"][0].numel())


def _attention(arguments: Mapping[str, Any], _: Any) -> int:
    return attention(arguments["query"].shape, arguments["key"].shape, arguments["value"].shape)


def _bilinear(arguments: Mapping[str, Any], _: Any) -> int:
    tensors = []
    for tensor, gaps in (("i1", "expand1"), ("i2", "expand2"), ("i3", "expand3")):
        shape = list(arguments[tensor].shape)
        for gap in sorted(arguments[gaps]):
            shape.insert(gap, 1)
        tensors.append(shape)
    return math.prod(max(sizes) for sizes in zip(*tensors, strict=True))


def _recurrent_layer(arguments: Mapping[str, Any], _: Any) -> int:
    weight, hidden = arguments["weight0"], arguments["hidden_size"]
    steps = _positions(arguments["input"])
    return recurrent(weight.shape[0] // hidden, weight.shape[1], hidden, steps)


def _recurrent(arguments: Mapping[str, Any], _: Any) -> int:
    return recurrent(
        _GATES[arguments["mode"]],
        arguments["input"].shape[-1],
        arguments["hidden_size"],
        _positions(arguments["input"]),
        layers=arguments["num_layers"],
        directions=1 + arguments["bidirectional"],
        projected=arguments.get("proj_size", 0),
    )


def _positions(tensor: Tensor) -> int:
    return tensor.numel() // tensor.shape[-1]


def _whole_attention(arguments: Mapping[str, Any], _: Any) -> int:
    query, key = arguments["query"], arguments["key"]
    inward = (_positions(query) + _positions(key) * 2) * arguments["qkv_weight"].numel() // 3
    products = attention(query.shape, key.shape, arguments["value"].shape)
    return int(inward + products + _positions(query) * arguments["proj_weight"].numel())


def _whole_encoder(arguments: Mapping[str, Any], result: Any) -> int:
    source = arguments["src"]
    query = {**arguments, "query": source, "key": source, "value": source}
    inside = sum(arguments[f"ffn_weight_{place}"].numel() for place in (1, 2))
    return int(_whole_attention(query, result) + _positions(source) * inside)


FORMULAS: Mapping[str, Formula] = {
    **dict.fromkeys(("aten::mm", "aten::bmm", "aten::_int_mm"), _matrices("self", "mat2")),
    **dict.fromkeys(("aten::addmm", "aten::_addmm_activation"), _matrices("mat1", "mat2")),
    **dict.fromkeys(("aten::baddbmm", "aten::addbmm"), _matrices("batch1", "batch2")),
    **dict.fromkeys(("aten::_scaled_mm",), _matrices("self", "mat2")),
    "aten::mv": _matrices("self", "vec"),
    "aten::addmv": _matrices("mat", "vec"),
    "aten::dot": _matrices("self", "tensor"),
    "aten::vdot": _matrices("self", "other"),
    "aten::_grouped_mm": _group_macs,
    "aten::mkldnn_linear": _linear,
    **dict.fromkeys(
        ("aten::convolution", "aten::_convolution", "aten::convolution_overrideable"), _convolution
    ),
    "aten::conv_tbc": _by_time,
    "torchvision::deform_conv2d": _deformable_macs,
    **dict.fromkeys(
        (
            "aten::_scaled_dot_product_flash_attention",
            "aten::_scaled_dot_product_flash_attention_for_cpu",
            "aten::_scaled_dot_product_efficient_attention",
            "aten::_scaled_dot_product_cudnn_attention",
            "aten::_scaled_dot_product_fused_attention_overrideable",
            "aten::_scaled_dot_product_attention_math_for_mps",
        ),
        _attention,
    ),
    "aten::_trilinear": _bilinear,
    "aten::mkldnn_rnn_layer": _recurrent_layer,
    "aten::_cudnn_rnn": _recurrent,
    "aten::miopen_rnn": _recurrent,
    "aten::_native_multi_head_attention": _whole_attention,
    "aten::_transformer_encoder_layer_fwd": _whole_encoder,
}
