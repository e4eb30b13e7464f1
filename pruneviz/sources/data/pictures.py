"""How does a picture become what a network expects?"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pruneviz import limits
from pruneviz.sources.data.samples import DataRequest

# Formats that Pillow decodes by itself: EPS, for one, would start another program.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "MPO")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)
_GREY = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "F")

Picture = Path | bytes | Image.Image


def prepare(pictures: Sequence[Picture], request: DataRequest) -> tuple[Tensor, list[str]]:
    """Pictures as uint8 [n, channels, height, width], and the sentences that say how.

    The shorter side is resized to size / crop and the centre is cut out, as torchvision and timm
    do; scaling is left to fit, as for any uint8 images. Files are read one at a time. ValueError:
    broken files (the first is named, all are counted), no size where pictures differ in it.
    """
    size = request.size or request.spec.size
    channels = _channels(pictures, request, len(request.scaling()[0]))
    done: list[Tensor] = []
    unreadable: list[str] = []
    modes: Counter[str] = Counter()
    sizes: Counter[tuple[int, int]] = Counter()
    for at, picture in enumerate(pictures):
        try:
            image = _open(picture)
        except limits.OverLimit:
            raise
        except _BROKEN:
            unreadable.append(picture.name if isinstance(picture, Path) else f"picture {at}")
            continue
        modes["grey" if image.mode in _GREY else "colour"] += 1
        sizes[(image.height, image.width)] += 1
        if size is None and len(sizes) > 1:
            first, other = (f"{h}×{w}" for h, w in sizes)
            raise ValueError(f"pictures differ in size, {first} and {other}: pass size=")
        done.append(_pixels(_crop(_tint(image, channels), size, request)))
    if unreadable:
        raise ValueError(
            f"{unreadable[0]} cannot be read as a picture ({len(unreadable):,} of "
            f"{len(pictures):,} such files): repair it, or take it out of the folder"
        )
    return torch.stack(done), _sentences(modes, sizes, channels, size)


def bytes_each(pictures: Sequence[Picture], request: DataRequest) -> int:
    """How much memory one picture takes as float32, going by the first."""
    size = request.size or request.spec.size
    if size is None:
        try:
            image = _open(pictures[0])
        except _BROKEN:
            return 1  # it is named when its turn comes
        size = (image.height, image.width)
    return 4 * 3 * size[0] * size[1]


def _open(picture: Picture) -> Image.Image:
    if isinstance(picture, Image.Image):
        return picture
    with Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else picture) as image:
        if image.format not in FORMATS:
            raise OSError(f"{image.format} is not read")
        label = picture.name if isinstance(picture, Path) else "a picture"
        limits.check("pixels", image.width * image.height, f"{label} has")
        image.load()
        return image.copy()


def _channels(pictures: Iterable[Picture], request: DataRequest, channels: int) -> int:
    """What the network takes; else what the mean is for; else 3 unless every picture is grey."""
    if request.is_image:
        return request.spec.channels
    if channels > 1:  # one number serves any number of channels
        return channels
    for picture in pictures:
        try:
            if _open(picture).mode not in _GREY:
                return 3
        except _BROKEN:
            continue
    return 1


def _tint(image: Image.Image, channels: int) -> Image.Image:
    if image.mode.startswith("I"):  # Pillow would cut off at 255 what counts to 65,535
        values = np.asarray(image).astype(np.float64) / 257
        image = Image.fromarray(values.round().clip(0, 255).astype(np.uint8))
    if channels not in (1, 3):
        raise ValueError(f"pictures have 1 or 3 channels, the network takes {channels}")
    mode = "L" if channels == 1 else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _crop(image: Image.Image, size: tuple[int, int] | None, request: DataRequest) -> Image.Image:
    if size is None or ((image.height, image.width) == size and request.spec.crop == 1):
        return image
    height, width = size
    crop = request.spec.crop if request.size is None else 1.0
    scale = max(
        int(height / crop) / image.height,
        int(width / crop) / image.width,
    )
    near = 1e-6  # of a pixel: what a division before the product may have lost
    new = (
        max(width, int(image.width * scale + near)),
        max(height, int(image.height * scale + near)),
    )
    image = image.resize(new, _FILTERS.get(request.spec.interpolation, _FILTERS["bilinear"]))
    x, y = round((new[0] - width) / 2), round((new[1] - height) / 2)
    return image.crop((x, y, x + width, y + height))


def _pixels(image: Image.Image) -> Tensor:
    array = np.array(image)
    return torch.from_numpy(array[None] if array.ndim == 2 else array.transpose(2, 0, 1).copy())


def _sentences(
    modes: Counter[str],
    sizes: Counter[tuple[int, int]],
    channels: int,
    size: tuple[int, int] | None,
) -> list[str]:
    notes = []
    if channels == 3 and modes["grey"]:
        notes.append(f"{modes['grey']:,} grey pictures were turned into colour, for 3 channels")
    if channels == 1 and modes["colour"]:
        notes.append(f"{modes['colour']:,} coloured pictures were turned grey, for one channel")
    others = sum(count for each, count in sizes.items() if each != size)
    if size is not None and others:
        notes.append(f"{others:,} pictures were resized and cut to {size[0]}×{size[1]} pixels")
    return notes
