"""Is nothing of a history lost, however many write and however they end?"""

from __future__ import annotations

import multiprocessing
import random
import signal
import threading
import time
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from pruneviz.history import History
from pruneviz.plan import Plan
from tests.history_files import MODEL, RECORD, whole

PATIENCE = 120.0
KILLS, WRITERS, WRITES = 8, 20, 10

# One process loads torch; the writers are forked from it.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.test_history_processes"])


def write(folder: Path, name: str, count: int, start: Event) -> None:
    """Visit after visit; each that was confirmed is told in a file, one byte each."""
    history = History(folder, session=name)
    parent = None
    with (folder / name).open("ab", buffering=0) as told:
        start.wait(PATIENCE)
        for k in range(count):
            parent = history.visit(MODEL, Plan(sparsity={"fc1": k / count}), parent)
            history.record_measurement(parent, RECORD)
            history.note(parent, f"{name} {k}")
            assert not history.complaint, history.complaint
            told.write(b".")


def writer(folder: Path, name: str, count: int, start: Event) -> ForkServerProcess:
    process = FORKS.Process(target=write, args=(folder, name, count, start))
    process.start()
    return process


@pytest.mark.slow
def test_twenty_processes_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    start = FORKS.Event()
    names = [f"w{k}" for k in range(WRITERS)]
    writers = [writer(tmp_path, name, WRITES, start) for name in names]  # no file is there yet
    start.set()
    for process in writers:
        process.join(PATIENCE)
        assert process.exitcode == 0
    history = History(tmp_path)
    table = history.visits()
    assert len(table) == WRITERS * WRITES
    assert (table["n"] == 10).all()
    for name, rows in table.groupby("session"):
        assert rows["note"].tolist() == [f"{name} {k}" for k in range(WRITES)]
        assert rows["parent"].tolist()[1:] == rows["id"].tolist()[:-1]
    assert len(history.models()) == 1
    assert whole(tmp_path)
    history.close()


@pytest.mark.slow
def test_what_was_confirmed_survives_a_kill_at_any_moment(tmp_path: Path) -> None:
    chance, start = random.Random(0), FORKS.Event()
    start.set()
    for k in range(KILLS):
        told = tmp_path / f"k{k}"
        process = writer(tmp_path, told.name, 100_000, start)
        end = time.monotonic() + PATIENCE
        while not (told.exists() and told.stat().st_size) and time.monotonic() < end:
            time.sleep(0.005)
        time.sleep(chance.uniform(0.0, 0.05))
        process.kill()
        process.join(PATIENCE)
        assert process.exitcode == -signal.SIGKILL
        confirmed = told.stat().st_size
        history = History(tmp_path)
        rows = history.visits(session=f"k{k}")
        assert history.complaint == ""
        # of the one being written when the end came, some part may be there
        assert 0 < confirmed <= len(rows) <= confirmed + 1
        assert rows["note"].tolist()[:confirmed] == [f"k{k} {i}" for i in range(confirmed)]
        assert (rows["n"][:confirmed] == 10).all()
        history.close()
    assert whole(tmp_path)


def test_many_threads_share_one(tmp_path: Path) -> None:
    history = History(tmp_path)

    def work(name: int) -> None:
        for k in range(30):
            number = history.visit(MODEL, Plan(sparsity={"a": k / 30}), session=str(name))
            history.record_measurement(number, RECORD)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(history.visits()) == 180
    assert history.complaint == ""
    history.close()
