"""Do exported files come whole or not at all, whatever happens to the disk or the process?"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import pruneviz as pv
from pruneviz.background import CancelledError
from pruneviz.export.files import disk_trouble, staging
from pruneviz.workbench import Workbench

TOP = Path(__file__).parents[1]
HALF = pv.Plan(sparsity={"fc1": 0.5})
CLOSED_DISK = """
import os, resource, sys
from pathlib import Path
import pruneviz as pv
kind, folder = sys.argv[1], Path(sys.argv[2])
bench, plan = pv.open("lenet300"), pv.Plan(sparsity={"fc1": 0.5})
bench.export(plan, folder, ["masks"])
before = {path: path.read_bytes() for path in folder.iterdir()}
if kind == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
else:
    folder.chmod(0o555)
    if not os.geteuid():
        os.seteuid(65534)
for formats in (["masks", "safetensors"], ["state_dict"], ["onnx"]):
    try:
        bench.export(plan, folder, formats, overwrite=True)
    except OSError as error:
        print(error)
    else:
        raise SystemExit("it was written")
if not os.getuid():
    os.seteuid(0)
assert {path: path.read_bytes() for path in folder.iterdir()} == before
"""


@pytest.fixture
def bench(benches: Callable[[str], Workbench]) -> Workbench:
    return benches("lenet5")


def python(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=TOP, check=False)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills children that were forked")
@pytest.mark.parametrize(("kind", "rounds"), [("export", 20), ("replay", 3)])
def test_kills_leave_nothing_half_and_lose_nothing(tmp_path: Path, kind: str, rounds: int) -> None:
    ran = python("-m", "tests.killed", str(tmp_path), str(rounds), kind)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(f"{kind}: {rounds} kills")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "words"), [("full", "no room is left for files in "), ("closed", "nothing may be wri")]
)
def test_a_disk_that_takes_nothing_is_named_and_what_was_there_stays(
    tmp_path: Path, kind: str, words: str
) -> None:
    pytest.importorskip("resource")
    pytest.importorskip("onnxruntime")
    tmp_path.chmod(0o755)
    ran = python("-c", CLOSED_DISK, kind, str(tmp_path / "out"))
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert len(lines) == 3
    assert all(line.startswith(words) for line in lines)


def test_files_are_not_written_over_unless_it_is_said(bench: Workbench, tmp_path: Path) -> None:
    bench.export(HALF, tmp_path, ["masks"])
    before = (tmp_path / "masks.safetensors").read_bytes()
    with pytest.raises(FileExistsError, match=r"masks.safetensors, export.json are in .*--force"):
        bench.export(pv.Plan(sparsity={"fc1": 0.9}), tmp_path, ["masks", "recipe"])
    assert (tmp_path / "masks.safetensors").read_bytes() == before
    bench.export(pv.Plan(sparsity={"fc1": 0.9}), tmp_path, ["masks"], overwrite=True)
    assert (tmp_path / "masks.safetensors").read_bytes() != before


def test_a_folder_in_a_files_place_is_left_alone(bench: Workbench, tmp_path: Path) -> None:
    (tmp_path / "masks.safetensors").mkdir()
    with pytest.raises(FileExistsError, match="is a folder; a file is to stand there"):
        bench.export(HALF, tmp_path, ["masks"], overwrite=True)


def test_a_file_in_the_folders_place_is_named(bench: Workbench, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OSError, match="is no folder, or lies in a file; choose another"):
            bench.export(HALF, folder, ["masks"])
    assert (tmp_path / "file").read_text() == "mine"


def test_an_export_that_is_stopped_leaves_nothing(bench: Workbench, tmp_path: Path) -> None:
    seen = []

    def stop(label: str, done: float) -> None:
        seen.append(done)
        if label == "Masks alone":
            raise CancelledError

    with pytest.raises(CancelledError):
        bench.export(HALF, tmp_path, ["state_dict", "masks"], stop)
    assert seen == sorted(seen)
    assert not list(tmp_path.iterdir())


def test_what_progress_raises_within_a_format_is_no_reason_of_the_formats(
    bench: Workbench, tmp_path: Path
) -> None:
    def stop(label: str, done: float) -> None:
        if done == 0.5:
            raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        bench.export(HALF, tmp_path, ["masks"], stop)
    assert not list(tmp_path.iterdir())


def test_the_same_plan_gives_the_same_bytes(bench: Workbench, tmp_path: Path) -> None:
    formats = ["safetensors", "state_dict", "sparse", "masks"]
    for place in "ab":
        bench.export(HALF, tmp_path / place, formats, archive=True)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(names) >= len(formats) + 1  # a reader beside some, and the archive
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    with zipfile.ZipFile(tmp_path / "a" / "lenet5.zip") as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            assert archive.read(name) == (tmp_path / "a" / name).read_bytes()


def test_what_another_process_makes_ready_is_not_swept_away(tmp_path: Path) -> None:
    with staging(tmp_path) as mine:
        (mine / "half").write_text("…")
        with staging(tmp_path) as other:
            assert other != mine
        assert (mine / "half").exists()
    assert not list(tmp_path.iterdir())


def test_what_was_left_behind_is_swept_away(tmp_path: Path) -> None:
    (tmp_path / ".pruneviz-dead").mkdir()
    (tmp_path / ".pruneviz-dead" / "lock").touch()
    (tmp_path / ".pruneviz-dead" / "half").write_text("…")
    (tmp_path / ".pruneviz-young").mkdir()  # about to take its lock
    (tmp_path / "mine").touch()
    with staging(tmp_path):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {".pruneviz-young", "mine"}


def test_other_errors_are_no_trouble_of_the_disk(tmp_path: Path) -> None:
    assert disk_trouble(ValueError("no"), tmp_path) is None
    assert disk_trouble(None, tmp_path) is None
