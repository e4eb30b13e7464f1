"""Does every file answer as the network on the screen, where pruneviz is not?"""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

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
from sample_models.catalogue import NETWORKS as CLASSES
from tests import optional
from tests.conftest import NETWORKS

ALONE = Path(__file__).with_name("alone.py")
# All others hold a network that answers.
SILENT = ("masks", "torch-pruning", "recipe")
ANSWERING = {name: form.files[0] for name, form in FORMATS.items() if name not in SILENT}
PLANS = ("weights", "neurons")


def plan_of(bench: Workbench, kind: str) -> pv.Plan:
    """90 % of single weights, or half of the units of all groups, of what is not locked."""
    if kind == "weights":
        free = [name for name in bench.layer_of if name not in bench.locks]
        return pv.Plan(sparsity=dict.fromkeys(free, 0.9))
    plan = pv.Plan("l2", granularity="neuron")
    names = [s.name for s in bench.sliders(plan, bench.locks) if s.name in bench.groups.groups]
    repair = ("recalibrate",) if bench.name == "resnet20" else ()
    return pv.Plan("l2", "neuron", sparsity=dict.fromkeys(names, 0.5), repair=repair)


def class_file(name: str, folder: Path) -> tuple[Path, str]:
    """The class of a sample network in a file of its own, that knows of nothing of ours."""
    own = CLASSES[name][0]
    text = inspect.getsource(sys.modules[own.__module__]).split("\nRECIPE =")[0]
    path = folder / "own_network.py"
    path.write_text(re.sub(r"^from sample_models.*\n", "", text, flags=re.MULTILINE), "utf-8")
    return path, own.__name__


def alone(name: str, files: Path, inputs: Tensor, folder: Path) -> dict[str, Tensor]:
    """What the files answer in a Python that refuses pruneviz."""
    path, own = class_file(name, folder)
    given, out = folder / "inputs.npy", folder / "answers.npz"
    np.save(given, inputs.numpy())
    words = (files, json.dumps(ANSWERING), path, own, given, out)
    command = [sys.executable, "-IB", str(ALONE), *map(str, words)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    with np.load(out) as found:
        return {key: torch.from_numpy(found[key]) for key in found}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((name, kind), id=f"{name}-{kind}", marks=() if quick else pytest.mark.slow)
        for name in NETWORKS
        for kind in PLANS
        for quick in [(name, kind) == ("lenet5", "neurons")]
    ],
)
def case(
    request: pytest.FixtureRequest,
    benches: Callable[[str], Workbench],
    tmp_path_factory: pytest.TempPathFactory,
) -> SimpleNamespace:
    """A sample network under a plan, exported in every format."""
    pytest.importorskip("onnxruntime")
    name, kind = request.param
    bench = benches(name)
    plan = plan_of(bench, kind)
    folder = tmp_path_factory.mktemp("export")
    formats = [name for name in FORMATS if name != "recipe"]
    found = bench.export(plan, folder / "out", formats, archive=True)
    return SimpleNamespace(name=name, kind=kind, bench=bench, plan=plan, result=found, at=folder)


@pytest.mark.slow
def test_every_format_answers_alike_where_pruneviz_is_not(case: SimpleNamespace) -> None:
    inputs = case.bench.source.validation.first(50).inputs
    network = case.bench.prune(case.plan).model.eval()
    with torch.no_grad():
        expected = network(inputs)
    assert float((expected - case.bench.source.model(inputs)).abs().max()) > 0.01
    got = alone(case.name, case.result.folder, inputs, case.at)
    assert got.keys() == ANSWERING.keys() - case.result.failed
    rounded = got.pop("onnx-int8")
    for name, answers in got.items():
        assert difference(expected, answers) <= 1e-4, name
    assert 1e-4 < difference(expected, rounded) < 0.5


