"""What is done, said and left when a disk is full, closed, locked, damaged or gone?"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

import pruneviz as pv
from pruneviz.history import History, ModelVersion
from pruneviz.history.file import FILE
from pruneviz.sensitivity.scan import scan
from pruneviz.storage.measurement_store import MeasurementStore
from pruneviz.training import Training, train
from tests.killed import digests
from tests.small import small_bench

PLAN = pv.Plan(sparsity={"0": 0.5})
MODEL = ModelVersion("net", "a" * 12, "d" * 16)
TRAINING = Training(epochs=3, batch=8)


@contextlib.contextmanager
def disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of this size; PermissionError where one cannot be made."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(words, capture_output=True).returncode:
        raise PermissionError("only root makes a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Not one byte is left."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(1024)):
            pass
    return path


def sound(folder: Path) -> bool:
    """Whether SQLite finds nothing wrong with the history there."""
    file = sqlite3.connect(folder / FILE)
    try:
        return bool(file.execute("PRAGMA integrity_check").fetchone() == ("ok",))
    finally:
        file.close()


def refusal(act: Callable[[], object], kind: type[Exception] = ValueError) -> str:
    """The sentence with which it refuses."""
    try:
        act()
    except kind as error:
        if "\n" not in str(error):
            return str(error)
        raise
    raise AssertionError("it was not refused")


def full_history(folder: Path) -> tuple[str, str]:
    """disk full in history"""
    with disk(folder, 200) as place:
        history, confirmed = History(place), 0
        while not history.complaint:
            history.visit(MODEL, pv.Plan(sparsity={f"l{k}": confirmed / 1000 for k in range(20)}))
            confirmed += not history.complaint
        assert len(history.visits()) == confirmed + 1, "what went in, and what did not, in memory"
        said = history.complaint
        history.close()
        again = History(place)
        there = len(again.visits())
        again.close()
        assert there == confirmed
        assert sound(place)
    return said, f"all {confirmed} confirmed visits in the file, which is sound; one in memory"


def full_scan(folder: Path) -> tuple[str, str]:
    """disk full in a scan"""
    with disk(folder, 64) as place:
        memory = MeasurementStore(place)
        fill(place)
        bench = small_bench()
        curves = scan(bench, PLAN, memory)
        said = memory.complaint
        assert said
        memory.close()
        assert curves.curves == scan(bench, PLAN, MeasurementStore(None)).curves
    return said, "the scan ended with the same numbers"


def full_checkpoint(folder: Path) -> tuple[str, str]:
    """disk full at a checkpoint"""
    with disk(folder, 512) as place:

        def progress(label: str, done: float) -> None:
            if done >= 0.5 and not (place / "filler").exists():
                fill(place)

        bench = small_bench()
        trained = train(bench, PLAN, TRAINING, place, progress=progress)
        (said,) = (note for note in trained.notes if "checkpoint" in note)
        (place / "filler").unlink()
        assert [*place.glob("*/.*")] == []
        steps: list[float] = []
        train(bench, PLAN, TRAINING, place, progress=lambda label, done: steps.append(done))
        assert steps[0] > 0.2, "it went on from the checkpoint before"
    return said, "trained to the end; the checkpoint before is whole, and training goes on from it"


def full_export(folder: Path) -> tuple[str, str]:
    """disk full in an export over an older one"""
    bench = pv.open("lenet5")
    with disk(folder, 1024) as place:
        bench.export(pv.Plan(sparsity={"fc1": 0.5}), place / "out", ["safetensors"])
        before = digests(place / "out")
        fill(place)
        other = pv.Plan(sparsity={"fc1": 0.9})
        said = refusal(
            lambda: bench.export(other, place / "out", ["safetensors"], overwrite=True), OSError
        )
        assert digests(place / "out") == before
        assert [path for path in (place / "out").iterdir() if path.name.startswith(".")] == []
    return said, "the older export, every byte, and nothing else"


def closed_home(folder: Path) -> tuple[str, str]:
    """home that is read only"""
    with disk(folder, 64) as place:
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        history, memory = History(place), MeasurementStore(place)
        number = history.visit(MODEL, PLAN)
        memory.put("key", "value")
        assert history.plan_of(number) == PLAN
        assert memory.get("key") == "value"
        assert memory.complaint
        refusal(lambda: train(small_bench(), PLAN, TRAINING, place))
        assert [*place.iterdir()] == []
    return history.complaint, "history and measurements in memory; a training is refused in words"


def locked_history(folder: Path) -> tuple[str, str]:
    """history locked by another process that never lets go"""
    first = History(folder, patience=0.2)
    first.visit(MODEL, PLAN)
    other = sqlite3.connect(folder / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    first.visit(MODEL, pv.Plan())
    assert len(first.visits()) == 2
    other.close()
    assert len(History(folder).visits()) == 1
    return first.complaint, "the confirmed visit in the file; both in memory"


def lost_wal(folder: Path) -> tuple[str, str]:
    """-wal file deleted while the history is open"""
    history = History(folder)
    for k in range(20):
        history.visit(MODEL, pv.Plan(sparsity={"a": k / 20}))
    (folder / f"{FILE}-wal").unlink()
    for k in range(20):
        history.visit(MODEL, pv.Plan(sparsity={"b": k / 20}))
    seen, said = len(history.visits()), history.complaint
    file = sqlite3.connect(folder / FILE)  # while the other is open: as after a kill
    assert file.execute("SELECT count(*) FROM visits").fetchone() == (40,)
    file.close()
    history.close()
    again = History(folder)
    assert seen == 40
    assert said
    assert len(again.visits()) == seen
    assert sound(folder)
    return said, f"all {seen} visits, in a sound file"


def damaged_checkpoint(folder: Path) -> tuple[str, str]:
    """checkpoint cut short, and with a bit flipped at 40 places"""
    bench = small_bench()
    before = train(bench, PLAN, TRAINING, folder)
    (file,) = folder.glob("*/checkpoint.pt")
    content, refused = file.read_bytes(), 0
    file.write_bytes(content[: len(content) // 2])
    said = refusal(lambda: train(bench, PLAN, TRAINING, folder))
    for place in range(0, len(content), len(content) // 40):
        damaged = bytearray(content)
        damaged[place] ^= 1
        file.write_bytes(damaged)
        try:
            again = train(bench, PLAN, TRAINING, folder)
        except ValueError as error:
            assert "cannot be read" in str(error)  # noqa: PT017
            refused += 1
        else:  # the bit fell where nothing is stored
            state = again.model.state_dict().items()
            assert all(torch.equal(t, before.model.state_dict()[name]) for name, t in state)
    return said.replace(str(folder), "…"), f"{refused} refused, the others equal bit by bit"
