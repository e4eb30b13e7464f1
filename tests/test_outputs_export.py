"""Does every output leave in every file, under its name?"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.measuring.runtime import onnx_names, onnx_session, run_onnx
from pruneviz.outputs import outputs
from tests.answers import heads
from tests.cases import slow_but

PLAN = pv.Plan("l2", "neuron", sparsity={"body": 0.5})
X = torch.randn(64, 8)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["output"], ["output"]),
        (["scores", "boxes"], ["scores", "boxes"]),
        (["0", "1.0"], ["output_0", "output_1_0"]),
        (["a.b", "a_b", "x"], ["a_b", "a_b_2", "x_2"]),
        (["last state", "größe"], ["last_state", "gr__e"]),
    ],
)
def test_names_in_onnx_are_identifiers_and_differ(names: list[str], expected: list[str]) -> None:
    assert onnx_names(names, ["x", "input"]) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    "container",
    slow_but(
        lambda name: name == "nested",
        ["tuple", "dict", "dataclass", "nested", "with a cache"],
    ),
)
def test_every_file_holds_every_output(container: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    network, names = heads(container)
    bench = pv.open(network, X)
    formats = ["safetensors", "shrunk", "onnx", "pt2"]
    done = bench.export(PLAN, tmp_path, formats=formats)
    assert done.failed == {}
    expected = outputs(bench.prune(PLAN).model(X[:3]))
    got = run_onnx(onnx_session(tmp_path / "model.onnx"), X[:3])
    assert list(got) == onnx_names(names, ["input"])
    program = torch.export.load(tmp_path / "model.pt2").module()
    again = outputs(program(X[:3]))
    assert list(again) == list(names)
    for name, value in zip(names, got.values(), strict=True):
        assert torch.allclose(value, expected[name], atol=1e-5)
        assert torch.allclose(again[name], expected[name], atol=1e-5)


class Odd(nn.Module):
    """Answers with one tensor twice, its input, whole numbers and a parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(8, 16), nn.Linear(16, 3)
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        logits = self.head(self.body(x).relu()) * self.scale
        best = logits.argmax(1)
        return {"logits": logits, "again": logits, "x": x, "best": best, "scale": self.scale}


@pytest.mark.slow
def test_outputs_of_odd_kinds_leave_as_well(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    bench = pv.open(Odd().eval(), X)
    assert bench.export(PLAN, tmp_path, formats=["onnx", "pt2"]).failed == {}
    got = run_onnx(onnx_session(tmp_path / "model.onnx"), X[:5])
    assert list(got) == ["logits", "again", "x", "best", "scale"]
    assert torch.equal(got["x"], X[:5])


class Broken(nn.Module):
    """Whose second output is another number each time it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(8, 16), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        scores = self.head(self.body(x).relu())
        return scores, scores + torch.rand_like(scores)


def test_the_proof_of_a_file_compares_every_output(tmp_path: Path) -> None:
    bench = pv.open(Broken().eval(), X)
    done = bench.export(pv.Plan(sparsity={"body": 0.5}), tmp_path, formats=["safetensors"])
    assert "answers otherwise" in done.failed["safetensors"]
