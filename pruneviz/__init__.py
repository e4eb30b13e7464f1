"""See and steer neural-network pruning."""
# ruff: noqa: F405  (names from the star below)

import typing as _typing

from pruneviz import cores as _cores  # noqa: F401

if _typing.TYPE_CHECKING:
    from pruneviz.face import *  # noqa: F403

__all__ = [
    "CRITERIA",
    "Cost",
    "Counts",
    "Criterion",
    "Data",
    "Evaluation",
    "Evidence",
    "Group",
    "Groups",
    "Layer",
    "Plan",
    "Pruned",
    "Source",
    "Trained",
    "Training",
    "Workbench",
    "criterion",
    "find_groups",
    "find_layers",
    "gather",
    "open",
    "prune",
    "trace",
    "train",
]


def __getattr__(name: str) -> object:
    """A name of the face. All are loaded with the first: torch takes seconds, in which a command
    that only begins must already hear that it is told to stop.
    """
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pruneviz import face

    globals().update({each: getattr(face, each) for each in __all__})
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
