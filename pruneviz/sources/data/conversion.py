"""How do the numbers given become numbers that a network can take?"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from pruneviz import limits
from pruneviz.data import IGNORED, Data, Inputs
from pruneviz.sources.data.number_types import InputChoice, choose
from pruneviz.sources.data.samples import DataRequest

_IMAGES = ("", "pixel_values")
_MASKS_AND_IDS = ("ids", "mask")


def fit(data: Data, request: DataRequest) -> tuple[Data, list[str]]:
    """The data as float32 (or a narrower float) or int64, images scaled; and what was done to it.

    ValueError: NaN or infinite inputs, ids beyond the vocabulary, negative classes, a mean for
    another number of channels.
    """
    notes: list[str] = []
    if len(data) == 0:
        return data, notes
    tensors = data.tensors()
    choices = choose(
        {name: _ways(name, each, request) for name, each in tensors.items()}, request.accepts
    )
    for way in choices.values():
        notes += [note for note in way.notes if note not in notes]
    converted_tensors = {name: way.tensor for name, way in choices.items()}
    inputs: Inputs = converted_tensors[""] if isinstance(data.inputs, Tensor) else converted_tensors
    targets = None
    if data.targets is not None:
        targets = _targets(without(data.targets, request.ignore, notes), inputs, notes)
    return Data(inputs, targets), notes


def _ways(name: str, tensor: Tensor, request: DataRequest) -> list[InputChoice]:
    """What may become of one input, the usual way last: integers first stay what they are."""
    notes: list[str] = []
    usual = InputChoice(_input(name, tensor, request, notes), notes)
    is_image = name in _IMAGES and request.is_image
    if tensor.is_floating_point() or is_image or request.accepts is None:
        return [usual]
    label, was = repr(name) if name else "inputs", str(tensor.dtype).removeprefix("torch.")
    ways = [InputChoice(tensor, [])]
    if tensor.dtype != torch.int64:
        ways.append(
            InputChoice(
                tensor.long(), [f"{label} were {was}, now int64: the network refuses {was}"]
            )
        )
    if not usual.tensor.is_floating_point():
        note = f"{label} were {was}, now float32: the network refuses integers"
        ways.append(InputChoice(tensor.float(), [note]))
    return [*ways, usual]


def _input(name: str, tensor: Tensor, request: DataRequest, notes: list[str]) -> Tensor:
    label = repr(name) if name else "inputs"
    tokens = name.endswith(_MASKS_AND_IDS) or (name in _IMAGES and request.spec.kind == "tokens")
    if tokens and not tensor.is_floating_point():
        return _ids(name, label, tensor.long(), request)
    if tensor.dtype == torch.float64:
        notes.append(f"{label} were float64, now float32")
        tensor = tensor.float()
    _whole(label, tensor)
    if name in _IMAGES:
        return _images(label, tensor, request, notes)
    return tensor.float() if tensor.dtype in (torch.bool, torch.uint8) else tensor


def _ids(name: str, label: str, ids: Tensor, request: DataRequest) -> Tensor:
    vocab = request.spec.vocab
    if vocab is not None and name in ("", "input_ids", "decoder_input_ids"):
        beyond = ids[(ids < 0) | (ids >= vocab)]
        if len(beyond):
            raise ValueError(
                f"token ids in {label} must be in 0..{vocab - 1}, the network's vocabulary; "
                f"got {int(beyond[0])}: use the tokenizer that the network was trained with"
            )
    return ids


def _whole(label: str, tensor: Tensor) -> None:
    """ValueError with the first sample that holds NaN or infinity."""
    if not tensor.is_floating_point():
        return
    for start in range(0, len(tensor), 1024):
        part = tensor[start : start + 1024]
        bad = ~torch.isfinite(part).reshape(len(part), -1).all(1)
        if bool(bad.any()):
            first = start + int(bad.nonzero()[0, 0])
            raise ValueError(
                f"{label} hold NaN or infinite values, first in sample {first}; "
                "clean them, or leave these samples out"
            )


def _images(label: str, tensor: Tensor, request: DataRequest, notes: list[str]) -> Tensor:
    """Inputs that may be images: channels first, in 0..1 or normalised, of the size asked for."""
    channels = request.spec.channels
    if request.is_image and not tensor.is_floating_point() and _are_bytes(tensor):
        tensor = tensor.to(torch.uint8)
    eight_bit = tensor.dtype == torch.uint8
    if request.is_image and tensor.ndim == 3:
        tensor = tensor.unsqueeze(1)
    if request.is_image and tensor.ndim == 4:
        if tensor.shape[1] not in (1, 3, channels) and tensor.shape[3] in (1, 3, channels):
            notes.append("images were given channels last, now channels first")
            tensor = tensor.permute(0, 3, 1, 2)
        tensor = _colour(tensor, channels, notes)
    if tensor.dtype == torch.bool:
        return tensor.float()
    if eight_bit:
        full = float(tensor.max()) > 1
        notes.append(f"{label} were uint8, now floats" + (" in 0..1 (divided by 255)" * full))
        tensor = tensor.float().div_(255 if full else 1)
    if tensor.ndim != 4 or not tensor.is_floating_point():
        return tensor
    tensor = _resize(tensor, request, notes)
    return _normalise(tensor, request, eight_bit, notes).contiguous()


def _are_bytes(tensor: Tensor) -> bool:
    if tensor.dtype in (torch.bool, torch.uint8):
        return True
    return int(tensor.min()) >= 0 and int(tensor.max()) <= 255


def _colour(tensor: Tensor, channels: int, notes: list[str]) -> Tensor:
    if tensor.shape[1] == 1 and channels == 3:
        notes.append("images are grey: each was repeated for the network's 3 channels")
        return tensor.expand(-1, 3, -1, -1)
    if tensor.shape[1] == 3 and channels == 1:
        notes.append("images are coloured: each was turned grey for the network's one channel")
        weights = torch.tensor([0.299, 0.587, 0.114])  # ITU-R BT.601, as Pillow does
        grey = (tensor.float() * weights[:, None, None]).sum(1, keepdim=True)
        return grey.round().to(tensor.dtype) if tensor.dtype == torch.uint8 else grey
    return tensor


def _resize(tensor: Tensor, request: DataRequest, notes: list[str]) -> Tensor:
    here = (int(tensor.shape[2]), int(tensor.shape[3]))
    if request.size is not None and here != request.size:
        notes.append(f"images were {_by(here)} pixels, now {_by(request.size)}")
        return interpolate(tensor, request.size, mode="bilinear", antialias=True)
    if request.size is None and request.spec.size is not None and here != request.spec.size:
        notes.append(
            f"images are {_by(here)} pixels, the network's own config says "
            f"{_by(request.spec.size)}: pass size={request.spec.size} to resize them"
        )
    return tensor


def _normalise(tensor: Tensor, request: DataRequest, eight_bit: bool, notes: list[str]) -> Tensor:
    mean, std = request.scaling()
    has_own_scale = request.mean is not None or request.std is not None
    if not mean:
        return tensor
    if not eight_bit and not has_own_scale:
        if float(tensor.min()) >= 0 and float(tensor.max()) <= 1:
            notes.append(
                f"images are floats in 0..1 and taken as they are; the network's own config "
                f"normalises with mean {mean} and std {std}: pass mean= and std= to do so"
            )
        return tensor
    mean_, std_ = (torch.tensor(each, dtype=tensor.dtype) for each in (mean, std))
    if not {len(mean), len(std)} <= {1, tensor.shape[1]}:  # one number serves all channels
        raise ValueError(
            f"mean {mean} and std {std} do not fit images of {tensor.shape[1]} channels; "
            "give one number for each channel"
        )
    if not bool((std_ > 0).all()):
        raise ValueError(f"std must be above 0 for each channel, got {std}")
    notes.append(f"images were normalised with mean {mean} and std {std}")
    mean_, std_ = mean_[:, None, None], std_[:, None, None]
    if eight_bit:  # these floats are our own: no second copy
        return tensor.sub_(mean_).div_(std_)
    return (tensor - mean_) / std_


def without(targets: Tensor, label: int | None, notes: list[str]) -> Tensor:
    """Targets [n, ...] in which positions of this label are left out; a sentence says how many.

    ValueError where targets are no positions, or none of them is that.
    """
    if label is None or label == IGNORED:
        return targets
    if targets.ndim < 2:
        raise ValueError(
            f"ignore={label} leaves out positions of an answer, and here a sample has one target; "
            "leave out the samples instead"
        )
    marked = targets == label
    if not bool(marked.any()):
        notes.append(f"no target is {label}, which was to be ignored")
        return targets
    share = float(marked.double().mean())
    notes.append(f"targets of {label} are ignored: {100 * share:.1f} % of positions")
    plain = targets if targets.is_floating_point() else targets.long()
    return plain.masked_fill(marked, IGNORED)


def _targets(targets: Tensor, inputs: Inputs, notes: list[str]) -> Tensor:
    ids = isinstance(inputs, Mapping) or inputs.dtype in (torch.int32, torch.int64)
    if targets.ndim == 2 and targets.shape[1] == 1 and not targets.is_floating_point() and not ids:
        notes.append(f"targets were {tuple(targets.shape)}, now ({len(targets)},)")
        targets = targets[:, 0]
    if not targets.is_floating_point():
        targets = targets.long()
        below = targets < (0 if targets.ndim == 1 else -100)
        if bool(below.any()):
            at = int(below.nonzero()[0, 0])
            label, way = int(targets[below][0]), ""
            if targets.ndim > 1:
                way = f", or ignore={label} (--ignore {label}) if it marks what does not count"
            raise ValueError(
                f"targets must be classes from 0 up, got {label} in sample {at}; "
                f"count classes from 0, or give floats if these are values to come close to{way}"
            )
        _check_labels(targets)
        return targets
    _whole("targets", targets)
    if targets.dtype == torch.float64:
        notes.append("targets were float64, now float32")
        targets = targets.float()
    return targets


def _check_labels(targets: Tensor) -> None:
    """ValueError for a label so large that names of classes up to it would fill the memory."""
    most = int(targets.max()) if targets.numel() else 0
    kind = "classes" if targets.ndim == 1 else "vocabulary"
    limits.check(
        kind,
        most + 1,
        f"targets must count classes from 0 up without gaps, and the largest, {most}, stands for",
    )


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"
