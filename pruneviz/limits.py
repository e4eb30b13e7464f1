"""How much may a file, a network or a visitor ask for before any work is done?"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

_PREFIX = "PRUNEVIZ_"


class OverLimit(ValueError):  # noqa: N818
    """More is asked for than a bound allows; its words are a sentence."""


@dataclass(frozen=True)
class Limit:
    """A bound: its name, its usual value, what is counted, and why it is no higher."""

    name: str
    usual: int
    unit: str
    reason: str

    @property
    def variable(self) -> str:
        """The environment variable that changes it."""
        return _PREFIX + self.name.upper()


LIMITS: Mapping[str, Limit] = {
    each.name: each
    for each in (
        Limit(
            "data_bytes", 2 * 2**30, "bytes",
            "of the arrays or tables of one file as they lie in memory: 10,000 colour images of "
            "224 pixels have 1.4 GiB, and a small file may unfold to any size",
        ),
        Limit(
            "arrays", 1_000, "arrays",
            "in one .npz: inputs, targets and their sides are fewer than twenty",
        ),
        Limit(
            "files", 200_000, "files",
            "in one .zip of pictures: ten thousand are taken, and each has a name to look at",
        ),
        Limit(
            "rows", 10_000_000, "rows",
            "of a table: ten thousand are taken, and an index of them all takes 80 MB",
        ),
        Limit(
            "columns", 65_536, "columns",
            "of a table: measured genes are 60,000, and each is looked at by itself",
        ),
        Limit(
            "classes", 100_000, "classes",
            "of targets: ImageNet-21k has 21,843; each has a name, and a row in every table",
        ),
        Limit(
            "vocabulary", 2**20, "tokens",
            "of targets at each position: the largest tokenizers know 262,144",
        ),
        Limit(
            "pixels", 2**26, "pixels",
            "of one picture: 64 megapixels are 192 MiB in memory, and no network here takes more",
        ),
        Limit(
            "tensors", 50_000, "tensors",
            "in one file of weights: a network of a thousand layers has fewer than 10,000, and "
            "each costs time by its name alone",
        ),
        Limit(
            "header_bytes", 16 * 2**20, "bytes",
            "of the part of a file of weights that lists its tensors: 50,000 entries have 8 MB",
        ),
        Limit(
            "parameters", 2_000_000_000, "parameters",
            "of a network that is built by its name or its configuration: 8 GB in float32",
        ),
        Limit(
            "modules", 30_000, "modules",
            "of such a network: those of a thousand layers have fewer than 20,000",
        ),
        Limit(
            "layers", 2_000, "layers",
            "that one number of a configuration may ask for: the deepest networks have 1,001",
        ),
        Limit(
            "config_size", 2**24, "units",
            "that one number of a configuration may ask for: the widest networks have 65,536 "
            "units, the largest vocabularies 262,144 tokens",
        ),
        Limit(
            "input_numbers", 2**26, "numbers",
            "in one sample that a network states it takes: 256 MiB in float32",
        ),
        Limit(
            "download_bytes", 40 * 2**30, "bytes",
            "to fetch for one network: 20 billion weights in half precision, more than is pruned "
            "on one machine",
        ),
        Limit(
            "recipe_bytes", 1_000_000, "bytes",
            "of a recipe: it is a small text, 2 KB as a rule",
        ),
        Limit(
            "upload_bytes", 500 * 2**20, "bytes",
            "of one file through the browser: a network of 90 million parameters has 360 MB",
        ),
        Limit(
            "training_bytes", 20 * 2**30, "bytes",
            "of the trainings that a visitor of the app keeps on disk: sixty of a network of 25 "
            "million parameters. The oldest makes room",
        ),
        Limit(
            "app_bytes", 4 * 2**30, "bytes",
            "of all networks and data that visitors of the app have opened, together: what a "
            "small server can spare. The oldest that is on no screen makes room",
        ),
    )
}  # fmt: skip

_tighter: ContextVar[Mapping[str, int]] = ContextVar("tighter", default={})  # noqa: B039


def limit(name: str) -> int:
    """The bound of this name as it holds here: that of its environment variable, else the usual.

    ValueError: the variable holds no whole number above 0.
    """
    bound = LIMITS[name]
    text = os.environ.get(bound.variable, "").strip().replace("_", "")
    if not text:
        value = bound.usual
    elif text.isascii() and text.isdecimal() and len(text) <= 18 and int(text) > 0:
        value = int(text)
    else:
        raise ValueError(f"{bound.variable} must be a whole number above 0, got {text[:40]!r}")
    return min(value, _tighter.get().get(name, value))


@contextmanager
def tighter(**values: int) -> Iterator[None]:
    """Within, in this thread, no bound named is higher than the value given."""
    before = _tighter.get()
    token = _tighter.set({**before, **{n: min(v, before.get(n, v)) for n, v in values.items()}})
    try:
        yield
    finally:
        _tighter.reset(token)


def check(name: str, value: int, what: str) -> None:
    """OverLimit (a ValueError) where `value` is over the bound; what: how the sentence begins."""
    most = limit(name)
    if value > most:
        bound = LIMITS[name]
        raise OverLimit(
            f"{what} {value:,} {bound.unit}, more than the {most:,} that are taken; if it is meant "
            f"so, the environment variable {bound.variable} changes this bound"
        )


def table() -> list[dict[str, object]]:
    """One row a bound: name, value, unit, variable, whether it was changed, reason."""
    return [
        {
            "name": each.name,
            "value": limit(each.name),
            "unit": each.unit,
            "variable": each.variable,
            "changed": limit(each.name) != each.usual,
            "reason": each.reason,
        }
        for each in LIMITS.values()
    ]
