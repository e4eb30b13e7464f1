"""Which layers of a network may be pruned?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

KINDS: dict[type[nn.Module], str] = {
    nn.Linear: "linear",
    nn.Conv1d: "conv1d",
    nn.Conv2d: "conv2d",
    nn.Conv3d: "conv3d",
    nn.ConvTranspose1d: "conv_transpose1d",
    nn.ConvTranspose2d: "conv_transpose2d",
    nn.ConvTranspose3d: "conv_transpose3d",
    nn.Embedding: "embedding",
}
_RECURRENT = (nn.LSTM, nn.GRU, nn.RNN, nn.LSTMCell, nn.GRUCell, nn.RNNCell)
# A linear layer that keeps its weight as [inputs, units]; known by name, to need no import.
_TURNED_LINEAR = "transformers.pytorch_utils.Conv1D"
_FORWARDS = ("forward", "_conv_forward")


@dataclass(frozen=True)
class Layer:
    """One layer that may be pruned, called by its module path.

    Where a module has several weights, as recurrent ones do, by the path of its weight.
    shape: of the weight, [output units, inputs (per group), kernel ...]. parameter, rows: where
    the weight is stored, if not as a whole under NAME.weight (the projections q, k and v of an
    attention share one parameter); bias_parameter, bias_rows: likewise. turned: whether it is
    stored with its inputs first. groups: of a convolution. experts: of weights that are stored as
    [experts, units, inputs], whose units stand one expert after another; 0: of none. shared:
    other modules that use it; table: the first of them that looks words up in it, "" if none does.

    >>> pv.find_layers(nn.Linear(4, 3))[""].shape
    (3, 4)
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    has_bias: bool
    parameter: str | None = None
    rows: tuple[int, int] | None = None
    bias_parameter: str | None = None
    bias_rows: tuple[int, int] | None = None
    turned: bool = False
    groups: int = 1
    experts: int = 0
    shared: tuple[str, ...] = ()
    table: str = ""

    @property
    def weight(self) -> str:
        """The name in the state dict of the parameter that holds the weight."""
        return self.parameter or _join(self.name, "weight")

    @property
    def bias(self) -> str | None:
        """The name in the state dict of the parameter that holds the bias."""
        return (self.bias_parameter or _join(self.name, "bias")) if self.has_bias else None

    @property
    def units(self) -> int:
        """Output units: neurons of a linear layer, filters of a convolution."""
        return self.shape[0]

    @property
    def size(self) -> int:
        """Number of weights."""
        return math.prod(self.shape)

    @property
    def unit_word(self) -> str:
        """What one output unit is called."""
        words = {"linear": "neuron", "embedding": "entry", "recurrent": "row", "experts": "row"}
        return words.get(self.kind, "filter")

    @property
    def flat(self) -> bool:
        """Whether it multiplies rows of inputs, so that units are last in what it puts out."""
        return self.kind in ("linear", "recurrent", "experts")

    @property
    def depthwise(self) -> bool:
        """Whether each filter sees one channel only."""
        return self.groups > 1 and self.shape[1] == 1

    def canonical(self, weight: Tensor) -> Tensor:
        """This layer's part of a tensor like its parameter, as [units, inputs, kernel ...].

        A view, unless the layer is turned and has groups or experts.
        """
        return self.turn(weight if self.rows is None else weight[slice(*self.rows)])

    def turn(self, tensor: Tensor) -> Tensor:
        """[units, inputs, ...] <-> as it is stored; what is not turned stays as it is."""
        if self.experts:
            return self._stack(tensor)
        if not self.turned:
            return tensor
        return torch.unflatten(tensor, 0, (self.groups, -1)).transpose(1, 2).flatten(0, 1)

    def _stack(self, tensor: Tensor) -> Tensor:
        if tensor.ndim == 3:
            return (tensor.transpose(1, 2) if self.turned else tensor).flatten(0, 1)
        apart = torch.unflatten(tensor, 0, (self.experts, -1))
        return apart.transpose(1, 2).contiguous() if self.turned else apart

    def with_experts(self, shape: Sequence[int], turned: bool) -> Layer:
        """This layer of a weight stored as [experts, …, …], once it is known which way round."""
        experts, units, inputs = (shape[0], shape[2], shape[1]) if turned else shape
        return replace(self, shape=(experts * units, inputs), experts=experts, turned=turned)


