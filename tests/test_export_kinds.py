"""Are networks of other kinds than the samples exported?"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, load_model, save
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.export import DEFAULT, FORMATS, ExportResult, export
from pruneviz.export.subject import subject_of
from pruneviz.export.weights import save_tensors
from pruneviz.network.likeness import difference
from pruneviz.network.replica import fingerprint, state
from pruneviz.workbench import Workbench
from tests import optional
from tests.test_export import plan_of


class Tied(nn.Module):
    """Its answers come by the transposed weights that read its words; tokens in."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.hidden = nn.Embedding(12, 8), nn.Linear(8, 8)
        self.head = nn.Linear(8, 12, bias=False)
        self.head.weight = self.words.weight
        self.register_buffer("scale", torch.ones(8), persistent=False)

    def forward(self, ids: Tensor) -> Tensor:
        answer: Tensor = self.head(self.hidden(self.words(ids)).relu() * self.scale).mean(1)
        return answer


class Choosy(nn.Module):
    """Branches on what it is given: no graph can say it."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.fc(x)
        return answer + 1 if float(x.detach().sum()) > 0 else answer


@pytest.mark.slow
def test_tied_tokens_in(tmp_path: Path) -> None:
    model = Tied().eval()
    bench = pv.open(model, pv.Data(torch.randint(0, 12, (20, 5)), torch.arange(20) % 12))
    plan = pv.Plan(sparsity={"hidden": 0.5, "head": 0.5})
    names = [
        name for name in FORMATS if name not in ("recipe", "shrunk", "onnx-int8", "transformers")
    ]
    found = bench.export(plan, tmp_path, names)
    assert not found.failed
    pruned, again = bench.prune(plan).model, Tied().eval()
    assert "head.weight" not in load_file(tmp_path / "model.safetensors")
    assert load_model(again, tmp_path / "model.safetensors") == (set(), [])
    assert again.head.weight is again.words.weight
    assert torch.equal(again.head.weight, pruned.head.weight)
    assert (
        "1 tied tensor written once" in found.table.set_index("format").loc["safetensors", "words"]
    )
    state = torch.load(tmp_path / "state_dict.pt", weights_only=True)
    assert state["head.weight"].data_ptr() == state["words.weight"].data_ptr()
    assert list(state) == list(pruned.state_dict())


def test_tied_tokens_leave_shrunk(tmp_path: Path) -> None:
    model = Tied().eval()
    bench = pv.open(model, pv.Data(torch.randint(0, 12, (20, 5)), torch.arange(20) % 12))
    plan = pv.Plan("l2", "neuron", sparsity={"hidden": 0.5})
    found = bench.export(plan, tmp_path, ["shrunk"])
    assert not found.failed
    small = sum(p.numel() for p in bench.prune(plan).shrink().parameters())
    assert f"{small:,} of " in found.written[0].words
    widths = json.loads((tmp_path / "widths.json").read_text("utf-8"))
    assert widths["tied"] == {"head.weight": "words.weight"}
    assert "head.weight" not in load_file(tmp_path / "shrunk.safetensors")


def test_a_language_models_answers_are_compared_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of answers of 60 kB each no more than two are held where 64 kB may be."""
    monkeypatch.setattr("pruneviz.network.agreement._BYTES", 2**16)
    net = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 15_000)).eval()
    bench = pv.open(net, torch.randn(40, 4))
    subject = subject_of(bench, pv.Plan("l2", "neuron", sparsity={"0": 0.5}))
    sizes = [len(part) for part, _ in subject.parts()]
    assert sizes == [1] * subject.samples
    found = bench.export(subject.plan, tmp_path, ["safetensors", "shrunk", "pt2"])
    assert not found.failed
    assert all(one.difference is not None for one in found.written)


@pytest.mark.parametrize("name", ["safetensors", "state_dict", "sparse", "shrunk"])
def test_a_file_that_was_spoilt_is_no_proof(tmp_path: Path, name: str) -> None:
    """A weight that differs, or is missing, is found out when it is read back."""
    bench = pv.open(nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3)).eval(), torch.randn(40, 4))
    subject = subject_of(bench, pv.Plan("l2", "neuron", sparsity={"0": 0.5}))
    form = FORMATS[name]
    form.write(subject, tmp_path)
    form.prove(subject, tmp_path)
    path = tmp_path / form.files[0]
    content = bytearray(path.read_bytes())
    where = content.index(subject.network[1].bias.detach().numpy().tobytes())
    content[where : where + 12] = np.full(3, 7, np.float32).tobytes()
    path.write_bytes(content)
    with pytest.raises(ValueError, match="it answers otherwise than the network on the screen"):
        form.prove(subject, tmp_path)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16, torch.float32])
