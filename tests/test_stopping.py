"""Does every command end at once, in words and leaving nothing half, when it is told to stop?"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from pruneviz.cli import main
from pruneviz.storage.home import VARIABLE
from pruneviz.training.checkpoints import trainings

ROOT = Path(__file__).parents[1]
PATIENCE = 120.0
pytestmark = pytest.mark.slow

# Each is in the middle of its work when the metric that never ends is reached.
COMMANDS = {
    "scan": "scan lenet5 --levels 0.5,0.9",
    "compare": "compare lenet5 --criteria magnitude --levels 0.5",
    "train": "train lenet5 --all 0.5 --epochs 1",
    "export": "export lenet5 --all 0.5 --out {out}",
    "replay": "replay {recipe} --out {out}",
    "report": "report lenet5 --all 0.5 --out {out}/report.html",
}


def started(words: list[str], folder: Path) -> subprocess.Popen[str]:
    """A command in a group of its own, so that what it leaves behind can be told."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "PRUNEVIZ_WAITING": str(folder / "reached"),
        VARIABLE: str(folder / "home"),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "pruneviz", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        cwd=folder,
        start_new_session=True,
    )


def wait_until(there: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + PATIENCE
    while not there() and time.monotonic() < end:
        if process.poll() is not None:
            pytest.fail(f"it ended by itself: {process.communicate()[0]}")
        time.sleep(0.01)
    assert there()


def stopped(process: subprocess.Popen[str], number: int) -> str:
    """What it says when it is sent a signal; nobody of its group may be left."""
    process.send_signal(number)
    said, _ = process.communicate(timeout=PATIENCE)
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    assert "Traceback" not in said
    return said


def left_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_in_the_middle_of_its_work(name: str, tmp_path: Path) -> None:
    out, recipe = tmp_path / "out", tmp_path / "recipe"
    out.mkdir()
    if name == "replay":
        words = ["export", "lenet5", "--all", "0.5", "--format", "recipe", "--out", str(recipe)]
        assert CliRunner().invoke(main, words).exit_code == 0
    command = COMMANDS[name].format(out=out, recipe=recipe / "recipe.yaml").split()
    extra = ["--trust"] if name == "replay" else []
    number = (signal.SIGINT, signal.SIGTERM)[len(name) % 2]
    process = started([*command, *extra, "--metric", "tests.waiting:waits"], tmp_path)
    wait_until((tmp_path / "reached").exists, process)
    said = stopped(process, number)
    assert process.returncode == 128 + number
    assert f"stopped ({number.name})" in said
    assert left_in(out) == []


def hears(process: subprocess.Popen[str], number: int) -> bool:
    """Whether the process has something to do at this signal."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells of signals")
@pytest.mark.parametrize(
    ("number", "seconds"),
    [(signal.SIGINT, 0.0), (signal.SIGTERM, 0.1), (signal.SIGTERM, 0.3), (signal.SIGINT, 1.0)],
)
def test_a_command_that_loads_its_libraries(
    number: signal.Signals, seconds: float, tmp_path: Path
) -> None:
    process = started(["compare", "lenet5"], tmp_path)
    wait_until(lambda: hears(process, signal.SIGTERM), process)
    time.sleep(seconds)
    said = stopped(process, number)
    assert process.returncode == 128 + number
    assert f"stopped ({number.name})" in said
    # A fast machine has begun to measure after two seconds.
    assert {*left_in(tmp_path / "home")} <= {"measured.sqlite3"}


@pytest.mark.usefixtures("interruptible")
def test_an_export_that_is_writing(tmp_path: Path) -> None:
    number, out = signal.SIGINT, tmp_path / "out"
    words = ["export", "resnet20", "--all", "0.5", "--format", "all", "--zip", "--out", str(out)]
    process = started(words, tmp_path)
    wait_until(lambda: any(out.glob(".pruneviz-*/*.safetensors")), process)
    stopped(process, number)
    assert process.returncode == 128 + number
    assert [*out.iterdir()] == []


@pytest.mark.usefixtures("interruptible")
def test_a_training_goes_on_from_its_last_epoch(tmp_path: Path) -> None:
    number = signal.SIGTERM
    words = ["train", "lenet300", "--all", "0.5", "--epochs", "30"]
    process = started(words, tmp_path)
    folder = tmp_path / "home" / "training"
    wait_until(lambda: any(folder.glob("*/request.json")), process)
    stopped(process, number)
    assert process.returncode == 128 + number
    (kept,) = trainings(folder)
    assert 0 < kept.done < 1
    assert {Path(name).name for name in left_in(folder)} == {
        "checkpoint.pt",
        "request.json",
        "lock",
    }


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_app_leaves_its_port(number: signal.Signals, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def serves() -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5) as answer:
                return bool(answer.read() == b"ok")
        except OSError:
            return False

    process = started(["app", "--port", str(port)], tmp_path)
    wait_until(serves, process)
    stopped(process, number)
    # Told to stop, Streamlit ends in good order, which is 0.
    assert process.returncode == (-number if number == signal.SIGKILL else 0)
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))
