"""Which inputs and output gradients does each weight of a layer meet?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own abbreviation)
from torch import Tensor

from pruneviz.network.calls import Call
from pruneviz.network.layers import Layer
from pruneviz.network.rows import Layout

_CHUNK = 2**24  # values of gradients of single samples that are held at a time


def input_squares(call: Call) -> Tensor:
    """Σ over rows and positions of the square of the input that each weight multiplies.

    Broadcasts over the layer's weight: [1 or units, inputs per group, kernel ...].
    """
    layer, rows = call.layer, call.rows(call.inputs)
    if _is_turned_conv(layer):
        sums = exact(unit_rows(rows, layer)).square().sum((0, 2)).reshape(layer.groups, -1)
        squares = sums.reshape(*sums.shape, *[1] * (len(layer.shape) - 2))
    else:
        sums = exact(rows_of(call, len(rows))).square().sum((0, 3))
        squares = sums.reshape(layer.groups, *layer.shape[1:])
    return (
        squares.repeat_interleave(layer.units // layer.groups, 0) if layer.groups > 1 else squares
    )


def rows_of(call: Call, n: int, at: Tensor | None = None, layout: Layout | None = None) -> Tensor:
    """The inputs of a linear layer or a convolution, unfolded: [n, groups, fan-in, positions].

    layout: where the rows of a sample are; by default they lie side by side. at: int64
    [n, positions], those wanted of each sample; all by default.
    """
    layer = call.layer
    if layer.flat:
        rows = by_sample(call, call.inputs, n, layout)
        rows = rows if at is None else torch.take_along_dim(rows, at.unsqueeze(1), 2)
        return rows.unsqueeze(1)
    rows = _unfold(call.rows(call.inputs), layer.shape[2:], call.settings, at)
    return _gather(rows, n, layout)


def by_sample(call: Call, values: Tensor, n: int, layout: Layout | None = None) -> Tensor:
    """Values like the inputs or the output of a call, sample by sample: [n, units, positions].

    All rows of a sample (its frames, windows, tokens) become positions of it.
    """
    return _gather(unit_rows(call.rows(values), call.layer), n, layout or call.usual(n))


def unit_rows(values: Tensor, layer: Layer) -> Tensor:
    """Values by sample (outputs, say) as [n, units, positions]."""
    if layer.flat:
        return values.reshape(len(values), -1, values.shape[-1]).transpose(1, 2)
    return values.reshape(len(values), values.shape[1], -1)


def exact(values: Tensor) -> Tensor:
    """Half-precision values as float32, in which sums keep their digits."""
    return values.float() if values.element_size() < 4 else values


def gradient_sums(
    calls: Sequence[tuple[Call, Tensor]], n: int, layouts: Sequence[Layout | None] = ()
) -> dict[str, Tensor]:
    """Sums over samples of g, |g| and g², g the gradient of one sample's loss by the weight.

    calls: the uses of the layer with the gradients of their outputs. g adds up over uses and
    positions. layouts: of each use, where the rows of a sample are; side by side by default.
    Returns "g", "size", "power", each like the weight.
    """
    layer = calls[0][0].layer
    places = layouts or [None] * len(calls)
    pairs = [
        _pair(call, call.part(grad), n, layout)
        for (call, grad), layout in zip(calls, places, strict=True)
    ]
    sums = [torch.zeros(()).to(pairs[0][0])] * 3
    for outer, rows in _parts(pairs):
        if len(outer) == 1 and rows[0].shape[3] == 1:
            # With one position g is an outer product, and so are |g| and g²: no tensor a sample.
            first, second = outer[0][..., 0], rows[0][..., 0]
            parts = [
                torch.einsum("ngo,ngi->goi", one, other)
                for one, other in (
                    (first, second),
                    (first.abs(), second.abs()),
                    (first.square(), second.square()),
                )
            ]
        else:
            each = torch.einsum("ngop,ngip->ngoi", torch.cat(outer, 3), torch.cat(rows, 3))
            parts = [each.sum(0), each.abs().sum(0), each.square().sum(0)]
        sums = [total + value for total, value in zip(sums, parts, strict=True)]
    return {key: _like(layer, s) for key, s in zip(("g", "size", "power"), sums, strict=True)}


def unit_contributions(call: Call, grad: Tensor, n: int, layout: Layout | None = None) -> Tensor:
    """Σ g·w over the weights of each unit, sample by sample: [n, units], float64.

    grad: of the output of this use. A unit's output is linear in its weights, so that the sum is
    that of gradient times output without bias, over positions.
    """
    output = call.output.detach()
    if call.bias is not None:
        shape = call.bias.shape if call.layer.flat else (-1, *[1] * (len(call.layer.shape) - 2))
        output = output - call.bias.detach().reshape(shape)
    output = exact(call.part(output))
    felt = output * exact(call.part(grad))
    return by_sample(call, felt, n, layout).sum(2, dtype=torch.float64)


def _pair(call: Call, grad: Tensor, n: int, layout: Layout | None) -> tuple[Tensor, Tensor]:
    # Σ over positions of outer · rowᵀ is the gradient, of a transposed convolution as it is stored.
    layer = call.layer
    if not _is_turned_conv(layer):
        outer = torch.unflatten(by_sample(call, grad, n, layout), 1, (layer.groups, -1))
        return exact(outer), exact(rows_of(call, n, None, layout))
    inputs = unit_rows(call.rows(call.inputs), layer)
    rows = _unfold(call.rows(grad), layer.shape[2:], call.settings)[..., : inputs.shape[2]]
    outer = torch.unflatten(_gather(inputs, n, layout), 1, (layer.groups, -1))
    return exact(outer), exact(_gather(rows, n, layout))


def _gather(rows: Tensor, n: int, layout: Layout | None) -> Tensor:
    # [rows, ..., positions] -> [n, ..., all positions of a sample]
    if len(rows) == n:
        return rows
    outer = 1 if layout is None else layout.outer
    shape = (outer, n, len(rows) // (outer * n))
    apart = torch.unflatten(rows, 0, shape).movedim(1, 0)  # [n, outer, inner, ..., positions]
    return apart.movedim((1, 2), (-3, -2)).flatten(-3)


def _parts(pairs: list[tuple[Tensor, Tensor]]) -> Iterator[tuple[list[Tensor], list[Tensor]]]:
    # Samples in parts, so that the gradients of single samples fit into memory.
    outer, rows = pairs[0]
    one = outer.shape[1] * outer.shape[2] * rows.shape[2]
    step = max(1, _CHUNK // max(1, one))
    for start in range(0, len(outer), step):
        part = slice(start, start + step)
        yield [a[part] for a, _ in pairs], [b[part] for _, b in pairs]


def _like(layer: Layer, sums: Tensor) -> Tensor:
    if not _is_turned_conv(layer):
        return sums.reshape(layer.shape)
    units, inputs, *kernel = layer.shape
    weight = sums.reshape(inputs * layer.groups, units // layer.groups, *kernel)
    return layer.turn(weight)


def _is_turned_conv(layer: Layer) -> bool:
    return layer.turned and not layer.flat


def _unfold(
    inputs: Tensor, kernel: Sequence[int], settings: Mapping[str, Any], at: Tensor | None = None
) -> Tensor:
    # [n, channels, positions ...] -> [n, groups, channels per group × kernel, positions]
    dims = len(kernel)
    stride = _each(settings.get("stride", 1), dims)
    dilation = _each(settings.get("dilation", 1), dims)
    patches = F.pad(inputs, _padding(settings.get("padding", 0), kernel, dilation))
    for dim in range(dims):
        reach = (kernel[dim] - 1) * dilation[dim] + 1
        patches = patches.unfold(2 + dim, reach, stride[dim])[..., :: dilation[dim]]
    if at is None:
        patches = patches.flatten(2, 1 + dims).flatten(3).transpose(2, 3)
    else:  # so far it is a view: only what is wanted is copied
        places = torch.unravel_index(at, patches.shape[2 : 2 + dims])
        samples = torch.arange(len(patches), device=at.device).unsqueeze(1)
        patches = patches.movedim(1, 1 + dims)[samples, *places].flatten(2).transpose(1, 2)
    return patches.reshape(len(patches), settings.get("groups", 1), -1, patches.shape[-1])


def _padding(padding: Any, kernel: Sequence[int], dilation: Sequence[int]) -> list[int]:
    # As F.pad wants it: the last dimension first, before and after.
    pairs = []
    for dim, size in enumerate(kernel):
        if padding == "same":
            total = dilation[dim] * (size - 1)
            pairs.append((total // 2, total - total // 2))
        else:
            amount = 0 if padding == "valid" else _each(padding, len(kernel))[dim]
            pairs.append((amount, amount))
    return [amount for pair in reversed(pairs) for amount in pair]


def _each(value: Any, dims: int) -> tuple[int, ...]:
    values = (value,) if isinstance(value, int) else tuple(value)
    return values * dims if len(values) == 1 else values
