"""How is a sample changed a little without becoming another?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from pruneviz.data import Data

_SHIFT, _TURN, _ZOOM, _NOISE = 2.0, 10.0, 0.1, 0.1


@dataclass(frozen=True)
class Augmentation:
    """One way to change training samples; move: None changes nothing. images: whether of these
    alone, [n, channels, height, width].
    """

    name: str
    label: str
    move: Callable[[Data, torch.Generator], Data] | None
    images: bool = True


def move(
    images: Tensor, generator: torch.Generator, shift: float, turn: float, zoom: float
) -> Tensor:
    """Each image shifted, turned and scaled at random, bilinearly.

    images: [n, channels, side, side]; shift: at most so many pixels either way; turn: at most so
    many degrees either way; zoom: at most this fraction larger or smaller. Returns a new tensor.
    """
    side = images.shape[-1]
    across, down, angle, size = torch.rand(4, len(images), generator=generator).mul(2).sub(1)
    pixel = 2 / side  # affine_grid measures an image from -1 to 1
    cos = torch.cos(angle * math.radians(turn)) * (1 + zoom * size)
    sin = torch.sin(angle * math.radians(turn)) * (1 + zoom * size)
    rows = [
        torch.stack([cos, -sin, across * shift * pixel], dim=1),
        torch.stack([sin, cos, down * shift * pixel], dim=1),
    ]
    grid = F.affine_grid(torch.stack(rows, dim=1), list(images.shape), align_corners=False)
    # The border, not zero: in normalised images the background is below zero.
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _move(data: Data, chance: torch.Generator) -> Data:
    return _with(data, move(_images(data), chance, _SHIFT, _TURN, _ZOOM))


def _flip(data: Data, chance: torch.Generator) -> Data:
    images = _images(data)
    flips = torch.rand(len(images), generator=chance) < 0.5
    return _with(data, torch.where(flips[:, None, None, None], images.flip(-1), images))


def _noise(data: Data, chance: torch.Generator) -> Data:
    inputs = data.tensors()[""]
    return _with(data, inputs + _NOISE * torch.randn(inputs.shape, generator=chance))


def _images(data: Data) -> Tensor:
    return data.tensors()[""]


def _with(data: Data, inputs: Tensor) -> Data:
    return Data(inputs, data.targets)


AUGMENTATIONS: dict[str, Augmentation] = {
    augmentation.name: augmentation
    for augmentation in (
        Augmentation("none", "None", None, images=False),
        Augmentation("move", "Shift by 2 pixels, turn by 10°, zoom by 10 %", _move),
        Augmentation("flip", "Mirror half of them", _flip),
        Augmentation("noise", "Add noise (σ 0.1)", _noise, images=False),
    )
}


def check_augmentation(name: str, data: Data) -> None:
    """ValueError where a way is unknown, or does not go with the samples."""
    choice = AUGMENTATIONS.get(name)
    if choice is None:
        raise ValueError(f"unknown augmentation {name!r}; known are {', '.join(AUGMENTATIONS)}")
    if choice.move is None:
        return
    inputs = data.tensors().get("")
    if inputs is None or not inputs.is_floating_point():
        raise ValueError(f"augmentation {name!r} needs one input of floats; use 'none'")
    square = inputs.ndim == 4 and inputs.shape[-1] == inputs.shape[-2]
    if choice.images and not square:
        raise ValueError(
            f"augmentation {name!r} needs square images [n, channels, side, side], "
            f"got inputs {list(inputs.shape)}; use 'noise' or 'none'"
        )
