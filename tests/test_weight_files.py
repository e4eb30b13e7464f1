"""Which files of weights are refused, and in which words?"""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from pruneviz.sources.networks.weights import read_weights
from tests.test_weights import net


class Evil:
    """What a pickle of it would do on load: write a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.write_text, (self.marker, "ran")


# -- shards ----------------------------------------------------------------------------------


def sharded(folder: Path, kind: str, weight_map: dict[str, str] | None = None) -> Path:
    state = {"a": torch.ones(2), "b": torch.zeros(3)}
    name = "model" if kind == "safetensors" else "pytorch_model"
    shards = {key: f"{name}-{i}-of-2.{kind}" for i, key in enumerate(state, 1)}
    for key, shard in shards.items():
        (save_file if kind == "safetensors" else torch.save)({key: state[key]}, folder / shard)
    index = folder / f"{name}.{kind}.index.json"
    index.write_text(json.dumps({"weight_map": weight_map or shards}))
    return index


@pytest.mark.parametrize("kind", ["safetensors", "bin"])
def test_shards_are_read_by_index_and_by_folder(tmp_path: Path, kind: str) -> None:
    index = sharded(tmp_path, kind)
    for given in (index, tmp_path):
        found = read_weights(given)
        assert sorted(found.tensors) == ["a", "b"]
        assert found.notes == ("weights came in 2 shards",)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    index = sharded(tmp_path, "safetensors")
    (tmp_path / "model-2-of-2.safetensors").unlink()
    with pytest.raises(ValueError, match=r"needs model-2-of-2.safetensors, which is missing"):
        read_weights(index)


@pytest.mark.parametrize("shard", ["../x.safetensors", "/etc/x.safetensors", "a/../../x", "C:x"])
def test_a_shard_outside_its_folder_is_refused(tmp_path: Path, shard: str) -> None:
    index = sharded(tmp_path, "safetensors", {"a": shard})
    with pytest.raises(ValueError, match="outside its own folder"):
        read_weights(index)


def test_a_promised_tensor_that_is_not_there_is_named(tmp_path: Path) -> None:
    index = sharded(tmp_path, "safetensors", {"c": "model-1-of-2.safetensors"})
    with pytest.raises(ValueError, match="promises 'c'"):
        read_weights(index)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"weight_map": 3}', "no json", "[" * 200_000], ids=range(6)
)
def test_a_broken_index_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "model.safetensors.index.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="no index of shards"):
        read_weights(path)


def test_a_folder_without_weights_or_with_too_many_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no file of weights"):
        read_weights(tmp_path)
    for name in ("a.pt", "b.pt"):
        torch.save({"w": torch.ones(1)}, tmp_path / name)
    with pytest.raises(ValueError, match=r"several files of weights, a.pt, b.pt"):
        read_weights(tmp_path)


# -- files that are not what they should be --------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"hello, I am a text file and no weights", "neither safetensors nor"),
        (b"PK\x03\x04 not really a zip", "truncated or damaged"),
        (b"\x80\x02 not really a pickle", "damaged"),
        (b"\xff\xff\xff\xff\x00\x00\x00\x00{}", "truncated"),
        (b"\x08\x00\x00\x00\x00\x00\x00\x00{nojson}", "no whole safetensors"),
        (b"\x02\x00\x00\x00\x00\x00\x00\x00{}", "holds no tensors"),
    ],
)
def test_what_is_no_weights_is_refused_by_name(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    if content[:1] == b"\x80":
        path = path.rename(tmp_path / "w.pt")
    for given in (path, content):
        with pytest.raises(ValueError, match=message) as error:
            read_weights(given, path.name)
        assert path.name in str(error.value)


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, ending: str, share: float) -> None:
    path = tmp_path / f"w.{ending}"
    state = {"w": torch.ones(5000)}
    (torch.save if ending == "pt" else save_file)(state, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    for given in (path, path.read_bytes()):
        with pytest.raises(ValueError, match=rf"w\.{ending} .*(truncated|damaged|whole)"):
            read_weights(given, path.name)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.pt: there is no such file"):
        read_weights(tmp_path / "nowhere.pt")


@pytest.mark.parametrize("held", [3, [torch.ones(1)], torch.ones(2), {"a": 1}])
def test_what_is_no_state_dict_is_refused(tmp_path: Path, held: object) -> None:
    torch.save(held, tmp_path / "w.pt")
    with pytest.raises(ValueError, match=r"w\.pt holds"):
        read_weights(tmp_path / "w.pt")


def test_few_bytes_that_claim_to_be_many_are_refused(tmp_path: Path) -> None:
    torch.save({"w": torch.ones(1).expand(10**12)}, tmp_path / "w.pt")
    with pytest.raises(ValueError, match="'w' claims 1000000000000 values"):
        read_weights(tmp_path / "w.pt")


@pytest.mark.parametrize("part", ["", "data/0"])
def test_a_compressed_file_is_refused(part: str, tmp_path: Path) -> None:
    """Also where one part of it alone is compressed."""
    torch.save({"w": torch.zeros(2**20)}, tmp_path / "w.pt")
    with (
        zipfile.ZipFile(tmp_path / "w.pt") as plain,
        zipfile.ZipFile(tmp_path / "small.pt", "w") as small,
    ):
        for entry in plain.namelist():
            kind = zipfile.ZIP_DEFLATED if entry.endswith(part) else zipfile.ZIP_STORED
            small.writestr(entry, plain.read(entry), kind)
    with pytest.raises(ValueError, match=r"small\.pt is compressed"):
        read_weights(tmp_path / "small.pt")


def test_a_sparse_tensor_is_refused_by_name(tmp_path: Path) -> None:
    torch.save({"w": torch.eye(3).to_sparse()}, tmp_path / "w.pt")
    with pytest.raises(ValueError, match="'w' is quantised, sparse"):
        read_weights(tmp_path / "w.pt")


# -- files that would run code ---------------------------------------------------------------


def evil_files(folder: Path, marker: Path) -> list[Path]:
    evil = Evil(marker)
    made = []
    for ending in ("pt", "pth", "bin", "safetensors"):
        for name, held in (("bare", evil), ("nested", {"w": torch.ones(2), "more": [evil]})):
            made.append(folder / f"{name}_zip.{ending}")
            torch.save(held, made[-1])
            made.append(folder / f"{name}_old.{ending}")
            torch.save(held, made[-1], _use_new_zipfile_serialization=False)
            made.append(folder / f"{name}_pickle.{ending}")
            made[-1].write_bytes(pickle.dumps(held))
        made.append(folder / f"handmade.{ending}")
        with zipfile.ZipFile(made[-1], "w") as archive:
            archive.writestr("archive/data.pkl", pickle.dumps({"w": evil}, protocol=2))
            archive.writestr("archive/version", "3\n")
    return made


def test_no_file_runs_code(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    folder = tmp_path / "files"
    folder.mkdir()
    for path in evil_files(folder, marker):
        for given in (path, path.read_bytes()):
            with pytest.raises(ValueError, match=r"run code|damaged") as error:
                read_weights(given, path.name)
            assert path.name in str(error.value)
            assert "\n" not in str(error.value)
            assert not marker.exists()


def test_the_evil_files_would_run_if_they_were_simply_loaded(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    path = evil_files(tmp_path, marker)[0]
    torch.load(path, weights_only=False)
    assert marker.exists()


def test_an_evil_shard_is_refused(tmp_path: Path) -> None:
    index = sharded(tmp_path, "bin")
    torch.save({"a": Evil(tmp_path / "marker")}, tmp_path / "pytorch_model-1-of-2.bin")
    with pytest.raises(ValueError, match=r"pytorch_model-1-of-2\.bin holds more than tensors"):
        read_weights(index)
    assert not (tmp_path / "marker").exists()


def test_a_whole_network_is_refused(tmp_path: Path) -> None:
    torch.save(net(), tmp_path / "whole.pt")
    with pytest.raises(ValueError, match=r"whole\.pt holds a whole network.*unsafe=True"):
        read_weights(tmp_path / "whole.pt")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_a_torchscript_archive_is_refused(tmp_path: Path) -> None:
    traced = torch.jit.trace(nn.Linear(2, 2), torch.ones(1, 2))  # type: ignore[no-untyped-call]
    torch.jit.save(traced, tmp_path / "s.pt")
    with pytest.raises(ValueError, match=r"s\.pt is a TorchScript archive"):
        read_weights(tmp_path / "s.pt")
