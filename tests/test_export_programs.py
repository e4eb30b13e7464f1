"""Do ONNX and torch.export take what people write, and say what they cannot?"""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.data import Inputs
from pruneviz.export import ExportResult
from pruneviz.measuring.reasons import reason
from pruneviz.measuring.runtime import write_onnx
from pruneviz.recipes import recipe_of
from pruneviz.recipes.replay import replay
from tests.cases import slow_but

FORMATS = ("onnx", "pt2")
SIZE = (40, 4)
NAMES = ("cat", "input", "lambda", "add", "output", "relu", "x", "len", "linear", "T")


class Named(nn.Module):
    """Inputs called as the case likes, and operators of those names."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.head = nn.Linear(4 * len(NAMES), 8), nn.Linear(8, 3)

    def forward(self, **given: Tensor) -> Tensor:
        answer: Tensor = self.head(self.hidden(torch.cat([*given.values()], 1)).add(1).relu())
        return answer


class Counting(nn.Module):
    """Makes a Python number of its batch."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.hidden, self.head = kind, nn.Linear(4, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = self.hidden(x).relu()
        if self.kind == "loop":
            return torch.stack([self.head(h[i]) for i in range(len(x))])
        return self.head(h) + torch.zeros(len(x), 1)  # type: ignore[no-any-return]


def exported(
    model: nn.Module, inputs: Inputs, folder: Path, sparsity: dict[str, float], *names: str
) -> ExportResult:
    bench = pv.open(model.eval(), pv.Data(inputs))
    plan = pv.Plan("l2", "neuron", sparsity=sparsity)
    return bench.export(plan, folder, names or FORMATS)


