"""How is a digit moved a little without becoming another digit?"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812


def moved(
    images: Tensor, generator: torch.Generator, shift: float, turn: float, zoom: float
) -> Tensor:
    """Each image shifted, turned and scaled at random, bilinearly.

    images: [n, 1, side, side]; shift: at most so many pixels either way; turn: at most so many
    degrees either way; zoom: at most this fraction larger or smaller. Returns a new tensor.
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
