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
from pruneviz.network.graph import ONE_AT_A_TIME
from pruneviz.sources.upload import open_upload

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
    with ONE_AT_A_TIME:
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
    assert list(bench.layer_of) == ["body.0", "head"]


@pytest.mark.parametrize("name", ["script.pt", "llama.gguf", "keras.h5"])
def test_the_flag_does_not_open_what_no_flag_can(tmp_path: Path, name: str) -> None:
    content, words = FILES[name]
    (tmp_path / name).write_bytes(content())
    with pytest.raises(ValueError, match=words):
        pv.open(tmp_path / name, unsafe=True)


# -- data and networks that need a word ------------------------------------------------------


class Pictures(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.conv(x).mean((2, 3)))  # type: ignore[no-any-return]


def boxed(i: int) -> dict[str, torch.Tensor]:
    return {"boxes": torch.rand(i % 3 + 1, 4), "labels": torch.ones(i % 3 + 1).long()}


class Detection(torch.utils.data.Dataset[object]):
    def __len__(self) -> int:
        return 8

    def __getitem__(self, i: int) -> object:
        return torch.rand(3, 8, 8), boxed(i)


def by_column(batch: list[object]) -> tuple[object, ...]:
    return tuple(zip(*batch, strict=True))  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize(
    "data",
    [
        (torch.rand(8, 3, 8, 8), [boxed(i) for i in range(8)]),
        (torch.rand(8, 3, 8, 8), [torch.rand(i % 3 + 1, 5) for i in range(8)]),
        (torch.rand(8, 3, 8, 8), [np.zeros((i % 3 + 1, 4)) for i in range(8)]),
        Detection(),
        torch.utils.data.DataLoader(Detection(), 4, collate_fn=by_column),
    ],
)
def test_boxes_as_targets_are_told_what_to_do(data: object) -> None:
    with pytest.raises(ValueError, match=r"targets .*boxes.*metric=.*leave the targets out"):
        pv.open(Pictures().eval(), data)


@pytest.mark.parametrize("named", [True, False])
def test_edges_of_a_graph_are_told_what_to_do(named: bool) -> None:
    x, edges = torch.rand(30, 6), torch.randint(0, 30, (2, 90))
    data = {"x": x, "edge_index": edges} if named else (x, edges)
    with pytest.raises(ValueError, match=r"\(2, 90\) are the edges of a graph.*wrap the network"):
        pv.open(Net().eval(), data)


def onnx_of(inputs: list[str], kind: str) -> bytes:
    onnx = pytest.importorskip("onnx")
    helper, real = onnx.helper, onnx.TensorProto.FLOAT
    node = helper.make_node(kind, inputs, ["y"])
    values = [helper.make_tensor_value_info(name, real, [2, 3]) for name in inputs if name]
    out = [helper.make_tensor_value_info("y", real, [2, 3])]
    graph = helper.make_graph([node], "g", values, out)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return model.SerializeToString()  # type: ignore[no-any-return]


def test_a_recurrent_state_of_any_name_is_known_by_where_it_goes(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    helper, real = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [
        helper.make_node("Identity", ["first"], ["h"]),
        helper.make_node("GRU", ["x", "w", "r", "", "", "h"], ["y", ""], hidden_size=2),
    ]
    shapes = {"x": [5, 1, 3], "w": [1, 6, 3], "r": [1, 6, 2], "first": [1, 1, 2], "y": [5, 1, 1, 2]}
    values = {n: helper.make_tensor_value_info(n, real, shape) for n, shape in shapes.items()}
    inputs = [values[name] for name in ("x", "w", "r", "first")]
    graph = helper.make_graph(nodes, "g", inputs, [values["y"]])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    (tmp_path / "gru.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ValueError, match=r"a recurrent state among them \(first\)"):
        pv.open(tmp_path / "gru.onnx")


@pytest.mark.parametrize(
    ("inputs", "kind", "words"),
    [
        (["x", "h0"], "Add", r"2 inputs \(x, h0\), a recurrent state among them \(h0\).*export"),
        (["a", "b"], "Add", r"2 inputs \(a, b\), and one is what is read; open the network"),
    ],
)
def test_onnx_files_with_several_inputs(
    tmp_path: Path, inputs: list[str], kind: str, words: str
) -> None:
    (tmp_path / "net.onnx").write_bytes(onnx_of(inputs, kind))
    with pytest.raises(ValueError, match=rf"^net\.onnx takes {words}"):
        pv.open(tmp_path / "net.onnx")
    shown = CliRunner().invoke(main, ["layers", str(tmp_path / "net.onnx")])
    assert re.search(words, shown.stderr)
    with pytest.raises(ValueError, match=r"^net\.onnx is an ONNX file.*command line or in Python"):
        open_upload((tmp_path / "net.onnx").read_bytes(), "net.onnx", "")