@pytest.mark.slow
def test_inputs_may_be_called_like_functions_and_words_of_python(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    inputs = {name: torch.randn(SIZE) for name in NAMES}
    found = exported(Named(), inputs, tmp_path, {"hidden": 0.5})
    assert found.failed == {}
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    assert [node.name for node in session.get_inputs()] == list(NAMES)
    assert all(node.shape == ["batch", 4] for node in session.get_inputs())
    assert session.get_outputs()[0].shape[0] == "batch"


@pytest.mark.slow
@pytest.mark.parametrize("kind", slow_but(lambda kind: kind == "loop", ["length", "loop"]))
def test_code_that_fixes_the_batch_leaves_in_batches_of_one_and_says_why(
    kind: str, tmp_path: Path
) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    formats = (*FORMATS, *(("onnx-int8",) if kind == "loop" else ()))
    found = exported(Counting(kind), torch.randn(SIZE), tmp_path, {"hidden": 0.5}, *formats)
    assert set(found.failed) == {*formats} - {*FORMATS}
    assert all("len(x)" in words for words in found.failed.values())
    words = {one.format: one.words for one in found.written}
    fixed = [name for name in FORMATS if "one sample at a time" in words[name]]
    assert "pt2" in fixed
    assert all("len(x)" in words[name] for name in fixed)
    shape = onnxruntime.InferenceSession(str(tmp_path / "model.onnx")).get_inputs()[0].shape
    assert shape[0] == (1 if "onnx" in fixed else "batch")
    assert "onnx" in fixed or kind == "length"


@pytest.mark.slow
def test_a_batch_that_the_exporter_baked_in_is_found_by_the_second_and_falls_back_to_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")

    def baking(network: nn.Module, example: Inputs, path: Path, *, any_batch: bool = False) -> None:
        write_onnx(network, example, path)

    monkeypatch.setattr("pruneviz.export.programs.write_onnx", baking)
    found = exported(Counting("length"), torch.randn(SIZE), tmp_path, {}, "onnx")
    assert found.failed == {}
    words = next(one.words for one in found.written if one.format == "onnx")
    assert "one sample at a time: in batches of two sizes:" in words
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    assert session.get_inputs()[0].shape[0] == 1


@pytest.mark.slow
def test_weights_that_are_many_lie_beside_the_graph_and_come_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the folder and the zip, with their bytes and their SHA-256; the 8-bit file needs none."""
    onnxruntime = pytest.importorskip("onnxruntime")
    monkeypatch.setattr("pruneviz.measuring.runtime._BESIDE", 2**10)
    model = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 3)).eval()
    bench = pv.open(model, torch.randn(SIZE))
    plan = pv.Plan("l2", "neuron", sparsity={"0": 0.5})
    formats = ("onnx-int8", "onnx")
    found = bench.export(plan, tmp_path, formats, archive=True)
    assert found.failed == {}
    files = {one.format: one.files for one in found.written}
    assert files == {
        "onnx": ("model.onnx", "model.onnx.data"),
        "onnx-int8": ("model-int8.onnx",),
    }
    sizes = [(tmp_path / name).stat().st_size for name in files["onnx"]]
    assert next(one.bytes for one in found.written if one.format == "onnx") == sum(sizes)
    summary = json.loads((tmp_path / "export.json").read_text("utf-8"))
    digests = next(one["sha256"] for one in summary["formats"] if one["format"] == "onnx")
    assert list(digests) == list(files["onnx"])
    ZipFile(tmp_path / str(found.archive)).extractall(tmp_path / "else")
    inputs = bench.source.validation.inputs[:3]
    for folder in (tmp_path, tmp_path / "else"):
        session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
        (got,) = session.run(None, {"input": inputs.numpy()})
        torch.testing.assert_close(torch.from_numpy(got), bench.prune(plan).model(inputs))
    with pytest.raises(FileExistsError, match=r"model\.onnx"):
        bench.export(plan, tmp_path, ["onnx"])


class Branching(nn.Module):
    """Decides by its numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.head = nn.Linear(4, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(self.hidden(x).relu())
        return y + 1 if float(x.detach().sum()) > 0 else y


@pytest.mark.slow
def test_nothing_is_printed_and_the_line_at_fault_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("onnxruntime")
    bench = pv.open(Branching().eval(), torch.randn(SIZE))
    found = bench.export(pv.Plan(sparsity={"hidden": 0.5}), tmp_path, FORMATS)
    assert set(found.failed) == set(FORMATS)
    for words in found.failed.values():
        assert "return y + 1 if float(x.detach().sum()) > 0 else y" in words
        assert "test_export_programs.py" in words
    assert bench.graph_cache.graph_or_none() is None
    out, err = capfd.readouterr()
    assert out == ""
    assert err == ""
    assert not [record for record in caplog.records if record.levelname != "DEBUG"]


@pytest.mark.slow
def test_what_the_runtime_has_no_kernel_for_is_advised_to_float32(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    model = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 3)).bfloat16()
    found = exported(model, torch.randn(SIZE), tmp_path, {"0": 0.5})
    assert set(found.failed) == {"onnx"}
    assert "network.float()" in found.failed["onnx"]


@pytest.mark.slow
def test_half_precisions_own_rounding_is_no_failure(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    model = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 3)).half()
    found = exported(model, torch.randn(SIZE), tmp_path, {"0": 0.5}, *FORMATS, "safetensors")
    assert found.failed == {}


def test_errors_keep_their_useful_part() -> None:
    long = "What it was. " + "x" * 100 + " and so on " * 40
    assert reason(RuntimeError(long)).endswith(" …")
    assert len(reason(RuntimeError(long))) <= 402
    assert (
        reason(RuntimeError("one\n  two\nFor more information, run with TORCH_LOGS=x")) == "one two"
    )


class Wide(nn.Module):
    """Knows a width by heart."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.head = nn.Linear(4, 8), nn.Linear(8, 6), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.head(self.two(self.one(x).reshape(-1, 8).relu()).relu())
        return answer


def test_units_that_stay_masked_are_named_in_the_summary_and_in_replay(tmp_path: Path) -> None:
    bench = pv.open(Wide().eval(), torch.randn(SIZE))
    plan = pv.Plan("l2", "neuron", sparsity={"one": 0.5, "two": 0.5})
    found = bench.export(plan, tmp_path, ["shrunk"])
    assert [note for note in found.notes if "4 of 8 units of 'one' stay" in note]
    assert "'one'" in (tmp_path / "export.json").read_text("utf-8")
    again = replay(recipe_of(bench, plan, bench.evaluate(plan)), bench)
    assert [note for note in again.notes if "4 of 8 units of 'one' stay" in note]
    assert not [note for note in found.notes if "'two'" in note]
