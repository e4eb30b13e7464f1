"""What is done, said and left when bad luck strikes? Run by hand and by the tests; prints a table.

python -m tests.faults FOLDER [NAME...]: each fault in a process of its own. Full disks are real
ones, file systems of a few kilobytes in memory, and need root; elsewhere they are left out.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

import pruneviz as pv
from pruneviz.history import History, ModelVersion
from pruneviz.history.file import FILE
from pruneviz.sensitivity.scan import scan
from pruneviz.storage.home import VARIABLE
from pruneviz.storage.measurement_store import MeasurementStore
from pruneviz.training import Training, train
from tests.killed import digests, of_exports
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


def clock_back(folder: Path) -> tuple[str, str]:
    """clock that jumps back by a year between visits"""
    history, real, parent = History(folder), time.time, None
    try:
        for k in range(6):
            time.time = lambda k=k: real() - 31_536_000 * k  # type: ignore[misc]
            parent = history.visit(MODEL, pv.Plan(sparsity={"a": k / 10}), parent)
    finally:
        time.time = real
    rows = history.visits()
    assert rows["parent"].tolist()[1:] == rows["id"].tolist()[:-1]
    assert not history.complaint
    assert len(history.tree()) == 6
    return "nothing", "6 visits in the order in which they were made, each below the one before"


class Calls:
    """Raises from its nth call on."""

    def __init__(self, n: int) -> None:
        self.left = n

    def __call__(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyError("no such column")


def metric_raises(folder: Path) -> tuple[str, str]:
    """metric that raises half-way"""
    calls = Calls(10_000)

    def metric(outputs: Tensor, targets: Tensor) -> Tensor:
        calls()
        return (outputs.argmax(1) == targets).float()

    # Small answers are judged together; of these, no two blocks are.
    inputs, classes = torch.randn(500, 8), 8192
    bench = pv.open(
        nn.Sequential(nn.Linear(8, classes)), (inputs, inputs[:, :3].argmax(1)), metric=metric
    )
    bench.evaluate(PLAN, 64)
    calls.left = 2
    said = refusal(lambda: bench.evaluate(PLAN))
    calls.left = 10_000
    assert bench.evaluate(PLAN).n == bench.evaluate(pv.Plan()).n
    return said, "what was measured before; asked again, it is measured to the end"


class Broken(Dataset[tuple[Tensor, int]]):
    """A data set that cannot be read to its end."""

    def __len__(self) -> int:
        return 100

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        if place == 50:
            raise OSError("cannot read picture 50")
        return torch.randn(8), place % 3


def loader_raises(folder: Path) -> tuple[str, str]:
    """loader that raises half-way"""
    loader = DataLoader(Broken(), batch_size=10)
    said = refusal(lambda: pv.open(nn.Sequential(nn.Linear(8, 3)), loader), Exception)
    return said, "nothing was opened"


class Wide(nn.Module):
    """Needs 16 MB for each sample while it answers."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        wide = x.new_ones(len(x), 4_000_000)
        answers: Tensor = self.fc(x) * wide[:, :1]
        return answers


def little_memory(folder: Path) -> tuple[str, str]:
    """memory for a few samples at once"""
    inputs = torch.randn(300, 8)
    bench = pv.open(Wide(), (inputs, inputs[:, :3].argmax(1)))
    plan = pv.Plan(sparsity={"fc": 0.5})
    whole, other = bench.evaluate(plan), pv.Workbench(bench.source)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + 400_000_000
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    other._evaluation_cache.block = other._evaluation_cache.room.size = (
        64  # it begins with few, being so wide
    )
    found = other.evaluate(plan)
    (said,) = (note for note in other.notes if "memory" in note)
    assert torch.equal(found.predicted, whole.predicted)
    return said, f"all {found.n} samples measured, with the answers of whole blocks"


class Nothing(nn.Module):
    """No number comes out for every third sample."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        answers: Tensor = self.fc(x)
        return torch.where((x[:, :1] > 1), float("nan"), answers)


def nan_forward(folder: Path) -> tuple[str, str]:
    """forward that returns NaN for some samples"""
    inputs = torch.randn(300, 8)
    bench = pv.open(Nothing(), (inputs, inputs[:, :3].argmax(1)))
    found = bench.evaluate(pv.Plan(sparsity={"fc": 0.5}))
    assert found.broken > 0
    assert found.accuracy <= 1 - found.broken / found.n
    return found.words, "they count as wrong; the loss is infinite"


def _command(folder: Path, *words: str) -> subprocess.Popen[str]:
    """A command of the terminal that waits in the middle of its work, once it is reached."""
    reached = folder / "reached"
    told = {"PRUNEVIZ_WAITING": str(reached), VARIABLE: str(folder / "home")}
    command = [sys.executable, "-m", "pruneviz", *words, "--metric", "tests.waiting:waits"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, **told}, start_new_session=True,
    )  # fmt: skip
    while not reached.exists():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
    return process


def stopped_command(folder: Path) -> tuple[str, str]:
    """Ctrl-C, and SIGTERM, in the middle of an export of the command line"""
    folder.mkdir(parents=True, exist_ok=True)
    said = ""
    for number in (signal.SIGTERM, signal.SIGINT):
        out = folder / number.name
        process = _command(folder, "export", "lenet5", "--all", "0.5", "--out", str(out))
        process.send_signal(number)
        said = process.communicate()[0].strip().splitlines()[-1]
        assert process.returncode == 128 + number
        assert not out.exists() or [*out.iterdir()] == []
        (folder / "reached").unlink()
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            continue
        raise AssertionError("something of it goes on")
    return said, "exit codes 130 and 143; no file, no process"


def killed_export(folder: Path) -> tuple[str, str]:
    """kill -9 in the middle of an export over an older one, five times"""
    of_exports(folder, 5)
    return (
        "nothing",
        "each file whole, of the older export or the new one; the next clears the rest",
    )


FAULTS: dict[str, Callable[[Path], tuple[str, str]]] = {
    act.__name__: act
    for act in (
        full_history,
        full_scan,
        full_checkpoint,
        full_export,
        closed_home,
        locked_history,
        lost_wal,
        damaged_checkpoint,
        clock_back,
        metric_raises,
        loader_raises,
        little_memory,
        nan_forward,
        stopped_command,
        killed_export,
    )
}


def row(name: str, folder: Path) -> str:
    """One line of the table; what went wrong with the fault itself raises."""
    said, there = FAULTS[name](folder)
    said = said.replace(str(folder), "…").replace("|", "/")
    return f"| {FAULTS[name].__doc__} | {said} | {there} |"


def main() -> None:
    """Ends with 1 where a fault lost something or said nothing."""
    # A shell that runs this in the background has Ctrl-C ignored, and so would all commands.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder, names = Path(sys.argv[1]).resolve(), sys.argv[2:] or [*FAULTS]
    torch.set_num_threads(1)
    if len(names) == 1:
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(0)
        print(row(names[0], folder))
        return
    print(
        "| what was done | what was said | what was there afterwards |\n|---|---|---|", flush=True
    )
    ends = [
        subprocess.run([sys.executable, "-m", "tests.faults", str(folder / name), name]).returncode
        for name in names
    ]
    raise SystemExit(int(any(ends)))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
