"""Does `pruneviz train` train as the library does, go on after a kill, and stop when asked?"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import load_file

import pruneviz as pv
from pruneviz.cli import main
from pruneviz.training import METHODS
from tests.cases import slow_but

FEW = ("--samples", "128", "--epochs", "2", "--batch", "32")
PATIENCE = 180.0


def run(*arguments: str) -> Result:
    """Run `pruneviz train` with these arguments in this process."""
    return CliRunner().invoke(main, ["train", *arguments])


def begun(*arguments: str) -> subprocess.Popen[str]:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "pruneviz", "train", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def told(*arguments: str) -> dict[str, object]:
    """What such a process prints as JSON."""
    process = begun(*arguments, "--json")
    out, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    return json.loads(out)


def without_time(found: dict[str, object]) -> dict[str, object]:
    """What does not depend on how fast the machine was."""
    epochs = [{k: v for k, v in row.items() if k != "seconds"} for row in found["epochs"]]
    return {**found, "seconds": 0, "epochs": epochs}


def test_json_agrees_with_the_library(tmp_path: Path) -> None:
    result = run("lenet300", "--all", "0.9", *FEW, "--keep", str(tmp_path), "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    bench = pv.open("lenet300")
    plan = pv.Plan(sparsity={"fc1": 0.9, "fc2": 0.9})
    trained = bench.train(plan, pv.Training(epochs=2, samples=128, batch=32))
    assert pv.Plan.from_dict(found["plan"]) == plan
    assert pv.Training.from_dict(found["training"]) == trained.training
    assert found["masks"] == trained.checksum
    ours = trained.table.drop(columns=["seconds", "loss"])
    theirs = pd.DataFrame(found["epochs"])[ours.columns]
    pd.testing.assert_frame_equal(theirs, ours, check_dtype=False, check_exact=True)


def test_each_epoch_has_a_line_and_the_end_a_sentence(tmp_path: Path) -> None:
    result = run("lenet300", "--all", "0.5", *FEW, "--keep", str(tmp_path))
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("retrain, before: training ")
    assert [line.partition(":")[0] for line in lines[1:3]] == [
        "retrain, epoch 1",
        "retrain, epoch 2",
    ]
    assert "change from dense" in lines[3]


@pytest.mark.parametrize("method", slow_but(lambda name: name in ("activity", "rigl"), METHODS))
def test_every_method_is_there(method: str, tmp_path: Path) -> None:
    plan = ("--granularity", "neuron") if method in ("activity", "slimming") else ()
    network = "resnet20" if method == "slimming" else "lenet300"
    result = run(
        network, "--method", method, "--all", "0.5", *plan, *FEW[:2], "--epochs", "2", "--batch",
        "64", "--rounds", "1", "--every", "1", "--keep", str(tmp_path), "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["training"]["method"] == method


def test_what_is_written_is_the_trained_network(tmp_path: Path) -> None:
    out, csv = tmp_path / "out", tmp_path / "epochs.csv"
    result = run(
        "lenet300", "--all", "0.9", *FEW, "--keep", str(tmp_path / "kept"), "--out", str(out),
        "--csv", str(csv), "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    weights = load_file(out / "model.safetensors")
    assert int((weights["fc1.weight"] == 0).sum()) == round(0.9 * 784 * 300)
    assert list(pd.read_csv(csv)["epoch"]) == [0, 1, 2]
    assert not torch.equal(weights["fc1.weight"], pv.open("lenet300").weight("fc1"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--learning-rate", "0"), "learning_rate must be above 0"),
        (("--epochs", "0"), "epochs must be a whole number of 1 or more"),
        (("--method", "guess"), "guess"),
        (("--remove",), "granularity 'neuron'"),
        (("--augmentation", "guess"), "guess"),
        (("--accelerator", "abacus"), "abacus"),
        (("--learning-rate", "1e30"), "train again with a lower one"),
    ],
)
def test_what_does_not_fit_is_said(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    result = run("lenet300", "--all", "0.5", *FEW, "--keep", str(tmp_path), *words)
    assert result.exit_code in (1, 2)
    assert said in result.output
    assert "Traceback" not in result.output


def test_nothing_to_cut_is_said(tmp_path: Path) -> None:
    result = run("lenet300", *FEW, "--keep", str(tmp_path))
    assert result.exit_code == 1
    assert "needs a plan that cuts something" in result.output


@pytest.mark.slow
def test_killed_and_asked_again_it_ends_as_if_undisturbed(tmp_path: Path) -> None:
    words = (
        "lenet300", "--method", "gradual", "--all", "0.9", "--samples", "512", "--epochs", "12",
        "--batch", "16",
    )  # fmt: skip
    kept = tmp_path / "killed"
    process = begun(*words, "--keep", str(kept))
    assert process.stdout is not None
    for line in process.stdout:
        if "epoch 2" in line:
            break
    process.kill()
    process.communicate()
    content = next(kept.glob("*/checkpoint.pt"))
    reached = torch.load(content, weights_only=True)["epoch"]
    assert 1 <= reached < 12
    again = told(*words, "--keep", str(kept))
    whole = told(*words, "--keep", str(tmp_path / "whole"))
    assert without_time(again) == without_time(whole)


@pytest.mark.slow
@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_says_how_to_go_on(tmp_path: Path) -> None:
    process = begun(
        "lenet300", "--method", "dense", "--epochs", "500", "--samples", "512", "--keep",
        str(tmp_path),
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, errors
    assert "the same command continues from the last epoch" in errors


@pytest.mark.slow
def test_two_processes_train_one_network(tmp_path: Path) -> None:
    words = ("lenet300", "--method", "rigl", "--all", "0.8", *FEW, "--accelerator", "cpu")
    two = told(*words, "--devices", "2", "--keep", str(tmp_path / "two"))
    one = told(*words, "--devices", "1", "--keep", str(tmp_path / "one"))
    apart = abs(two["epochs"][-1]["validation_loss"] - one["epochs"][-1]["validation_loss"])
    assert apart < 1e-3
    assert two["epochs"][-1]["params"] == one["epochs"][-1]["params"]
    assert abs(two["epochs"][-1]["loss"] - one["epochs"][-1]["loss"]) < 1e-3
    assert len(list((tmp_path / "two").iterdir())) == 1


def test_several_devices_in_a_session_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [""])  # as a session in Python or a notebook has it
    training = pv.Training(devices=2, accelerator="cpu")
    with pytest.raises(ValueError, match="started once for each, which needs a script"):
        pv.open("lenet300").train(pv.Plan(sparsity={"fc1": 0.5}), training)
