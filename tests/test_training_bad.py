"""Is what goes wrong in a training told in clear words, with nothing lost?"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest
import torch
from torch import nn

import pruneviz as pv
from pruneviz.data import Data
from pruneviz.network.replica import fingerprint
from pruneviz.plan import Plan
from pruneviz.sources import Source
from pruneviz.training import Training, train
from pruneviz.training.batches import steps_of
from pruneviz.workbench import Workbench
from tests.small import small_bench

Benches = Callable[[str], Workbench]
PLAN = Plan(sparsity={"0": 0.5})
FEW = {"epochs": 2, "batch": 8}


def test_a_loss_that_is_no_number(tmp_path: Path) -> None:
    bench = small_bench()
    before = fingerprint(bench.source.model)
    wild = Training(learning_rate=1e30, optimizer="sgd", schedule="constant", **FEW)
    with pytest.raises(ValueError, match=r"in 'retrain', epoch 1, step \d+, at a learning rate of"):
        train(bench, PLAN, wild, tmp_path)
    assert fingerprint(bench.source.model) == before


def test_weights_that_are_no_numbers_are_not_kept(tmp_path: Path) -> None:
    """The last step of an epoch may break them after its loss was still finite."""
    wild = Training(learning_rate=3e38, optimizer="sgd", epochs=1, batch=64)
    bench = small_bench()
    with torch.no_grad():
        bench.source.model[0].weight.mul_(50)  # gradients above 1: 3e38 of them is infinite
    with pytest.raises(ValueError, match=r"weights became .*step 1, at a learning rate of 3e\+38"):
        train(bench, PLAN, wild, tmp_path)
    assert not list(tmp_path.glob("*/checkpoint.pt"))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"learning_rate": 0}, "learning_rate must be above 0, got 0"),
        ({"epochs": 0}, "epochs must be a whole number of 1 or more, got 0"),
        ({"method": "magic"}, "unknown method 'magic'; known are dense"),
        ({"method": "l1", "epochs": 1}, "'l1' needs 2 epochs or more, got 1"),
        ({"method": "slimming", "epochs": 2}, "by 'neuron' or 'head', not by 'weight'"),
        ({"remove": True}, "granularity 'neuron' or 'head', not 'weight'"),
        ({"begin": 0.7, "end": 0.2}, "begin must lie before end"),
        ({"rewind": 9}, "rewind must be an epoch of the first round, below 2, got 9"),
        ({"augmentation": "spin"}, "unknown augmentation 'spin'"),
        ({"augmentation": "move"}, r"needs square images .* got inputs \[48, 8\]"),
        ({"accelerator": "abacus"}, r"cannot train on 1 device\(s\) of 'abacus'"),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        train(small_bench(), PLAN, Training(**{**FEW, **settings}))


def test_plans_that_do_not_fit_are_refused_before_the_first_step(benches: Benches) -> None:
    steps: list[float] = []
    for plan, words in (
        (Plan(), "needs a plan that cuts something"),
        (Plan(sparsity={"nowhere": 0.5}), "nowhere"),
        (Plan("bn_scale", "neuron", sparsity={"0": 0.5}), "no batch norm follows it"),
    ):
        for method in ("gradual", "one-shot"):
            with pytest.raises(ValueError, match=words):
                train(small_bench(), plan, Training(method=method, **FEW),
                      progress=lambda label, done: steps.append(done))  # fmt: skip
    with pytest.raises(ValueError, match="slimming needs batch norms"):
        train(
            small_bench(),
            Plan("l2", "neuron", sparsity={"0": 0.5}),
            Training(method="slimming", **FEW),
        )


def test_validation_of_one_class_is_noted() -> None:
    bench = small_bench()
    data = bench.source.validation
    assert data.targets is not None
    only = data.take((data.targets == 1).nonzero().flatten())
    bench = Workbench(replace(bench.source, validation=only))
    (note,) = train(bench, PLAN, Training(**FEW)).notes
    assert "validation samples are of class 'b'" in note


def test_no_targets() -> None:
    bench = pv.open(nn.Sequential(nn.Linear(4, 3)), torch.randn(12, 4))
    with pytest.raises(ValueError, match="training needs targets"):
        train(bench, PLAN, Training(**FEW))


def test_a_last_batch_of_one_joins_the_one_before() -> None:
    assert [steps_of(n, Training(batch=8)) for n in (1, 7, 8, 9, 10, 16, 17)] == [
        1,
        1,
        1,
        1,
        2,
        2,
        2,
    ]
    assert steps_of(5, Training(batch=1)) == 5
    trained = train(small_bench(17, norm=True), PLAN, Training(**FEW))
    assert len(trained.table) == 3


def test_batch_norm_and_one_sample() -> None:
    with pytest.raises(ValueError, match="train with a batch of 2 or more samples"):
        train(small_bench(norm=True), PLAN, Training(epochs=1, batch=1))
    train(small_bench(norm=False), PLAN, Training(epochs=1, batch=1, samples=3))


def test_words_are_not_moved_about() -> None:
    model = nn.Sequential(nn.Embedding(20, 8), nn.Flatten(), nn.Linear(32, 3))
    data = Data(torch.randint(0, 20, (24, 4)), torch.arange(24) % 3)
    bench = Workbench(Source("words", model.eval(), data, data, ("a", "b", "c"), training=data))
    plan = Plan(sparsity={"0": 0.5, "2": 0.5})
    for name in ("noise", "move", "flip"):
        with pytest.raises(ValueError, match=f"{name!r} needs one input of floats; use 'none'"):
            train(bench, plan, Training(augmentation=name, **FEW))
    trained = train(bench, plan, Training(method="gradual", every=1, **FEW))
    assert not trained.model[0].weight[~trained.masks["0"]].any()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64], ids=str)
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_other_number_formats(dtype: torch.dtype, optimizer: str) -> None:
    bench = small_bench()
    bench = Workbench(replace(bench.source, model=bench.source.model.to(dtype)))
    trained = train(bench, PLAN, Training(method="gradual", optimizer=optimizer, every=1, **FEW))
    weight = trained.model[0].weight
    assert weight.dtype == dtype
    assert int((weight == 0).sum()) == 64


def test_a_damaged_checkpoint(tmp_path: Path) -> None:
    bench, training = small_bench(), Training(**FEW)
    train(bench, PLAN, training, tmp_path)
    (file,) = tmp_path.glob("*/checkpoint.pt")
    file.write_bytes(file.read_bytes()[:-300])
    with pytest.raises(ValueError, match=r"checkpoint.pt cannot be read .* train afresh"):
        train(bench, PLAN, training, tmp_path)
    train(bench, PLAN, training, tmp_path, fresh=True)
    train(bench, PLAN, training, tmp_path)


def test_a_checkpoint_of_which_one_bit_flipped(tmp_path: Path) -> None:
    bench, training = small_bench(), Training(**FEW)
    train(bench, PLAN, training, tmp_path)
    (file,) = tmp_path.glob("*/checkpoint.pt")
    content = file.read_bytes()
    with ZipFile(file) as archive:
        tensors = [info for info in archive.infolist() if "/data/" in info.filename]
    for info in tensors:
        damaged = bytearray(content)
        start = content.index(info.filename.encode(), info.header_offset)
        # the content ends where the next header, or a descriptor before it, begins
        ends = content.index(b"PK", start + len(info.filename) + info.file_size)
        damaged[ends - 1 - info.file_size // 2] ^= 1
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"checkpoint.pt cannot be read .* train afresh"):
            train(bench, PLAN, training, tmp_path)
    file.write_bytes(content)
    train(bench, PLAN, training, tmp_path)


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"trainings cannot be kept in .*file"):
        train(small_bench(), PLAN, Training(**FEW), tmp_path / "file")


_FULL = """
import resource, sys, torch
torch.set_num_threads(1)
from pathlib import Path
from tests.test_training_bad import FEW, PLAN, Training, small_bench, train
folder = Path(sys.argv[1])
def progress(label, done):
    if done >= 0.5:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
trained = train(small_bench(), PLAN, Training(**FEW), folder, progress=progress)
print(len(trained.table), *trained.notes, sep="|")
print(*sorted(p.name for p in folder.glob("*/*")), *sorted(p.name for p in folder.glob("*/.*")))
"""


@pytest.mark.slow
def test_a_full_disk_is_said_once_and_the_last_checkpoint_stays(tmp_path: Path) -> None:
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path)],
        capture_output=True, text=True, cwd=root, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said, files = done.stdout.splitlines()
    rows, *notes = said.split("|")
    assert rows == "3"
    assert len(notes) == 1
    assert "the checkpoint of 'retrain', epoch 2, could not be written" in notes[0]
    assert files == "checkpoint.pt lock request.json"
    steps: list[float] = []
    resumed = train(small_bench(), PLAN, Training(**FEW), tmp_path,
                    progress=lambda label, done: steps.append(done))  # fmt: skip
    assert len(steps) == 6
    assert resumed.notes == ()
    assert fingerprint(resumed.model) == fingerprint(
        train(small_bench(), PLAN, Training(**FEW)).model
    )