def test_a_safetensors_file_is_one_that_the_library_reads(
    tmp_path: Path, dtype: torch.dtype
) -> None:
    """Written tensor after tensor, of all kinds and shapes, in the library's own bytes."""
    tensors = {
        "w": torch.randn(3, 5).to(dtype),
        "turned": torch.randn(4, 2).to(dtype).T,
        "number": torch.tensor(3),
        "bits": torch.rand(7) > 0.5,
        "none": torch.empty(0, 3),
        "zero": torch.tensor([-0.0, 1.0]),
        "bytes": torch.arange(5, dtype=torch.uint8),
    }
    save_tensors(tmp_path / "a.safetensors", tensors, {"format": "pt"})
    again = load_file(tmp_path / "a.safetensors")
    assert set(again) == set(tensors)
    assert all(torch.equal(again[n], t) and again[n].dtype == t.dtype for n, t in tensors.items())
    assert not bool(torch.signbit(again["zero"]).any())
    ready = {n: t.contiguous() for n, t in tensors.items()}
    assert (tmp_path / "a.safetensors").stat().st_size == len(save(ready, {"format": "pt"}))


@pytest.mark.slow
def test_what_no_graph_can_say_is_reported_and_the_others_come(tmp_path: Path) -> None:
    bench = pv.open(Choosy(), pv.Data(torch.randn(20, 4), torch.arange(20) % 3))
    found = bench.export(pv.Plan(sparsity={"fc": 0.5}), tmp_path, ["onnx", "pt2", "state_dict"])
    assert set(found.failed) == {"onnx", "pt2"}
    assert all(0 < len(words) < 400 for words in found.failed.values())
    assert (tmp_path / "state_dict.pt").exists()
    assert not (tmp_path / "model.onnx").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["BERT", "GPT-2"])
def test_transformers_leave_too(
    name: str, benches: Callable[[str], Workbench], tmp_path: Path
) -> None:
    optional.transformers()
    bench = benches(name)
    found = export(bench, plan_of(bench, "neurons"), tmp_path, ["shrunk", "pt2", "torch-prune"])
    assert not found.failed
    assert max(one.difference or 0 for one in found.written) < 1e-4


def test_the_dense_weights_stay_as_they_are(
    benches: Callable[[str], Workbench], tmp_path: Path
) -> None:
    bench = benches("lenet5")
    before, running = fingerprint(bench.source.model), state(bench.source.model)
    bench.export(plan_of(bench, "neurons"), tmp_path, ["safetensors", "torch-prune", "shrunk"])
    assert fingerprint(bench.source.model) == before
    assert running.keys() == state(bench.source.model).keys()


def test_the_dense_plan_is_exported_as_it_is(
    benches: Callable[[str], Workbench], tmp_path: Path
) -> None:
    found: ExportResult = benches("lenet5").export(pv.Plan(), tmp_path, ["safetensors", "shrunk"])
    assert list(found.failed) == ["shrunk"]
    assert "cuts nothing" in found.failed["shrunk"]
    for name, tensor in load_file(tmp_path / "model.safetensors").items():
        assert torch.equal(tensor, state(benches("lenet5").source.model)[name])


@pytest.mark.parametrize(
    ("formats", "words"), [(["gguf"], "no format 'gguf'; there are safe"), ([], "name a format")]
)
def test_unknown_formats_are_named(
    benches: Callable[[str], Workbench], tmp_path: Path, formats: list[str], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        benches("lenet5").export(pv.Plan(), tmp_path, formats)
    assert not list(tmp_path.iterdir())


def test_every_format_explains_itself() -> None:
    assert set(DEFAULT) <= set(FORMATS)
    files = [file for form in FORMATS.values() for file in form.files]
    assert len(files) == len(set(files))
    assert all(form.label and form.meaning.endswith(".") for form in FORMATS.values())


@pytest.mark.parametrize("name", ["rebuild", "sparse_reader", "torch_prune"])
def test_the_programs_are_a_few_lines_and_know_nothing_of_us(name: str) -> None:
    folder = Path(inspect.getfile(export)).parent / "standalone"
    text = (folder / f"{name}.py").read_text("utf-8")
    assert not re.search(r"^\s*(from|import) (pruneviz|sample_models)", text, re.MULTILINE)
    assert len(text.splitlines()) < 80


def test_a_difference_counts_what_is_broken() -> None:
    one = torch.tensor([1.0, -4.0])
    assert difference(one, torch.tensor([1.0, -3.0])) == 0.25
    with pytest.raises(ValueError, match="broken in other places"):
        difference(one, torch.tensor([float("nan"), -4.0]))
    broken = torch.tensor([float("nan"), 2.0])
    assert difference(broken, broken) == 0
    with pytest.raises(ValueError, match=r"shape \(1,\), not \(2,\)"):
        difference(one, one[:1])
