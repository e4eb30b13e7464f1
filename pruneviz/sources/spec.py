"""What does a network expect to be fed?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InputSpec:
    """The kind, shape and scaling of one network's inputs, as far as its source states them.

    Attributes
    ----------
    kind
        "image" (float ``[n, channels, height, width]``), "tokens" (integer ids ``[n, length]``),
        "sequence" (float ``[n, length, features]``) or "unknown".
    channels
        Of an image: 1 for grey, 3 for red, green, blue.
    size
        Height and width in pixels; None: any, or unknown.
    mean, std
        For each channel, after pixels are scaled to 0..1; empty where no normalisation is stated.
    interpolation
        "nearest", "bilinear", "bicubic", "lanczos", "box" or "hamming".
    crop
        The share of the resized shorter side that the centre crop keeps, in (0, 1].
    vocab, length
        Of tokens: how many ids there are, and the longest sequence.
    keys
        Names of the tensors that the network takes, when it takes more than one.
    order, needed
        Names of what its forward takes, in their order; and of those it cannot do without. Empty
        where nothing is known of them.
    classes
        Names of the classes that the source states, if any.
    """

    kind: str
    channels: int = 3
    size: tuple[int, int] | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    interpolation: str = "bilinear"
    crop: float = 1.0
    vocab: int | None = None
    length: int | None = None
    keys: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
