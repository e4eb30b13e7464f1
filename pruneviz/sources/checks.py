"""Is what came in fit to be pruned and measured?"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from pruneviz.data import Data, check_targets
from pruneviz.network.replica import state
from pruneviz.sources import Source

_AT_ONCE = 1 << 22  # numbers looked at in one go: what is mapped from a file need not be loaded
_QUANTISED = (
    "torch.ao.nn.quantized",
    "torch.ao.nn.intrinsic.quantized",
    "torch.ao.nn.sparse.quantized",
    "bitsandbytes.",
    "torchao.",
)


def check_source(source: Source) -> None:
    """ValueError naming the module, the weight, the data or the label that does not fit."""
    check_model(source.model)
    if len(source.validation) == 0:
        raise ValueError(f"{source.name}: validation data is empty; give at least one sample")
    for data in (source.calibration, source.validation):
        _check_data(data, source)
    if source.training is not None:
        try:
            _check_data(source.training, source)
        except ValueError as error:
            raise ValueError(f"training data: {error}") from None


def check_model(model: nn.Module) -> None:
    """ValueError naming the module or weight that can't be pruned, or is no longer whole."""
    for name, module in model.named_modules(remove_duplicate=False):
        _check_module(name or type(module).__name__, module)
    parameters = dict(model.named_parameters(remove_duplicate=False))
    for name, tensor in (*parameters.items(), *model.named_buffers(remove_duplicate=False)):
        _check_kind(name, tensor)
    for name, tensor in state(model).items():
        # A buffer may hold -inf (a causal mask does), but never NaN.
        if not _whole(tensor, ruled_out=name not in parameters):
            raise ValueError(
                f"weights {name!r} hold NaN or infinite values; load weights that are whole"
            )


def check_rows(shape: tuple[int, ...], n: int) -> None:
    """ValueError where an answer of this shape to n samples has not one row for each of them."""
    if shape and shape[0] == n:
        return
    count = "one sample" if n == 1 else f"{n} samples"
    start = f"the network answers {count} with a tensor of shape {list(shape)}, not one row each: "
    if not shape:
        cure = "a single number (a loss, a mean?); let it return what it answers to each sample"
    elif len(shape) > 1 and shape[1] == n:
        cure = (
            "samples stand second (time first?); build it with batch_first=True, or let it return "
            "y.transpose(0, 1)"
        )
    elif n > 1 and shape[0] and shape[0] % n == 0:
        each = shape[0] // n
        cure = f"{each} rows a sample; let it return y.unflatten(0, (-1, {each}))"
    else:
        cure = (
            "are rows filtered, by confidence say? Let it return all of them, [samples, ...], and "
            "filter afterwards"
        )
    raise ValueError(start + cure)


def _check_data(data: Data, source: Source) -> None:
    targets, names = data.targets, len(source.classes)
    if names and source.task == "skills" and targets is not None and targets.ndim == 3:
        check_targets(targets[..., 1], names + 1, "0 and a number for each skill named")
    elif names:
        check_targets(targets, names, "the classes named")
    if data.targets is not None and not _whole(data.targets):
        raise ValueError("targets hold NaN or infinite values; leave these samples out")


def _check_module(name: str, module: nn.Module) -> None:
    if isinstance(module, torch.jit.ScriptModule):
        raise ValueError(
            f"module {name!r} is TorchScript, which can't be copied with other weights; "
            "open the nn.Module that it was made from, with its state_dict"
        )
    kind = type(module)
    if kind.__module__.startswith(_QUANTISED):
        raise ValueError(
            f"module {name!r} is quantised ({kind.__module__}.{kind.__name__}); "
            "open the network as it was before: prune first, quantise afterwards"
        )


def _check_kind(name: str, tensor: Tensor) -> None:
    if is_lazy(tensor):
        raise ValueError(
            f"weights {name!r} are not built yet (a lazy module); "
            "run the network once on a batch, then open it"
        )
    if tensor.is_meta:
        raise ValueError(f"weights {name!r} hold no numbers (device 'meta'); load weights first")
    kind, dtype = type(tensor.detach()), tensor.dtype
    floating = tensor.is_floating_point() and tensor.itemsize > 1
    is_packed = isinstance(tensor, nn.Parameter) and not floating and not tensor.is_complex()
    if tensor.is_quantized or is_packed or kind not in (Tensor, nn.Parameter):
        what = str(dtype) if kind in (Tensor, nn.Parameter) else kind.__name__
        raise ValueError(
            f"weights {name!r} are quantised or packed ({what}); "
            "open the network as it was before: prune first, quantise afterwards"
        )
    if tensor.layout != torch.strided:
        raise ValueError(f"weights {name!r} are {tensor.layout}; make them dense first: to_dense()")


def _whole(tensor: Tensor, *, ruled_out: bool = False) -> bool:
    """Whether no number is NaN or infinite (`ruled_out`: -inf is fine); a few rows at a time."""
    if not tensor.is_floating_point() or tensor.numel() == 0:
        return True
    rows = tensor.detach().reshape(1) if tensor.ndim == 0 else tensor.detach()
    step = max(1, _AT_ONCE * len(rows) // rows.numel())
    for part in torch.split(rows, step):
        low, high = map(float, torch.aminmax(part))  # both NaN where one is; nothing is copied
        if math.isnan(low) or high == math.inf or (low == -math.inf and not ruled_out):
            return False
    return True
