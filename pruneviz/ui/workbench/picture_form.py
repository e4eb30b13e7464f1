"""How are the pictures of an upload fed to the network?"""

from __future__ import annotations

import re
from collections.abc import Callable

import streamlit as st

from pruneviz.sources.upload import PictureFormat

_OWN = "my own mean and std"
_SCALINGS: dict[str, tuple[tuple[float, ...] | None, tuple[float, ...] | None]] = {
    "as the architecture states": (None, None),
    "ImageNet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "0 to 1": ((0.0,), (1.0,)),
    _OWN: (None, None),
}
_EACH = "One number for each channel: pixels, from 0 to 1, less the mean, over the std."


def ask(turn: int) -> Callable[[], PictureFormat]:
    """Fields inside the form; what they say is read once it is sent (ValueError names a field)."""
    with st.expander("Pictures in a .zip: size, normalisation, classes"):
        size = st.text_input(
            "Size",
            key=f"upload_size-{turn}",
            placeholder="as the architecture states",
            help="Pixels: 224, or 200x320 (height x width). Each picture is resized, and its "
            "middle cut out. Needed where the architecture states none and pictures differ.",
        )
        scaling = st.selectbox(
            "Normalisation",
            list(_SCALINGS),
            key=f"upload_scaling-{turn}",
            help="As the network was trained. ImageNet: mean 0.485, 0.456, 0.406 and std 0.229, "
            "0.224, 0.225, of pixels from 0 to 1.",
        )
        left, right = st.columns(2)
        mean = left.text_input(
            "Mean", key=f"upload_mean-{turn}", placeholder="0.5, 0.5, 0.5", help=_EACH
        )
        std = right.text_input(
            "Std", key=f"upload_std-{turn}", placeholder="0.25, 0.25, 0.25", help=_EACH
        )
        classes = st.text_input(
            "Classes (optional)",
            key=f"upload_classes-{turn}",
            placeholder="cat, dog, horse",
            help="In the order of the network's outputs. Without them the names of folders are "
            "numbered in alphabetical order, unless the network names its classes.",
        )
    return lambda: read(size, scaling, mean, std, classes)


def read(size: str, scaling: str, mean: str, std: str, classes: str) -> PictureFormat:
    """What was written into the fields; ValueError, one sentence: what cannot be read."""
    means, stds = _SCALINGS[scaling]
    if scaling == _OWN:
        means, stds = _numbers("Mean", mean), _numbers("Std", std)
        if min(stds) <= 0:
            raise ValueError(f"Std must be above 0, got {std[:60]!r}")
    elif mean.strip() or std.strip():
        raise ValueError(f"Mean and Std are used where Normalisation is “{_OWN}”: choose it")
    names = tuple(name.strip() for name in classes.split(",")) if classes.strip() else ()
    return PictureFormat(_size(size), means, stds, names)


def _size(text: str) -> tuple[int, int] | None:
    text = text.strip().lower()
    if not text:
        return None
    found = re.fullmatch(r"([1-9]\d{0,4})(?:\s*[x×]\s*([1-9]\d{0,4}))?", text)
    if found is None:
        raise ValueError(f"Size takes pixels such as 224 or 200x320, got {text[:60]!r}")
    return int(found[1]), int(found[2] or found[1])


def _numbers(field: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(each) for each in text.split(","))
    except ValueError:
        raise ValueError(
            f"{field} takes numbers such as 0.5, 0.5, 0.5, got {text[:60]!r}"
        ) from None