def test_the_table_says_what_there_is(case: SimpleNamespace) -> None:
    table = case.result.table
    assert list(table.columns) == ["format", "file", "bytes", "difference", "words"]
    rows = table.set_index("format")
    for name, row in rows[rows["file"] != ""].iterrows():
        assert (case.result.folder / row["file"]).stat().st_size == row["bytes"]
        assert not row["difference"] > 1e-4 or name == "onnx-int8"
    assert set(case.result.failed) == ({"shrunk"} if case.kind == "weights" else set())
    assert "on 128 samples" in rows.loc["onnx-int8", "words"]
    there = {path.name for path in case.result.folder.iterdir()}
    files = {file for one in case.result.written for file in one.files}
    assert there == {*files, "export.json", f"{case.name}.zip"}


def test_no_sample_of_the_users_is_in_a_file(case: SimpleNamespace) -> None:
    weights = (case.result.folder / "model.safetensors").stat().st_size
    for name in ("model.pt2", "model.onnx"):
        assert (case.result.folder / name).stat().st_size < 1.3 * weights + 400_000, name
    sample = case.bench.source.validation.first(1).inputs.numpy().tobytes()
    assert any(sample)
    for path in case.result.folder.iterdir():
        if path.is_file() and path.suffix != ".zip":
            assert sample not in path.read_bytes(), path.name


def test_masks_laid_over_the_dense_weights_are_what_is_pruned(case: SimpleNamespace) -> None:
    masks = load_file(case.result.folder / "masks.safetensors")
    pruned = case.bench.prune(case.plan)
    assert masks.keys() == pruned.parameter_masks.keys()
    for name, mask in masks.items():
        assert mask.dtype == torch.bool
        assert torch.equal(mask, pruned.parameter_masks[name])


def test_the_summary_knows_every_byte(case: SimpleNamespace) -> None:
    import hashlib

    summary = json.loads((case.result.folder / "export.json").read_text("utf-8"))
    assert summary["plan"] == case.plan.as_dict()
    assert summary["weights"] == case.bench.fingerprint
    for row in summary["formats"]:
        for file, digest in row["sha256"].items():
            content = (case.result.folder / file).read_bytes()
            assert hashlib.sha256(content).hexdigest() == digest


def test_ratios_are_those_of_the_report(case: SimpleNamespace) -> None:
    content = json.loads((case.result.folder / "torch_pruning.json").read_text("utf-8"))
    got = case.bench.prune(case.plan).sparsity
    asked = {name: share for name, share in got.items() if share}
    assert content["pruning_ratio_dict"] == pytest.approx(asked)


def test_torch_pruning_takes_the_ratios(
    benches: Callable[[str], Workbench], tmp_path: Path
) -> None:
    library = pytest.importorskip("torch_pruning")
    bench = benches("lenet5")
    plan = plan_of(bench, "neurons")
    bench.export(plan, tmp_path, ["torch-pruning", "shrunk"])
    network = CLASSES["lenet5"][0]()
    ratios = json.loads((tmp_path / "torch_pruning.json").read_text("utf-8"))["pruning_ratio_dict"]
    library.pruner.MagnitudePruner(
        network,
        torch.zeros(1, 1, 28, 28),
        library.importance.MagnitudeImportance(),
        pruning_ratio=0.0,
        pruning_ratio_dict={network.get_submodule(n): r for n, r in ratios.items()},
        num_heads={},
        out_channel_groups={},
    ).step()
    shapes = {name: list(t.shape) for name, t in network.state_dict().items()}
    assert shapes == {
        n: list(t.shape) for n, t in load_file(tmp_path / "shrunk.safetensors").items()
    }


