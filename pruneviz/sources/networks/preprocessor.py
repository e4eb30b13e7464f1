"""How does a folder of Transformers say that its network is fed with pictures?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pruneviz import limits
from pruneviz.sources.networks.configuration import read_keys
from pruneviz.sources.spec import InputSpec

FILE = "preprocessor_config.json"
# Of PIL's filters, by the numbers that the file keeps.
_FILTERS = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")


def image_spec(config: Any, folder: Path, name: str, classes: tuple[str, ...]) -> InputSpec:
    """Size and channels as the network's configuration has them, scaling as its preprocessor file
    says.

    Raises ValueError naming the key whose value no picture can have.
    """
    rule = read_keys(folder / FILE, name) if (folder / FILE).is_file() else {}
    channels = getattr(config, "num_channels", 3)
    if not _is_whole(channels):
        raise _refusal(name, "num_channels", channels, "a whole number above 0")
    size = _size(getattr(config, "image_size", None) or _stated_size(rule), name)
    numbers = channels * math.prod(size or ())
    limits.check("input_numbers", numbers, f"{name}: a picture of the size it states has")
    scaled = bool(rule.get("do_normalize", True))
    crop = rule.get("crop_pct") or 1.0
    if not _is_number(crop) or not 0 < crop <= 1:
        raise _refusal(name, "crop_pct", crop, "above 0 and at most 1")
    return InputSpec(
        kind="image",
        channels=channels,
        size=size,
        mean=_numbers(rule, "image_mean", name) if scaled else (),
        std=_numbers(rule, "image_std", name) if scaled else (),
        interpolation=_filter(rule.get("resample")),
        crop=float(crop),
        classes=classes,
    )


def _stated_size(rule: Mapping[str, Any]) -> object:
    return rule.get("crop_size") or rule.get("size")


def _size(value: object, name: str) -> tuple[int, int] | None:
    """Height and width in pixels of a number, two, or those by name; None where there is none."""
    if not value:
        return None
    both = value
    if isinstance(value, Mapping):
        edge = value.get("shortest_edge")
        both = [value.get("height", edge), value.get("width", edge)]
        if both == [None, None]:  # a longest edge alone: any size
            return None
    elif _is_whole(value):
        both = [value, value]
    if isinstance(both, list | tuple) and len(both) == 2 and all(map(_is_whole, both)):
        return both[0], both[1]
    raise _refusal(name, "size", value, "pixels: a whole number, or a height and a width")


def _numbers(rule: Mapping[str, Any], key: str, name: str) -> tuple[float, ...]:
    """One for each channel or for all; whether they fit the pictures is seen where these are."""
    value = rule.get(key)
    each = [] if value is None else value if isinstance(value, list) else [value]
    least = 0 if key == "image_std" else -math.inf
    if all(_is_number(one) and one > least for one in each):
        return tuple(map(float, each))
    raise _refusal(name, key, value, "numbers" + " above 0" * (least == 0))


def _filter(number: object) -> str:
    return next((name for place, name in enumerate(_FILTERS) if place == number), "bilinear")


def _is_whole(value: object) -> bool:
    return type(value) is int and value > 0


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]


def _refusal(name: str, key: str, value: object, what: str) -> ValueError:
    return ValueError(f"{name}: {key!r}, of pictures, must be {what}; got {str(value)[:60]!r}")
