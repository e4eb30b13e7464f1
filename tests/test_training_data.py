"""Does a training learn from the samples that are given for it, by whichever door they come?"""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

import pruneviz as pv
from pruneviz import figures
from pruneviz.cli import main
from pruneviz.options import parse, words
from pruneviz.recipes import from_yaml, opening_of, recipe_of, script_of, to_yaml
from pruneviz.sources.upload import open_upload
from pruneviz.training.samples import samples_text, training_data
from pruneviz.ui.train.result import result_sentences
from pruneviz.ui.train.training_view import along, gap_words
from pruneviz.ui.train.training_work import Result
from pruneviz.workbench import Workbench

torch.manual_seed(0)
X, Y = torch.randn(40, 4), torch.arange(40) % 3
MORE, LABELS = torch.randn(15, 4) + 5, torch.arange(15) % 3


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).eval()


def written(folder: Path, name: str, x: Tensor, y: Tensor) -> str:
    np.savez(folder / name, x=x.numpy(), y=y.numpy())
    return str(folder / name)


def test_a_training_learns_from_what_is_given_for_it_and_the_rest_stays_as_it_was() -> None:
    plain, bench = pv.open(network(), (X, Y)), pv.open(network(), (X, Y), train=(MORE, LABELS))
    data = training_data(bench, pv.Training())
    assert torch.equal(data.tensors()[""], MORE)
    assert bench.data_fingerprint == plain.data_fingerprint
    assert "15 samples train, given apart" in bench.notes
    assert samples_text(bench, pv.Training()).startswith("15 samples to learn from, kept for")
    assert samples_text(bench, pv.Training(samples=9)).startswith("9 of 15 samples to learn")
    plan = pv.Plan(sparsity={"0": 0.5})
    trained, other = (one.train(plan, pv.Training(epochs=1)) for one in (bench, plain))
    assert not torch.equal(trained.model[0].weight, other.model[0].weight)  # type: ignore[index]
    assert not any("calibration samples" in note for note in trained.notes)


def test_without_it_the_page_says_what_is_used_instead() -> None:
    said = samples_text(pv.open(network(), (X, Y)), pv.Training())
    assert said.startswith("12 samples to learn from: the calibration samples")
    assert "--train FILE" in said
    assert said.endswith("The 28 validation samples are never trained on")


def test_a_sample_network_learns_from_other_digits_where_they_are_given() -> None:
    digits = torch.rand(20, 1, 28, 28)
    bench = pv.open("lenet300", train=(digits, torch.arange(20) % 10))
    assert len(training_data(bench, pv.Training())) == 20
    assert bench.evaluate(pv.Plan()).accuracy == pv.open("lenet300").evaluate(pv.Plan()).accuracy


