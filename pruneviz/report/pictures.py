"""What do the weights of a layer look like, those left and those cut?"""

from __future__ import annotations

import base64
import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pruneviz.figures import DIVERGING
from pruneviz.report.parts import escape

HEIGHT, WIDTH = 96, 192
_CELLS, _LARGEST = 320, 12  # pixels on the screen: of the picture's width, and of a cell at most


def pool(
    weight: NDArray[np.float32], kept: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], int, int]:
    """Weights [rows, columns] in a picture of bounded size, NaN where all is cut.

    Each cell is the kept weight of largest size among `down` × `across`, which come with it.
    """
    rows, columns = weight.shape
    down, across = math.ceil(rows / HEIGHT) or 1, math.ceil(columns / WIDTH) or 1
    high, wide = -(-rows // down), -(-columns // across)
    whole = np.full((high * down, wide * across), np.nan, np.float32)
    whole[:rows, :columns] = np.where(kept, weight, np.nan)
    blocks = whole.reshape(high, down, wide, across).transpose(0, 2, 1, 3).reshape(high, wide, -1)
    size = np.where(np.isnan(blocks), -1, np.abs(blocks))
    largest = np.take_along_axis(blocks, size.argmax(2)[..., None], 2)[..., 0]
    return largest, down, across


def picture(name: str, weight: NDArray[np.float32], kept: NDArray[np.bool_], limit: float) -> str:
    """One layer as a small picture with its caption.

    weight, kept: [units, inputs]. limit: the largest |weight| of the dense layer, at which the
    colours end, so that they do not move with what is cut.
    """
    cells, down, across = pool(weight, kept)
    high, wide = cells.shape
    each = min(_LARGEST, max(1, _CELLS // wide))
    data = base64.b64encode(png(cells, limit)).decode()
    share = f"{100 * (1 - kept.mean()):.0f} % cut" if kept.size else "empty"
    bound = "" if down == across == 1 else f"; a cell is the largest of {down} × {across} weights"
    words = f"{name}: {weight.shape[0]:,} × {weight.shape[1]:,}, {share}{bound}"
    return (
        f'<figure><img src="data:image/png;base64,{data}" width="{wide * each}" '
        f'height="{high * each}" alt="Weights of {escape(words)}">'
        f"<figcaption>{escape(words)}</figcaption></figure>"
    )


def png(cells: NDArray[np.float32], limit: float) -> bytes:
    """Cells in colours symmetric about zero; what is cut is left out of the picture."""
    stops = np.array([_rgb(str(colour)) for _, colour in DIVERGING], np.float32)
    blank = np.isnan(cells)
    place = 1 + np.clip(np.where(blank, 0, cells) / (limit or 1), -1, 1)  # 0..2
    left = np.minimum(place.astype(int), 1)
    part = (place - left)[..., None]
    colours = stops[left] * (1 - part) + stops[left + 1] * part
    alpha = np.where(blank, 0, 255)[..., None]
    pixels = np.concatenate([colours.round(), alpha], 2).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(file, "PNG", optimize=True)
    return file.getvalue()


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))
