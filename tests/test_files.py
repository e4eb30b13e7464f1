"""Does each file that people really have get the sentence that helps, by all three doors?"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save
from torch import nn

import pruneviz as pv
from pruneviz.cli import main
from pruneviz.sources.opening import open_upload

pytestmark = pytest.mark.filterwarnings("ignore")  # torch's, on what it made these files with


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 8), nn.ReLU())
        self.head = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(x))  # type: ignore[no-any-return]


class Options:
    """As training scripts keep beside the weights."""


def saved(held: object, *, new: bool = True) -> bytes:
    content = io.BytesIO()
    torch.save(held, content, _use_new_zipfile_serialization=new)
    return content.getvalue()


def script() -> bytes:
    content = io.BytesIO()
    torch.jit.save(torch.jit.trace(Net(), torch.ones(2, 6)), content)  # type: ignore[no-untyped-call]
    return content.getvalue()


def program() -> bytes:
    content = io.BytesIO()
    torch.export.save(torch.export.export(Net(), (torch.ones(2, 6),)), content)
    return content.getvalue()


def int8() -> nn.Module:
    return torch.ao.quantization.quantize_dynamic(Net(), {nn.Linear}, dtype=torch.qint8)  # type: ignore[no-untyped-call, no-any-return]


def prepared() -> nn.Module:
    net = Net().train()
    net.qconfig = torch.ao.quantization.get_default_qat_qconfig("x86")  # type: ignore[no-untyped-call]
    return torch.ao.quantization.prepare_qat(net)  # type: ignore[no-untyped-call, no-any-return]


def zipped(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "1")
    return content.getvalue()


def arrays() -> bytes:
    content = io.BytesIO()
    np.savez(content, x=np.zeros((4, 2)))
    return content.getvalue()


def packed(**tensors: torch.Tensor) -> Callable[[], bytes]:
    return lambda: save({name.replace("__", "."): t.clone() for name, t in tensors.items()})


INTS, BYTES = torch.ones(2, 2, dtype=torch.int32), torch.ones(4, dtype=torch.uint8)
# name -> (content, what the sentence says)
FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "whole.pt": (lambda: saved(Net()), "holds a whole network.*unsafe=True"),
    "old.pth": (lambda: saved(Net(), new=False), "holds a whole network.*unsafe=True"),
    "beside.pt": (lambda: saved({"model": Net(), "epoch": 3}), "a whole network.*unsafe=True"),
    "options.ckpt": (
        lambda: saved({"state_dict": Net().state_dict(), "args": Options()}),
        r"more than tensors \(.*Options\).*save its state_dict",
    ),
    "best.pt": (
        lambda: saved({"state_dict": Net().state_dict(), "best": np.float64(0.9)}),
        r"more than tensors \(numpy.*save its state_dict",
    ),
    "script.pt": (script, "TorchScript archive.*open the nn.Module that it was made from"),
    "program.pt2": (program, "run.* code when opened.*unsafe=True.*state_dict"),
    "int8.pt": (lambda: saved(int8().state_dict()), "quantised.*prune first"),
    "int8_whole.pt": (lambda: saved(int8()), "quantised.*prune first"),
    "qat.pt": (lambda: saved(prepared().state_dict()), "quantised.*prune first"),
    "qtensor.pt": (
        lambda: saved({"weight": torch.quantize_per_tensor(torch.ones(2, 2), 0.1, 0, torch.qint8)}),
        "quantised.*prune first",
    ),
    "gptq.safetensors": (
        packed(q__qweight=INTS, q__qzeros=INTS, q__scales=torch.ones(2), q__g_idx=INTS),
        "quantised.*GPTQ.*prune first",
    ),
    "awq.safetensors": (
        packed(q__qweight=INTS, q__qzeros=INTS, q__scales=torch.ones(2)),
        "quantised.*AWQ.*prune first",
    ),
    "bnb8.safetensors": (
        packed(q__weight=INTS.to(torch.int8), q__SCB=torch.ones(2)),
        "quantised.*bitsandbytes.*prune first",
    ),
    "bnb4.safetensors": (
        packed(q__weight=BYTES, q__weight__absmax=torch.ones(1), q__weight__quant_map=BYTES),
        "quantised.*bitsandbytes.*prune first",
    ),
    "fp8.safetensors": (
        packed(q__weight=torch.ones(2, 2).to(torch.float8_e4m3fn), q__weight_scale=torch.ones(1)),
        "quantised.*float8.*prune first",
    ),
    "hqq.pt": (lambda: saved({"q.W_q": INTS.to(torch.uint8)}), "quantised.*prune first"),
    "llama.gguf": (lambda: b"GGUF\x03\x00\x00\x00" + bytes(64), "GGUF.*prune first"),
    "named.pt": (lambda: b"GGUF\x03\x00\x00\x00" + bytes(64), "GGUF.*prune first"),
    "keras.h5": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(64), "Keras or TensorFlow.*convert"),
    "net.keras": (lambda: zipped("config.json", "model.weights.h5"), "Keras.*convert"),
    "net.tflite": (lambda: b"\x1c\x00\x00\x00TFL3" + bytes(64), "TensorFlow Lite.*convert"),
    "pointer.safetensors": (
        lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n",
        "Git LFS pointer.*git lfs pull",
    ),
    "page.bin": (lambda: b"<!DOCTYPE html><html></html>", "web page.*downloads the file"),
    "weights.npz": (arrays, "numpy arrays, which are data"),
    "packed.pt": (lambda: b"\x1f\x8b\x08" + bytes(64), "packed archive; unpack"),
    "sparse.pt": (lambda: saved({"w": torch.eye(3).to_sparse()}), "sparse.*to_dense"),
    "empty.pt": (lambda: saved({"epoch": 3}), "holds no tensors"),
    "bare.pt": (lambda: saved(torch.ones(3)), "holds a Tensor, not tensors by name"),
    "recipe.yaml": (lambda: b"model: lenet5\nplan: {}\n", "pruneviz replay"),
}
every_file = pytest.mark.parametrize("name", FILES)


@every_file
@pytest.mark.parametrize("arch", [None, "sample:lenet5"])
def test_the_library_says_what_helps(tmp_path: Path, name: str, arch: str | None) -> None:
    content, words = FILES[name]
    (tmp_path / name).write_bytes(content())
    with pytest.raises(ValueError, match=f"(?s)^{name}.*{words}") as refusal:
        pv.open(tmp_path / name, arch=arch)
    assert "\n" not in str(refusal.value)


@every_file
def test_the_command_line_says_what_helps(tmp_path: Path, name: str) -> None:
    content, words = FILES[name]
    (tmp_path / name).write_bytes(content())
    shown = CliRunner().invoke(main, ["layers", str(tmp_path / name)])
    assert shown.exit_code == 1
    assert re.search(words, shown.stderr)


@every_file
def test_an_upload_is_told_what_helps(name: str) -> None:
    content, words = FILES[name]
    for arch in ("sample:lenet5", ""):
        with pytest.raises(ValueError, match=f"(?s)^{name}.*{words}"):
            open_upload(content(), name, arch)


@pytest.mark.parametrize("held", [Net(), {"model": Net(), "optimizer": {"lr": 0.1}}])
def test_the_flag_that_is_named_opens_a_whole_network(tmp_path: Path, held: object) -> None:
    torch.save(held, tmp_path / "whole.pt")
    bench = pv.open(tmp_path / "whole.pt", torch.randn(20, 6), unsafe=True)
    assert list(bench.found) == ["body.0", "head"]


@pytest.mark.parametrize("name", ["script.pt", "llama.gguf", "keras.h5"])
def test_the_flag_does_not_open_what_no_flag_can(tmp_path: Path, name: str) -> None:
    content, words = FILES[name]
    (tmp_path / name).write_bytes(content())
    with pytest.raises(ValueError, match=words):
        pv.open(tmp_path / name, unsafe=True)
