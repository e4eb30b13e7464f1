"""What may whoever sits in a class do?"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any

from pruneviz.training import METHODS, Training

VARIABLE = "PRUNEVIZ_CLASS"  # the rules, as the command line hands them to the app
ALWAYS = ("Learn", "Workbench", "Manual")  # pages
OTHERS = ("Sensitivity", "Criteria", "Small devices", "Train", "History", "Export")
EPOCHS, SECONDS = 20, 120


@dataclass(frozen=True)
class ClassRules:
    """What a class is about, and what it is not let to do; plain values.

    lessons: names of files without their ending, or paths. networks: registered ones. goals:
    titles. controls: the only ones in sight, None: as each lesson says. pages: that there are
    beside `ALWAYS`. upload_mb: of one file, 0: none is taken. hub: whether networks may be fetched
    from a hub. epochs, seconds: that one training may last, 0: nobody trains. samples: on
    which plans are measured, 0: all. address: at which students open it. lock: what the teacher's
    code is checked against.
    """

    title: str
    lessons: tuple[str, ...]
    networks: tuple[str, ...]
    goals: tuple[str, ...] = ()
    controls: tuple[str, ...] | None = None
    pages: tuple[str, ...] = ()
    upload_mb: int = 0
    hub: bool = False
    epochs: int = EPOCHS
    seconds: int = SECONDS
    samples: int = 0
    address: str = ""
    lock: str = ""

    def as_text(self) -> str:
        """As the app is told; `from_text` reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> ClassRules:
        """ValueError where it is not what `as_text` wrote: nobody is served without rules then."""
        try:
            values: Mapping[str, Any] = json.loads(text)
            names = {field.name for field in fields(cls)}
            return cls(**{name: _tuples(values[name]) for name in names})
        except (ValueError, TypeError, KeyError):
            raise ValueError(
                f"{VARIABLE} holds no rules of a class; start it with `pruneviz app --class …`"
            ) from None

    def allows_page(self, title: str) -> bool:
        """Whether there is a page of this title."""
        return title in (*ALWAYS, *self.pages)

    def check_network(self, name: str) -> None:
        """ValueError where a registered network is not one of this class."""
        if name not in self.networks:
            raise ValueError(
                f"{name!r} is not offered in this class; there are {', '.join(self.networks)}"
            )

    def check_upload(self) -> None:
        """ValueError where nothing is to be uploaded."""
        if not self.upload_mb:
            raise ValueError("nothing can be uploaded in this class: your teacher left it out")

    def check_training(self, training: Training) -> None:
        """ValueError where a training is longer than one may be here."""
        if not self.epochs:
            raise ValueError("nobody trains in this class: your teacher left it out")
        epochs = sum(leg.epochs for leg in METHODS[training.method].legs(training))
        if epochs > self.epochs:
            raise ValueError(
                f"this training has {epochs:,} epochs in all, and in this class one has at most "
                f"{self.epochs:,}; take fewer"
            )


def current_rules() -> ClassRules | None:
    """Those of the class that this process serves; None where it serves no class."""
    text = os.environ.get(VARIABLE, "")
    return _read(text) if text else None


@lru_cache(maxsize=4)
def _read(text: str) -> ClassRules:
    return ClassRules.from_text(text)


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
