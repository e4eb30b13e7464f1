"""Which network does an ONNX file describe?"""

from __future__ import annotations

import math
import re
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pruneviz import limits
from pruneviz.sources.networks.libraries import error_line, library
from pruneviz.sources.networks.quantised import QUANTISED
from pruneviz.sources.spec import InputSpec

_QUANTISING = ("QLinear", "QuantizeLinear", "DequantizeLinear", "DynamicQuantize", "QGemm")
_RECURRENT = ("LSTM", "GRU", "RNN")
_STATE = re.compile(r"^[hc]_?([0n]|in)$|hidden|state|^past|cache", re.IGNORECASE)
# Which input of an operator says how large its answer is.
_SHAPES = {"ConstantOfShape": 0, "Expand": 1, "Tile": 1}
_DEFAULT = 8  # of an input's free axes, for the trial


def open_onnx(path: Path) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
    """The network of an ONNX file as PyTorch layers, how it is fed, and how it was found.

    Converted by onnx2pytorch, optional, which knows the operators of common networks. A trial run
    with two samples proves that it answers. Raises ValueError: a missing library, a damaged
    file, an operator without a counterpart, a network exported for one size of batch only.
    """
    onnx = library("onnx")
    try:
        proto = onnx.load(str(path))
        onnx.checker.check_model(proto)
    # protobuf and onnx raise errors of their own kinds for a damaged file.
    except Exception as error:
        raise ValueError(f"{path.name} is no whole ONNX file ({error_line(error)})") from error
    initializers = {tensor.name for tensor in proto.graph.initializer}
    inputs = [value for value in proto.graph.input if value.name not in initializers]
    if (operator := _quantising_kind(proto)) is not None:
        raise ValueError(f"{path.name} is quantised ({operator}): {QUANTISED}")
    if len(inputs) != 1:
        raise ValueError(f"{path.name} {_several([v.name for v in inputs], proto)}")
    sample, spec = _feed(inputs[0], onnx, path.name)
    _check_constants(proto, onnx, path.name)
    converter = library("onnx2pytorch")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on what it is not quite sure of: the trial shows
            model: nn.Module = converter.ConvertModel(proto, experimental=True).eval()
    except Exception as error:
        raise ValueError(
            f"{path.name} cannot be converted to PyTorch ({error_line(error)}); "
            "open the network that it was exported from"
        ) from error
    if any("." in child for child, _ in model.named_children()):
        raise ValueError(
            f"{path.name} names its nodes with dots, as torch's older exporter does; "
            "export it again with torch.onnx.export(..., dynamo=True)"
        )
    _trial(model, sample, path)
    note = f"converted from ONNX by onnx2pytorch {version('onnx2pytorch')}"
    return model.requires_grad_(False), spec, (f"{note}; layers have the names of its nodes",)


def _quantising_kind(proto: Any) -> str | None:
    kinds = [node.op_type for node in proto.graph.node]
    return next((k for k in kinds if k.startswith(_QUANTISING) or k.endswith("Integer")), None)


def _several(names: list[str], proto: Any) -> str:
    """What is said of a file with several inputs, or with none."""
    steps = [node for node in proto.graph.node if node.op_type in _RECURRENT]
    makers = {name: node for node in proto.graph.node for name in node.output}
    fed = {name for node in steps for name in node.input[5:7]}  # the state, by ONNX's own order
    stack: list[str] = list(fed)
    for name in stack:
        above = [one for one in makers[name].input if one not in fed] if name in makers else []
        fed.update(above)
        stack += above
    state = [name for name in names if name in fed or _STATE.search(name)]
    words = f"takes {len(names)} inputs ({', '.join(names)[:200]})"
    if state:
        return (
            f"{words}, a recurrent state among them ({', '.join(state)[:200]}); export the network "
            "so that it makes its first state itself, or open the network it was exported from"
        )
    return (
        f"{words}, and one is what is read; open the network it was exported from, whose inputs "
        "are given by name"
    )


def _check_constants(proto: Any, onnx: Any, name: str) -> None:
    """OverLimit where an operator is told by a constant to make a tensor that is too large."""
    constants = {tensor.name: tensor for tensor in proto.graph.initializer}
    for node in proto.graph.node:
        if node.op_type == "Constant":
            values = [each.t for each in node.attribute if each.name == "value"]
            constants |= dict(zip(node.output, values, strict=False))
    for tensor in constants.values():
        numbers = math.prod(tensor.dims)
        limits.check("parameters", numbers, f"{name}: {tensor.name!r} has")
    for node in proto.graph.node:
        shape = [
            constants[i] for i in node.input[_SHAPES.get(node.op_type, 9) :][:1] if i in constants
        ]
        for tensor in shape:
            sizes = onnx.numpy_helper.to_array(tensor).tolist()
            numbers = math.prod(sizes) if isinstance(sizes, list) else sizes
            limits.check("input_numbers", int(numbers), f"{name}: {node.op_type} makes")


def _feed(value: Any, onnx: Any, name: str) -> tuple[Tensor, InputSpec]:
    """Two samples of zeros of the shape that the file states, and the spec that follows from it."""
    kind = value.type.tensor_type
    sizes = [axis.dim_value or None for axis in kind.shape.dim]
    negative = [size for size in sizes if size is not None and size < 0]
    if negative:
        raise ValueError(
            f"{name} says that {value.name!r} has an axis of {negative[0]}; export it again"
        )
    shape = [2, *(size or _DEFAULT for size in sizes[1:])]
    limits.check("input_numbers", math.prod(shape[1:]), f"{name}: a sample of {value.name!r} has")
    whole = kind.elem_type in (onnx.TensorProto.INT64, onnx.TensorProto.INT32)
    sample = torch.zeros(shape, dtype=torch.int64 if whole else torch.float32)
    if len(sizes) == 4 and not whole:
        fixed = (sizes[2], sizes[3]) if sizes[2] and sizes[3] else None
        return sample, InputSpec(kind="image", channels=shape[1], size=fixed)
    return sample, InputSpec(kind="unknown")


def _trial(model: nn.Module, sample: Tensor, path: Path) -> None:
    try:
        with torch.no_grad():
            model(sample)
    except Exception as error:
        raise ValueError(
            f"{path.name} does not answer two samples ({error_line(error)}); "
            "export it again with a free batch axis (dynamic_shapes), or open its own network"
        ) from error
