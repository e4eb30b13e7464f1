"""Can a file that was made to run code do so, by any of the three doors?"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import pruneviz as pv
from pruneviz.cli import main
from pruneviz.network.graph import ONE_AT_A_TIME
from pruneviz.sources.networks.pickles import why_not
from pruneviz.sources.upload import open_upload

MARK = "ran"


class Evil:
    """When it is unpickled a file appears."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path.touch, (self.mark,))


def bare(mark: Path) -> bytes:
    return pickle.dumps(Evil(mark))


def saved(mark: Path) -> bytes:
    held = io.BytesIO()
    torch.save({"weight": torch.ones(2, 2), "other": Evil(mark)}, held)
    return held.getvalue()


def legacy(mark: Path) -> bytes:
    held = io.BytesIO()
    torch.save({"weight": Evil(mark)}, held, _use_new_zipfile_serialization=False)
    return held.getvalue()


def handmade(mark: Path) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("archive/data.pkl", bare(mark))
        archive.writestr("archive/version", "3")
    return held.getvalue()


def arrays(mark: Path) -> bytes:
    held = io.BytesIO()
    evil = np.empty(1, dtype=object)
    evil[0] = Evil(mark)
    np.savez(held, x=evil, y=np.zeros(1))
    return held.getvalue()


WEIGHTS = [bare, saved, legacy, handmade]
SUFFIXES = ["pt", "pth", "bin", "safetensors"]
ways = pytest.mark.parametrize("make", WEIGHTS)
suffixes = pytest.mark.parametrize("suffix", SUFFIXES)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / MARK


def test_the_files_would_run_if_they_were_let(mark: Path, tmp_path: Path) -> None:
    path = tmp_path / "evil.pt"
    path.write_bytes(saved(mark))
    torch.load(path, weights_only=False)
    assert mark.exists()


@ways
@suffixes
def test_weights_do_not_run(
    make: Callable[[Path], bytes], suffix: str, mark: Path, tmp_path: Path
) -> None:
    name = f"evil.{suffix}"
    (tmp_path / name).write_bytes(make(mark))
    with pytest.raises(ValueError, match=name):
        pv.open(tmp_path / name, arch="sample:lenet5")
    shown = CliRunner().invoke(main, ["layers", str(tmp_path / name), "--arch", "sample:lenet5"])
    assert shown.exit_code == 1
    assert name in shown.stderr
    with pytest.raises(ValueError, match=name):
        open_upload(make(mark), name, "sample:lenet5")
    assert not mark.exists()


def test_data_does_not_run(mark: Path, tmp_path: Path) -> None:
    (tmp_path / "evil.npz").write_bytes(arrays(mark))
    with pytest.raises(ValueError, match=r"evil\.npz"):
        pv.open("lenet5", tmp_path / "evil.npz")
    shown = CliRunner().invoke(main, ["layers", "lenet5", "--data", str(tmp_path / "evil.npz")])
    assert shown.exit_code == 1
    assert "evil.npz" in shown.stderr
    with pytest.raises(ValueError, match=r"evil\.npz"):
        open_upload(None, "", "sample:lenet5", arrays(mark), "evil.npz")
    assert not mark.exists()


@pytest.mark.filterwarnings("ignore:.*LeafSpec.*")
@pytest.mark.parametrize("suffix", ["pt2", "pt"])
def test_what_runs_code_needs_the_flag(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"whole.{suffix}"
    model = torch.nn.Sequential(torch.nn.Linear(4, 2))
    if suffix == "pt2":
        with ONE_AT_A_TIME:
            torch.export.save(torch.export.export(model, (torch.ones(2, 4),)), path)
    else:
        torch.save(model, path)
    data = (torch.randn(10, 4), torch.arange(10) % 2)
    with pytest.raises(ValueError, match=r"whole\..* runs? code .*unsafe=True"):
        pv.open(path, data)
    with pytest.raises(ValueError, match=r"whole\..* runs? code .*unsafe=True"):
        open_upload(path.read_bytes(), path.name, "sample:lenet5")
    bench = pv.open(path, data, unsafe=True)
    assert len(bench.layer_of) == 1


@pytest.mark.parametrize("protocol", range(2, 6))
def test_every_class_that_a_pickle_names_is_told(protocol: int) -> None:
    """Newer protocols write a module's name once, and point back to it."""
    kinds = [PurePath, PurePosixPath, PureWindowsPath]
    said = why_not(pickle.dumps([kinds, *kinds], protocol), "w.bin")
    assert said.startswith("w.bin holds more than tensors (")
    assert all(f"{kind.__module__}.{kind.__qualname__}" in said for kind in kinds)