def find_layers(model: nn.Module, *, subclasses: bool = False) -> dict[str, Layer]:
    """The layers of `model` that may be pruned, by name, in the order of its modules.

    A weight that several modules share is listed once, under the first of them that is no
    embedding. Modules that compute something of their own with their weight (that standardise
    or quantise it, say) are not guessed at: a subclass of KINDS with a forward of its own is
    listed with `subclasses` only, and so is what may be the stacked weights of experts.
    ValueError when there are no layers.

    >>> list(pv.find_layers(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))))
    ['0', '2']
    """
    groups: dict[tuple[int, object], list[Layer]] = {}
    for name, module in model.named_modules():
        for layer in _layers_of(name, module, subclasses):
            parameter = model.get_parameter(layer.weight)
            groups.setdefault((id(parameter), layer.rows), []).append(layer)
    layers = {}
    for same in groups.values():
        one = next((layer for layer in same if layer.kind != "embedding"), same[0])
        others = tuple(layer.name for layer in same if layer is not one)
        tables = [layer.name for layer in same if layer.kind == "embedding" and layer is not one]
        table = tables[0] if tables and one.kind != "embedding" else ""
        layers[one.name] = replace(one, shared=others, table=table)
    if not layers:
        raise ValueError(
            f"{type(model).__name__} has no layer that can be pruned; "
            f"known kinds are {', '.join(KINDS.values())}, recurrent"
        )
    return layers


def _layers_of(name: str, module: nn.Module, subclasses: bool) -> Iterator[Layer]:
    if isinstance(module, nn.MultiheadAttention):
        yield from _projections(name, module)
        return
    if isinstance(module, _RECURRENT):
        if subclasses or type(module).forward in {kind.forward for kind in _RECURRENT}:
            yield from _recurrent(name, module)
        return
    weight = module._parameters.get("weight")
    if subclasses and not any(kind in KINDS for kind in type(module).__mro__):
        yield from _experts(name, module)
    if weight is None:
        return
    turned_linear = f"{type(module).__module__}.{type(module).__qualname__}" == _TURNED_LINEAR
    base = next((c for c in type(module).__mro__ if c in KINDS), None)
    if base is None and not turned_linear:
        return
    own = base is not None and any(
        getattr(type(module), f, None) is not getattr(base, f, None) for f in _FORWARDS
    )
    if own and not subclasses:
        return
    turned = turned_linear or isinstance(module, nn.modules.conv._ConvTransposeNd)
    kind = "linear" if base is None else KINDS[base]
    has_bias = getattr(module, "bias", None) is not None
    groups = getattr(module, "groups", 1)
    layer = Layer(name, kind, (), has_bias, turned=turned, groups=groups)
    yield replace(layer, shape=tuple(layer.turn(weight.detach()).shape))


def _projections(name: str, module: nn.MultiheadAttention) -> Iterator[Layer]:
    size = module.embed_dim
    has_bias = module.in_proj_bias is not None
    bias = _join(name, "in_proj_bias") if has_bias else None
    for place, part in enumerate("qkv"):
        rows = (place * size, (place + 1) * size)
        weight = getattr(module, f"{part}_proj_weight")
        packed = weight is None
        inputs = module.in_proj_weight.shape[1] if packed else weight.shape[1]
        yield Layer(
            _join(name, part),
            "linear",
            (size, inputs),
            has_bias,
            parameter=_join(name, "in_proj_weight" if packed else f"{part}_proj_weight"),
            rows=rows if packed else None,
            bias_parameter=bias,
            bias_rows=rows,
        )


def _recurrent(name: str, module: nn.Module) -> Iterator[Layer]:
    # Of each layer and direction: by its inputs, by its hidden state, and the state's projection.
    for parameter, weight in module.named_parameters(recurse=False):
        if parameter.startswith("weight_"):
            bias = parameter.replace("weight", "bias", 1)
            own, has_bias = _join(name, parameter), module._parameters.get(bias) is not None
            shape, place = tuple(weight.shape), _join(name, bias) if has_bias else None
            yield Layer(own, "recurrent", shape, has_bias, own, bias_parameter=place)


def _experts(name: str, module: nn.Module) -> Iterator[Layer]:
    for parameter, weight in module.named_parameters(recurse=False):
        if weight.ndim == 3 and len(weight) > 1 and weight.is_floating_point():
            own = _join(name, parameter)
            layer = Layer(own, "experts", (), has_bias=False, parameter=own)
            yield layer.with_experts(weight.shape, turned=False)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
