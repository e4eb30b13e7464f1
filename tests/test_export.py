"""Does every file answer as the network on the screen, where pruneviz is not?"""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.export import FORMATS
from pruneviz.network.likeness import difference
from pruneviz.workbench import Workbench
from sample_models.catalogue import NETWORKS as CLASSES
from tests.cases import slow_but

ALONE = Path(__file__).with_name("alone.py")
Alone = Callable[[str, Path, Tensor, Path], dict[str, Tensor]]

# All others hold a network that answers, "transformers" one of its own classes alone.
SILENT = ("masks", "torch-pruning", "recipe", "transformers")

ANSWERING = {name: form.files[0] for name, form in FORMATS.items() if name not in SILENT}

# The cut of single weights, and that of units: in a chain, in coupled groups, and of packed ones.
CASES = (
    ("lenet5", "neurons"),
    ("lenet300", "weights"),
    ("resnet20", "neurons"),
    ("vit", "neurons"),
)


def test_every_format_is_loaded_alone_or_holds_no_network() -> None:
    known = [*re.findall(r'"([\w-]+)": lambda', ALONE.read_text("utf-8")), "onnx", "onnx-int8"]
    unknown = set(FORMATS) - {*known, *SILENT}
    assert not unknown, f"{unknown} is in neither SILENT nor `answers_of` of alone.py"


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


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    """What the files of a network answer in a Python that refuses pruneviz: one for all tests, as
    to import torch takes longer than the answers.
    """
    errors = tmp_path_factory.mktemp("alone") / "errors"
    words = [sys.executable, "-IB", str(ALONE)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with errors.open("w") as sink, subprocess.Popen(words, stderr=sink, **pipes) as process:

        def ask(name: str, files: Path, inputs: Tensor, folder: Path) -> dict[str, Tensor]:
            path, own = class_file(name, folder)
            given, out = folder / "inputs.npy", folder / "answers.npz"
            np.save(given, inputs.numpy())
            request = [str(files), ANSWERING, str(path), own, str(given), str(out)]
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            assert process.stdout.readline() == "answered\n", errors.read_text()
            with np.load(out) as answers:
                return {key: torch.from_numpy(answers[key]) for key in answers}

        yield ask
        process.stdin.close()


@pytest.fixture(
    scope="module",
    params=slow_but(lambda case: case == CASES[0], [(case,) for case in CASES]),
    ids="-".join,
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
def test_every_format_answers_alike_where_pruneviz_is_not(
    case: SimpleNamespace, alone: Alone
) -> None:
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
    none = {"transformers"}  # no network of that library
    assert set(case.result.failed) == (none | {"shrunk"} if case.kind == "weights" else none)
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
def test_no_pruneviz_and_the_same_accuracy_as_the_app(tmp_path: Path, alone: Alone) -> None:
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
