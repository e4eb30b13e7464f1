"""Where in a forward pass does each layer's weight meet its inputs?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own abbreviation)
from torch import Tensor
from torch.overrides import TorchFunctionMode

from pruneviz.network.attention import arguments, attend, is_plain
from pruneviz.network.layers import Layer
from pruneviz.network.recurrence import recur, weights_of
from pruneviz.network.rows import Layout

# Function -> (kind of use, place of the inputs, place of the weight), places in its arguments.
_USES: dict[object, tuple[str, int, int]] = {
    F.linear: ("linear", 0, 1),
    torch.addmm: ("linear", 1, 2),
    F.embedding: ("embedding", 0, 1),
    **dict.fromkeys((F.conv1d, F.conv2d, F.conv3d), ("conv", 0, 1)),
    **dict.fromkeys(
        (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d), ("conv_transpose", 0, 1)
    ),
}
_WEIGHT_NAMES = ("weight", "mat2")
_INPUT_NAMES = ("input", "mat1")
_STRIDES = {
    "conv": ("stride", "padding", "dilation", "groups"),
    "conv_transpose": ("stride", "padding", "output_padding", "groups", "dilation"),
}


@dataclass(frozen=True)
class Call:
    """One use of a layer's weight in a forward pass.

    inputs: what it multiplied, as the function was given it. output: what the function returned,
    of packed projections the whole of it; `part` takes this layer's share. bias: what the function
    added, of this use. settings: of a convolution. samples_second: whether samples are in the
    second dimension (attention).
    """

    layer: Layer
    inputs: Tensor
    output: Tensor
    settings: Mapping[str, Any]
    samples_second: bool = False
    bias: Tensor | None = None

    def part(self, values: Tensor) -> Tensor:
        """This layer's share of values like the output."""
        shared = self.layer.rows is not None and values.shape[-1] != self.layer.units
        return values[..., slice(*self.layer.rows)] if shared and self.layer.rows else values

    def rows(self, values: Tensor) -> Tensor:
        """Values like the inputs or the output as [rows, units], [rows, units, ...] if convolved.

        A row is what the layer works on by itself: a sample, or one of its frames or tokens.
        """
        if self.layer.flat:
            return values.reshape(-1, values.shape[-1])
        # A convolution may be given a sample without its batch.
        return values.unsqueeze(0) if values.ndim == len(self.layer.shape) - 1 else values

    def usual(self, n: int) -> Layout | None:
        """Where the rows of n samples usually are; None where their number does not fit."""
        rows, first = len(self.rows(self.inputs)), len(self.inputs)
        if self.samples_second or (n > 1 and self._second(n)):
            return Layout(first, rows // (first * n))
        return Layout(1, rows // n) if rows % n == 0 else None

    def _second(self, n: int) -> bool:
        shape = self.inputs.shape
        return self.layer.flat and len(shape) > 2 and shape[0] % n > 0 and shape[1] == n

    def by_sample(self, values: Tensor, n: int) -> Tensor:
        """Values like the inputs or the output, with the n samples in the first dimension.

        Windows, tokens or frames that the network has put beside the samples become positions
        of theirs (samples lie outermost there); where samples cannot be told apart, all is one.
        Units stay last for linear layers, in dimension 1 for convolutions.
        """
        units_last = self.layer.flat
        if not units_last and values.ndim == len(self.layer.shape) - 1:
            return values.unsqueeze(0)  # a convolution may be given a sample without its batch
        if self.samples_second:
            return values.transpose(0, 1)
        if values.shape[0] in (n, 1):
            return values
        if values.shape[0] % n == 0:
            samples = torch.unflatten(values, 0, (n, -1))
            return samples if units_last else samples.movedim(1, -1)
        if units_last and values.ndim > 2 and values.shape[1] == n:
            return values.transpose(0, 1)
        return values.unsqueeze(0) if units_last else values.movedim(0, -1).unsqueeze(0)


class WeightListener(TorchFunctionMode):
    """While it is entered, `hear` is told of each use of the weights of `layers`.

    tensors: the parameters in use, by name (a layer's weight is known by the very tensor).
    hear(call) may return a tensor that takes the place of the function's output.
    """

    def __init__(
        self,
        layers: Mapping[str, Layer],
        tensors: Mapping[str, Tensor],
        hear: Callable[[Call], Tensor | None],
    ) -> None:
        super().__init__()
        self._hear = hear
        self._owners: dict[int, list[Layer]] = {}
        for layer in layers.values():
            self._owners.setdefault(id(tensors[layer.weight]), []).append(layer)

    def __torch_function__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run the function, and tell of it if it uses a known weight."""
        options = dict(kwargs or {})
        if func is F.multi_head_attention_forward:
            bound = arguments(args, options)
            if is_plain(bound):
                return attend(bound, lambda *found: self._project(bound, *found))
        if any(id(weight) in self._owners for weight in weights_of(func, args)):
            return recur(func, args, self._multiply)
        use = _USES.get(func)
        result = func(*args, **options)
        if use is None:
            return result
        kind, inputs_at, weight_at = use
        weight = _argument(args, options, weight_at, _WEIGHT_NAMES)
        owners = self._owners.get(id(weight))
        if owners is None:
            return result
        inputs = _argument(args, options, inputs_at, _INPUT_NAMES)
        settings = _settings(kind, args[3:], options)
        bias = _argument(
            args, options, *((0, ("input",)) if func is torch.addmm else (2, ("bias",)))
        )
        for layer in owners:
            # A table of words may share the weight of a layer, which looks nothing up in it.
            if (kind == "embedding") == (layer.kind == "embedding"):
                result = self._tell(Call(layer, inputs, result, settings, bias=bias))
        return result

    def _tell(self, call: Call) -> Tensor:
        other = self._hear(call)
        return call.output if other is None else other

    def _multiply(self, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        output = F.linear(inputs, weight, bias)
        for layer in self._owners.get(id(weight), []):
            output = self._tell(Call(layer, inputs, output, {}, bias=bias))
        return output

    def _project(
        self,
        bound: Mapping[str, Any],
        part: str,
        inputs: Tensor,
        weight: Tensor,
        bias: Tensor | None,
    ) -> Tensor:
        output = F.linear(inputs, weight, bias)
        own = bound["out_proj_weight"] if part == "out" else bound.get(f"{part}_proj_weight")
        owners = self._owners.get(id(bound["in_proj_weight"] if own is None else own), [])
        for layer in owners:
            if layer.rows is None or layer.rows[0] == "qkv".index(part) * len(weight):
                output = self._tell(Call(layer, inputs, output, {}, True, bias))
        return output


def _argument(
    args: tuple[Any, ...], kwargs: Mapping[str, Any], place: int, names: tuple[str, ...]
) -> Any:
    if len(args) > place:
        return args[place]
    return next((kwargs[name] for name in names if name in kwargs), None)


def _settings(kind: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    names = _STRIDES.get(kind, ())
    return {**dict(zip(names, args, strict=False)), **{n: kwargs[n] for n in names if n in kwargs}}
