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

HEIGHT, WIDTH = 128, 192
_CELLS, _LARGEST = 320, 12  # pixels on the screen: of the picture's width, and of a cell at most
_ORDINALS = {2: "2nd", 3: "3rd"}


def pick(weight: NDArray[np.float32], kept: NDArray[np.bool_]) -> tuple[NDArray[np.float32], str]:
    """Weights [rows, columns] in a picture of bounded size, NaN where a weight is cut, and what
    it leaves out, or "".

    Each cell is one weight, so that as much of a picture is blank as is cut: the larger of two
    would hide the other, and the mean of both is the weight of neither.
    """
    down, across = (
        max(1, math.ceil(size / bound))
        for size, bound in zip(weight.shape, (HEIGHT, WIDTH), strict=True)
    )
    parts = [
        f"every {_ORDINALS.get(step, f'{step}th')} {word}"
        for step, word in ((down, "row"), (across, "column"))
        if step > 1
    ]
    cells = np.where(kept, weight, np.float32(np.nan))[::down, ::across]
    return cells, f"drawn: {' and '.join(parts)}" if parts else ""


def picture(name: str, weight: NDArray[np.float32], kept: NDArray[np.bool_], limit: float) -> str:
    """One layer as a small picture with its caption.

    weight, kept: [units, inputs]. limit: the largest |weight| of the dense layer, at which the
    colours end, so that they do not move with what is cut; they go by √|weight|, as on the board.
    """
    cells, left_out = pick(weight, kept)
    high, wide = cells.shape
    each = min(_LARGEST, max(1, _CELLS // wide))
    roots = np.sign(cells) * np.sqrt(np.abs(cells))
    data = base64.b64encode(png(roots, math.sqrt(limit))).decode()
    share = f"{100 * (1 - kept.mean()):.0f} % cut" if kept.size else "empty"
    bound = f"; {left_out}" if left_out else ""
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
