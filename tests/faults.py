"""What is done, said and left when bad luck strikes? Run by hand and by the tests; prints a table.

python -m tests.faults FOLDER [NAME...]: each fault in a process of its own. Full disks are real
ones, file systems of a few kilobytes in memory, and need root; elsewhere they are left out.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

import pruneviz as pv
from pruneviz.history import History
from pruneviz.storage.home import VARIABLE
from tests.disk_faults import (
    MODEL,
    PLAN,
    closed_home,
    damaged_checkpoint,
    full_checkpoint,
    full_export,
    full_history,
    full_scan,
    locked_history,
    lost_wal,
    refusal,
)
from tests.killed import of_exports

# One process loads torch; those of the faults are forked from it.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.faults"])


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


def _print_row(name: str, folder: Path, printed: Path, errors: Path) -> None:
    # A shell that runs this in the background has Ctrl-C ignored, and so would all commands.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with (
        printed.open("w") as out,
        errors.open("w") as err,
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            print(row(name, folder))
        except Exception:
            traceback.print_exc()
            raise SystemExit(1) from None


def alone(name: str, folder: Path) -> tuple[int | None, str]:
    """How a process ends in which this fault alone is made, and what it prints or complains of."""
    folder.mkdir(parents=True, exist_ok=True)
    printed, errors = (folder.with_name(f"{folder.name}.{end}") for end in ("out", "err"))
    process = FORKS.Process(target=_print_row, args=(name, folder, printed, errors))
    process.start()
    process.join(300)
    return process.exitcode, (errors if process.exitcode else printed).read_text("utf-8")


def main() -> None:
    """Ends with 1 where a fault lost something or said nothing."""
    folder, names = Path(sys.argv[1]).resolve(), sys.argv[2:] or [*FAULTS]
    print(
        "| what was done | what was said | what was there afterwards |\n|---|---|---|", flush=True
    )
    ends = []
    for name in names:
        code, text = alone(name, folder / name)
        print(text, end="", flush=True)
        ends.append(code)
    raise SystemExit(int(any(ends)))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