@pytest.mark.parametrize(
    ("train", "words"),
    [
        ((torch.randn(0, 4), torch.arange(0)), "training data is empty"),
        ((torch.randn(5, 4, 2), torch.arange(5) % 3), "have the shape 4 × 2 a sample"),
        ((torch.randn(5, 7), torch.arange(5) % 3), "training data: "),
        ((torch.randn(5, 4), torch.arange(5) + 1), "training data: targets must be in 0..2"),
        (({"a": torch.randn(5, 4)}, torch.arange(5) % 3), "validation inputs one tensor"),
        ("nowhere.npz", "training data: there is no file or folder nowhere.npz"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused_by_name(train: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        pv.open(network(), (X, Y), train=train)


def test_without_targets_it_teaches_by_the_dense_network_alone() -> None:
    bench = pv.open(network(), (X, Y), train=MORE)
    assert any("have no targets: they teach by the dense" in note for note in bench.notes)
    plan = pv.Plan(sparsity={"0": 0.5})
    with pytest.raises(ValueError, match="learn from the dense network's answers alone"):
        bench.train(plan, pv.Training(epochs=1, distill=0.5))
    trained = bench.train(plan, pv.Training(epochs=2, distill=1.0))
    table = trained.table
    assert table[["train_loss", "train_accuracy", "gap"]].isna().to_numpy().all()
    assert table[["validation_loss", "accuracy", "low", "high"]].notna().to_numpy().all()
    assert gap_words(table, "accuracy").endswith("; samples that train have no targets")
    before, cut = bench.evaluate(pv.Plan()), bench.evaluate(plan)
    sentences = result_sentences(Result(trained, bench, before, cut, Path()))
    assert not any("nan" in sentence or "Gap" in sentence for sentence in sentences)
    rows, begins = along(table, int(table["params"].iloc[0]))
    names = {trace.name for trace in figures.course("score", rows, begins, label="accuracy").data}
    assert names == {"95 %", "validation"}


def test_samples_on_both_sides_are_told() -> None:
    bench = pv.open(network(), {"calibration": (X[:10], Y[:10]), "validation": (X[10:], Y[10:])},
                    train=(X[5:15], Y[5:15]))  # fmt: skip
    assert any("5 validation samples are identical to training samples" in n for n in bench.notes)


def test_classes_are_known_by_their_names_in_folders(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    for side, names in (("data", "abc"), ("train", "bc")):
        for name in names:
            (tmp_path / side / name).mkdir(parents=True)
            for number in range(4):
                shade = 20 * number + ord(name) - 90
                image.new("L", (8, 8), shade).save(tmp_path / side / name / f"{number}.png")
    flat = nn.Sequential(nn.Flatten(), nn.Linear(64, 3)).eval()
    bench = pv.open(flat, tmp_path / "data", train=tmp_path / "train", size=8)
    targets = training_data(bench, pv.Training()).targets
    assert targets is not None
    assert sorted(targets.tolist()) == [1] * 4 + [2] * 4


def test_it_has_a_word_on_the_command_line_and_a_line_in_the_recipe(tmp_path: Path) -> None:
    train = written(tmp_path, "t.npz", torch.rand(20, 1, 28, 28), torch.arange(20) % 10)
    request = parse(["--model", "lenet300", "--train", train])
    assert request is not None
    assert request.train == train
    assert parse(words(request)) == request
    recipe = str(tmp_path / "r.yaml")
    line = ["train", "lenet300", "--train", train, "--all", "0.5", "--epochs", "1"]
    line += ["--keep", str(tmp_path / "kept"), "--recipe", recipe, "--json"]
    outcome = CliRunner().invoke(main, line)
    assert outcome.exit_code == 0, outcome.output
    assert "20 samples to learn from" in outcome.stderr
    told = json.loads(outcome.stdout.splitlines()[-1])
    assert "trained on" not in " ".join(told["notes"])
    read = from_yaml(Path(recipe).read_text())
    assert read.opening is not None
    assert read.opening.train == train
    assert f"train={train!r}" in script_of(read)


def test_in_hand_it_must_be_named_to_train_again(tmp_path: Path) -> None:
    bench = pv.open("lenet300", train=(torch.rand(20, 1, 28, 28), torch.arange(20) % 10))
    trained = bench.train(pv.Plan(sparsity={"fc1": 0.5}), pv.Training(epochs=1))
    recipe = from_yaml(to_yaml(recipe_of(Workbench(trained.source("v1")), trained.plan)))
    assert "train" in recipe.in_hand
    with pytest.raises(ValueError, match="name it with --train"):
        opening_of(recipe)
    assert opening_of(recipe, train="t.npz").train == "t.npz"


def test_an_upload_brings_its_own(tmp_path: Path) -> None:
    files = []
    for count in (12, 7):
        file = io.BytesIO()
        np.savez(file, x=np.random.rand(count, 1, 28, 28), y=np.arange(count) % 10)
        files.append(file.getvalue())
    data, train = files
    source = open_upload(
        None, "", "sample:lenet300", data, "d.npz", train=train, train_name="t.npz"
    )
    assert source.training is not None
    assert (len(source.training), source.opened is not None) == (7, True)
    with pytest.raises(ValueError, match=r"t\.npz: training data needs data that measures"):
        open_upload(None, "", "sample:lenet300", train=train, train_name="t.npz")
