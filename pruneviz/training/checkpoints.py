"""What of a training outlives the process?"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZipFile

import torch

from pruneviz.plan import Plan
from pruneviz.training.live_removal import remove_again
from pruneviz.training.mask_set import MaskSet
from pruneviz.training.optimizers import Schedule, optimizer_for
from pruneviz.training.run import EpochRow, Event, Run
from pruneviz.training.settings import Training

try:
    import fcntl
except ImportError:  # Windows: two processes at one training are not told apart there
    fcntl = None  # type: ignore[assignment]

FORMAT = 1
_FILE, _REQUEST, _LOCK = "checkpoint.pt", "request.json", "lock"
_TRIES = 5


@dataclass(frozen=True)
class StoredTraining:
    """A training that is on disk. done: 0..1; model: its name; changed: seconds since 1970."""

    folder: Path
    model: str
    plan: Plan
    training: Training
    done: float
    changed: float


class Store:
    """The folder of one training: its request and its last checkpoint, written whole or not at all.

    path: None keeps nothing. complaint: why the last checkpoint could not be written, or "".
    """

    def __init__(self, path: Path | None) -> None:
        self.path, self.complaint = path, ""

    def read(self) -> dict[str, Any] | None:
        """The last checkpoint; None where there is none. ValueError names a damaged file."""
        file = None if self.path is None else self.path / _FILE
        if file is None or not file.exists():
            return None
        try:
            # torch does not look at the checksums: a bit that flipped would be a weight's.
            with ZipFile(file) as archive:
                damaged = archive.testzip()
            if damaged is not None:
                raise ValueError(f"{damaged} in it is damaged")
            content: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
            if content["format"] != FORMAT:
                raise ValueError(f"format {content['format']}, not {FORMAT}")
        except Exception as error:  # zip, pickle and torch raise their own kinds
            raise ValueError(
                f"the checkpoint {file} cannot be read ({error}); "
                "delete its folder, or train afresh"
            ) from None
        return content

    def write(self, run: Run, schedule: Schedule) -> None:
        """Keep the run as it is at the end of an epoch; what goes wrong becomes the complaint."""
        if self.path is None:
            return
        content = _content(run, schedule)
        done = sum(leg.epochs for leg in run.legs[: run.leg]) + run.epoch
        request = {
            "format": FORMAT,
            "model": run.bench.source.name,
            "plan": run.plan.as_dict(),
            "training": run.training.as_dict(),
            "done": done / sum(leg.epochs for leg in run.legs),
        }
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with whole_file(self.path / _FILE) as place:
                torch.save(content, place)
            with whole_file(self.path / _REQUEST) as place:
                place.write_text(json.dumps(request), encoding="utf-8")
            self.complaint = ""
        except (OSError, RuntimeError) as error:
            # torch's writer has words of its own for a write that failed.
            why = error if isinstance(error, OSError) else "no room is left on the disk"
            self.complaint = (
                f"the checkpoint of {run.here.name!r}, epoch {run.epoch}, could not be written to "
                f"{self.path} ({why}); training goes on, but could not be resumed from here"
            )


def _content(run: Run, schedule: Schedule) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "leg": run.leg,
        "epoch": run.epoch,
        "step": run.step,
        "network": run.weights,
        "optimizer": run.optimizer.state_dict(),
        "schedule": schedule.state_dict(),
        "held": asdict(run.masks),
        "ticket": None if run.ticket is None else [run.ticket[0], asdict(run.ticket[1])],
        "rows": [asdict(row) for row in run.rows],
        "events": [asdict(event) for event in run.events],
        "saved": run.saved,
        "removed": run.removed,
        "memory": run.memory,
        "chance": run.chance.states,
        "notes": run.notes,
    }


def put_back(run: Run, content: dict[str, Any]) -> None:
    """Bring a run that has just begun to where its checkpoint was written."""
    for masks in content["removed"]:
        remove_again(run, masks)
    run.load(content["network"])
    run.leg, run.epoch, run.step = content["leg"], content["epoch"], content["step"]
    run.optimizer = optimizer_for(run.network, run.training)
    run.optimizer.load_state_dict(content["optimizer"])
    run.masks = MaskSet(**content["held"])
    ticket = content["ticket"]
    run.ticket = None if ticket is None else (ticket[0], MaskSet(**ticket[1]))
    run.rows = [EpochRow(**row) for row in content["rows"]]
    run.events = [Event(**event) for event in content["events"]]
    run.saved, run.memory = content["saved"], content["memory"]
    run.notes, run.chance.states = content["notes"], content["chance"]


def trainings(folder: Path) -> list[StoredTraining]:
    """What is kept in a folder of trainings, the latest first; what cannot be read is left out."""
    entries = []
    for file in folder.glob(f"*/{_REQUEST}"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            says = json.loads(file.read_text(encoding="utf-8"))
            plan, training = Plan.from_dict(says["plan"]), Training.from_dict(says["training"])
            changed = file.stat().st_mtime
            entries.append(
                StoredTraining(file.parent, says["model"], plan, training, says["done"], changed)
            )
    return sorted(entries, key=lambda kept: kept.changed, reverse=True)


def in_use(folder: Path) -> bool:
    """Whether somebody trains in this folder at this moment, as far as that can be told."""
    file = folder / _LOCK
    if fcntl is None or not file.exists():
        return False
    with file.open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


@contextlib.contextmanager
def place_for(folder: Path | None, key: str) -> Iterator[Path | None]:
    """The folder of one training, for this process alone as long as it is entered.

    Another that trains the very same at this moment has its own: KEY-2 and so on. ValueError where
    nothing can be written.
    """
    if folder is None:
        yield None
        return
    number = 1
    while True:
        path = folder / (key if number == 1 else f"{key}-{number}")
        try:
            path.mkdir(parents=True, exist_ok=True)
            lock = (path / _LOCK).open("wb")
        except OSError as error:
            raise ValueError(f"trainings cannot be kept in {folder}: {error}") from None
        with lock:
            if _lock(lock):
                yield path
                return
        number += 1


def _lock(lock: BinaryIO) -> bool:
    """Whether the lock could be taken. It is asked for more than once: `in_use` holds it for an
    instant.
    """
    if fcntl is None:
        return True
    for _ in range(_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            time.sleep(0.01)
    return False


@contextlib.contextmanager
def whole_file(file: Path) -> Iterator[Path]:
    """A place to write to that becomes `file` when all has been written."""
    place = file.with_name(f".{file.name}.{os.getpid()}.{time.monotonic_ns()}")
    try:
        yield place
        with place.open("rb") as file_on_disk:
            os.fsync(file_on_disk.fileno())
        place.replace(file)
    finally:
        place.unlink(missing_ok=True)
