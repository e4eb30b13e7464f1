"""Does all stay whole when its writer is killed? Run by the tests; prints what it saw.

python -m tests.killed FOLDER ROUNDS [export|replay|history]: a process writes without end, is
killed at a random moment, and what is there is looked at; ROUNDS times. export: two plans in turn
into one folder. replay: two recipes in turn, by the command line. history: visits with notes,
numbers and ledgers.
"""

import contextlib
import hashlib
import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

import pruneviz as pv
from pruneviz.cli import main as command
from pruneviz.export import FORMATS
from pruneviz.export.files import staging, sweep
from pruneviz.history import History, ModelVersion, measurement_of
from pruneviz.history.file import FILE

# The others spend most of their time before they write, or are not for this network.
QUICK = [
    name for name in FORMATS if name not in ("onnx", "onnx-int8", "pt2", "recipe", "transformers")
]
PLANS = tuple(pv.Plan("l2", "neuron", sparsity={"fc1": level}) for level in (0.3, 0.7))
Write = Callable[[int], None]


@dataclass(frozen=True)
class Killed:
    """Kills at random moments within `longest` seconds; confirmed: writes that had returned."""

    rounds: int
    longest: float

    def each(self, write: Write, look: Callable[[int], None]) -> int:
        """Kill whoever calls write(0), write(1), …, and look with the number that returned."""
        chance, confirmed = random.Random(0), 0
        for _ in range(self.rounds):
            read, told = os.pipe()
            child = os.fork()
            if not child:
                for turn in range(100_000):
                    write(turn)
                    os.write(told, b".")
                os._exit(1)
            os.close(told)
            time.sleep(chance.uniform(0, self.longest))
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            assert os.WTERMSIG(status) == signal.SIGKILL, "it ended by itself"
            with os.fdopen(read, "rb") as pipe:
                done = len(pipe.read())
            look(done)
            confirmed += done
        return confirmed


def digests(folder: Path) -> dict[str, str]:
    """Every file that has its name, and what is in it."""
    files = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def of_files(folder: Path, rounds: int, write: Callable[[int, Path], None]) -> str:
    """Kill whoever writes two plans in turn over one folder; no file may be half, or lost."""
    whole, took = [], 0.0
    for place in (0, 1):
        start = time.perf_counter()
        write(place, folder / str(place))
        took = time.perf_counter() - start
        whole.append(digests(folder / str(place)))
    aim, leftovers, mixed = folder / "aim", 0, 0
    write(0, aim)

    def look(done: int) -> None:
        nonlocal leftovers, mixed
        found = digests(aim)
        assert found.keys() == whole[0].keys(), f"lost: {whole[0].keys() - found.keys()}"
        for name, digest in found.items():
            assert digest in (whole[0][name], whole[1][name]), f"{name} is half"
        mixed += found not in whole
        leftovers += any(path.name.startswith(".") for path in aim.iterdir())

    confirmed = Killed(rounds, 3 * took).each(lambda turn: write(turn % 2, aim), look)
    for path in aim.iterdir():  # killed before its lock was there: a minute must go by
        if path.name.startswith("."):
            os.utime(path, (0, 0))
    with staging(aim):
        sweep(aim)
    assert not [path for path in aim.iterdir() if path.name.startswith(".")]
    return f"{rounds} kills, {confirmed} confirmed, {leftovers} leftovers, {mixed} mixed"


def of_exports(folder: Path, rounds: int) -> str:
    """Two plans in turn."""
    bench = pv.open("lenet5")

    def write(which: int, aim: Path) -> None:
        bench.export(PLANS[which], aim, QUICK, overwrite=True, archive=True)

    return of_files(folder, rounds, write)


def of_replays(folder: Path, rounds: int) -> str:
    """Two recipes in turn, each opened, pruned, measured, compared and exported."""
    bench = pv.open("lenet5")
    for which, plan in enumerate(PLANS):
        bench.export(plan, folder / f"recipe{which}", ["recipe"], overwrite=True)

    def write(which: int, aim: Path) -> None:
        words = ["replay", str(folder / f"recipe{which}" / "recipe.yaml"), "--out", str(aim)]
        words += [word for name in QUICK for word in ("--format", name)]
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
            try:
                command([*words, "--force"], standalone_mode=False)
            except SystemExit as end:
                assert end.code == 0, f"replay ended with {end.code}"  # noqa: PT017

    return of_files(folder, rounds, write)


def of_visits(folder: Path, rounds: int) -> str:
    """Visits with all that belongs to them; those that were confirmed must be there."""
    bench = pv.open("lenet5")
    record = measurement_of(bench.evaluate(PLANS[0]), bench.counts(PLANS[0]), bench.masks(PLANS[0]))
    cost, turns = bench.cost(PLANS[0]), iter(range(rounds))
    opened: dict[str, History] = {}
    model, name = ModelVersion("lenet5", bench.fingerprint, bench.data_fingerprint), "0"

    def write(turn: int) -> None:
        history = opened.setdefault(name, History(folder, session=name))  # after the fork
        number = history.visit(model, pv.Plan(sparsity={"fc1": turn / 100_000}))
        history.record_measurement(number, record)
        history.record_cost(number, cost)
        history.note(number, f"{name} {turn}")
        assert not history.complaint, history.complaint

    def look(done: int) -> None:
        nonlocal name
        history = History(folder)
        rows = history.visits(session=name)
        assert not history.complaint, history.complaint
        assert done <= len(rows) <= done + 1, f"{done} confirmed, {len(rows)} there"
        assert rows["note"].tolist()[:done] == [f"{name} {turn}" for turn in range(done)]
        assert (rows["n"][:done] == record.n).all()
        if done:
            last = int(rows["id"].iloc[done - 1])
            assert history.ledger_of(last) == cost
            kept = history.record_of(last)
            assert kept is not None
            assert kept.answers is not None
            assert (kept.answers == record.answers).all()
        history.close()
        file = sqlite3.connect(folder / FILE)
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        file.close()
        name = str(next(turns) + 1)

    folder.mkdir(parents=True, exist_ok=True)
    confirmed = Killed(rounds, 0.3).each(write, look)
    return f"{rounds} kills, {confirmed} visits confirmed, none lost, the file whole each time"


KINDS = {"export": of_exports, "replay": of_replays, "history": of_visits}


def main() -> None:
    """Ends with 1 where anything is half or lost."""
    torch.set_num_threads(1)
    folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
    kind = sys.argv[3] if len(sys.argv) > 3 else "export"
    print(f"{kind}: {KINDS[kind](folder, rounds)}")


if __name__ == "__main__":
    main()
