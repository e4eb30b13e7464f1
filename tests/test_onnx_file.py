"""Does an ONNX file become the network that it describes, or a clear refusal?"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch

import pruneviz as pv
from pruneviz.sources.networks.onnx_file import open_onnx
from tests import optional


def convolution(path: Path, batch: int | str, kind: str = "Conv") -> torch.Tensor:
    """Writes a file of one convolution of [batch, 1, 5, 5] to [batch, 2, 3, 3]; its weight."""
    onnx = pytest.importorskip("onnx")
    helper: Any = onnx.helper
    weight = torch.arange(18.0).reshape(2, 1, 3, 3)
    float32 = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node(kind, ["x", "w"], ["y"], kernel_shape=[3, 3])],
        "net",
        [helper.make_tensor_value_info("x", float32, [batch, 1, 5, 5])],
        [helper.make_tensor_value_info("y", float32, [batch, 2, 3, 3])],
        [onnx.numpy_helper.from_array(weight.numpy(), "w")],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path
    )
    return weight


def test_a_convolution_is_a_layer_with_its_weight(tmp_path: Path) -> None:
    optional.onnx2pytorch()
    weight = convolution(tmp_path / "net.onnx", "batch")
    model, spec, notes = open_onnx(tmp_path / "net.onnx")
    assert [type(m) for m in model.modules() if list(m.parameters(recurse=False))] == [
        torch.nn.Conv2d
    ]
    images = torch.randn(3, 1, 5, 5)
    torch.testing.assert_close(model(images), torch.nn.functional.conv2d(images, weight))
    assert (spec.kind, spec.channels, spec.size) == ("image", 1, (5, 5))
    assert "onnx2pytorch" in notes[0]


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    optional.onnx2pytorch()
    (tmp_path / "net.onnx").write_bytes(b"no onnx")
    with pytest.raises(ValueError, match=r"net\.onnx is no whole ONNX file"):
        open_onnx(tmp_path / "net.onnx")


def test_a_converter_that_is_missing_is_said(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    if importlib.util.find_spec("onnx2pytorch"):
        pytest.skip("onnx2pytorch is here")
    with pytest.raises(ValueError, match="onnx2pytorch is not installed: pip install"):
        open_onnx(tmp_path / "net.onnx")


def test_a_file_opens_by_its_path_and_is_pruned(tmp_path: Path) -> None:
    optional.onnx2pytorch()
    weight = convolution(tmp_path / "net.onnx", "batch")
    bench = pv.open(tmp_path / "net.onnx")
    assert bench.name == "net.onnx"
    assert bench.task.name == "closeness"
    (layer,) = bench.layer_of
    assert torch.equal(bench.weight(layer), weight)
    pruned = bench.prune(pv.Plan(sparsity={layer: 0.5}))
    assert int((~pruned.masks[layer]).sum()) == 9
    assert bench.evaluate(pv.Plan(sparsity={layer: 0.5})).accuracy < 1
