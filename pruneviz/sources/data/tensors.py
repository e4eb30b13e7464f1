"""Which tensors are meant by the objects that a user gave?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from pruneviz.data import Data, Inputs
from pruneviz.sources.data.objects import refuse_objects
from pruneviz.sources.data.samples import RawData
from pruneviz.sources.data.several import are_several, by_name
from pruneviz.sources.spec import InputSpec

TARGETS = ("labels", "label", "targets", "target", "y")
_ALONE = ("x", "inputs", "input", "images", "image", "img", "data", "features", "pixel_values")
_PLAIN = "biuf"  # numpy's kinds: bool, int, unsigned, float


def as_tensor(value: object, what: str) -> Tensor:
    """A tensor, a numpy array or nested lists of numbers as a tensor; `what` names it in errors.

    Shares memory where it can: nothing here writes. ValueError: no numbers, or ragged lists.
    """
    if isinstance(value, Tensor):
        if value.layout != torch.strided or value.is_complex() or value.is_quantized:
            raise ValueError(f"{what} must be plain real numbers, got {value.dtype} {value.layout}")
        return value.detach().cpu()
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{what} differ in shape from sample to sample; make them alike") from None
    if array.dtype.kind not in _PLAIN or array.dtype.itemsize > 8:
        raise ValueError(f"{what} must be numbers, got {array.dtype} ({type(value).__name__})")
    if array.dtype.kind == "u" and array.dtype.itemsize > 1:
        array = array.astype(np.int64)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if not array.flags.writeable or any(stride < 0 for stride in array.strides):
        array = array.copy()  # torch warns at the first and cannot do the second
    return torch.from_numpy(array)


def pair(inputs: object, targets: object, spec: InputSpec) -> RawData:
    """(inputs, targets) in hand; targets may be numbers, names of classes, or None."""
    plain: Inputs
    if are_several(inputs, targets):
        inputs = by_name(cast(Sequence[Any], inputs), spec)
    if isinstance(inputs, Mapping):
        plain, labels, notes = _by_name(inputs, spec, labelled=targets is not None)
        targets = labels if targets is None else targets
    else:
        plain, notes = as_tensor(inputs, "inputs"), ()
    numbers, classes = encode(targets)
    return RawData(Data(plain, numbers), classes=classes, notes=notes)


def encode(targets: object) -> tuple[Tensor | None, tuple[str, ...]]:
    """Targets as numbers, with the sorted names of the classes where they were names."""
    if targets is None:
        return None, ()
    refuse_objects(targets)
    if not isinstance(targets, Tensor):
        array = np.asarray(targets)
        names = array.dtype.kind in "UT" or all(isinstance(each, str) for each in array.flat)
        if array.size and array.ndim == 1 and names:
            labels = [str(each) for each in array.tolist()]
            classes = sorted(set(labels))
            at = {name: i for i, name in enumerate(classes)}
            return torch.tensor([at[name] for name in labels]), tuple(classes)
    return as_tensor(targets, "targets"), ()


def stack(values: Sequence[Any], what: str) -> Tensor:
    """One tensor of the samples' own; ValueError names the first whose shape is another."""
    tensors = [as_tensor(value, what) for value in values]
    for i, tensor in enumerate(tensors):
        if tensor.shape != tensors[0].shape:
            raise ValueError(
                f"{what} differ in shape: {tuple(tensors[0].shape)} at sample 0, "
                f"{tuple(tensor.shape)} at sample {i}; make them alike before they come here"
            )
    return torch.stack(tensors)


def _by_name(
    mapping: Mapping[str, object], spec: InputSpec, *, labelled: bool
) -> tuple[Inputs, object, tuple[str, ...]]:
    """(inputs, labels or None, notes) of tensors by name, only those that the network takes."""
    own = mapping if labelled else spec.needed  # what looks like targets may be an input
    label = next((name for name in TARGETS if name in mapping and name not in own), None)
    names = [str(name) for name in mapping if name != label]
    left_out = [name for name in names if spec.keys and name not in spec.keys]
    if len(left_out) < len(names):
        names = [name for name in names if name not in left_out]
    else:
        left_out = []
    if not names:
        raise ValueError(f"data holds no inputs, only {', '.join(map(str, mapping)) or 'nothing'}")
    notes = (f"left out, the network does not take it: {', '.join(left_out)}",) if left_out else ()
    tensors = {name: as_tensor(mapping[name], repr(name)) for name in names}
    labels = None if label is None else mapping[label]
    # A network from Transformers takes its images by name, all others take them first.
    alone = names[0] in _ALONE and names[0] not in spec.keys
    if len(names) == 1 and alone and (names[0] != "pixel_values" or spec.kind == "image"):
        return tensors[names[0]], labels, notes
    return tensors, labels, notes