def test_the_widths_by_hand(benches: Callable[[str], Workbench], tmp_path: Path) -> None:
    bench = benches("lenet5")
    bench.export(pv.Plan("l2", "neuron", sparsity={"conv2": 0.5}), tmp_path, ["shrunk"])
    widths = json.loads((tmp_path / "widths.json").read_text("utf-8"))
    assert widths["network"] == "lenet5"
    assert widths["shapes"] == {
        "conv2.weight": {"from": [16, 6, 5, 5], "to": [8, 6, 5, 5]},
        "conv2.bias": {"from": [16], "to": [8]},
        "fc1.weight": {"from": [120, 400], "to": [120, 200]},
    }
    assert widths["attributes"] == {
        "conv2": {"out_channels": {"from": 16, "to": 8}},
        "fc1": {"in_features": {"from": 400, "to": 200}},
    }


def test_another_network_is_not_rebuilt(
    benches: Callable[[str], Workbench], tmp_path: Path
) -> None:
    bench = benches("lenet5")
    bench.export(pv.Plan("l2", "neuron", sparsity={"fc1": 0.5}), tmp_path, ["shrunk"])
    space: dict[str, object] = {"__name__": "rebuild", "__file__": str(tmp_path / "rebuild.py")}
    exec((tmp_path / "rebuild.py").read_text("utf-8"), space)
    other = CLASSES["lenet5"][0]()
    other.fc1 = nn.Linear(400, 100)
    with pytest.raises(ValueError, match=r"fc1.weight is \[100, 400\] here, not \[120, 400\]"):
        space["rebuild"](other)  # type: ignore[operator]


def test_files_save_what_the_ledger_said(
    benches: Callable[[str], Workbench], tmp_path: Path
) -> None:
    import zipfile

    from pruneviz.measuring.sizes import (
        as_bitmask,
        encoded_bytes,
        file_bytes,
        file_tensors,
        zipped_bytes,
    )

    bench = benches("lenet300")
    plan = plan_of(bench, "weights")
    bench.export(plan, tmp_path, ["safetensors", "sparse"])
    dense = file_bytes(file_tensors(bench.source.model))
    tensors = file_tensors(bench.prune(plan).model)
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.write(tmp_path / "model.safetensors", "m")
    zipped, sparse = (tmp_path / n for n in ("z.zip", "sparse.safetensors"))
    said = dense / zipped_bytes(tensors), dense / encoded_bytes(tensors, as_bitmask).bytes
    got = dense / zipped.stat().st_size, dense / sparse.stat().st_size
    assert got == pytest.approx(said, rel=0.02)
    assert got[0] > 5
    assert got[1] > 6


@pytest.mark.slow
def test_no_pruneviz_and_the_same_accuracy_as_the_app(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    bench = pv.open("lenet5")
    plan = pv.Plan("l2", "neuron", sparsity={"conv2": 0.25, "fc1": 0.5, "fc2": 0.5})
    shown = bench.evaluate(plan)
    assert shown.n == 2000
    found = bench.export(plan, tmp_path / "out", ["shrunk", "onnx"])
    assert not found.failed
    data = bench.source.validation
    assert isinstance(data.inputs, Tensor)
    assert data.targets is not None
    for name, answers in alone("lenet5", found.folder, data.inputs, tmp_path).items():
        right = int((answers.argmax(1) == data.targets).sum())
        assert right / len(data) == shown.accuracy, name
    assert 0.5 < shown.accuracy < 1


# -- networks of other kinds -----------------------------------------------------------------


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
    names = [name for name in FORMATS if name not in ("recipe", "shrunk", "onnx-int8")]
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
    assert len(text.splitlines()) < 60


def test_a_difference_counts_what_is_broken() -> None:
    one = torch.tensor([1.0, -4.0])
    assert difference(one, torch.tensor([1.0, -3.0])) == 0.25
    with pytest.raises(ValueError, match="broken in other places"):
        difference(one, torch.tensor([float("nan"), -4.0]))
    broken = torch.tensor([float("nan"), 2.0])
    assert difference(broken, broken) == 0
    with pytest.raises(ValueError, match=r"shape \(1,\), not \(2,\)"):
        difference(one, one[:1])
