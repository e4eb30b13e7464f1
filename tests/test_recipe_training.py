"""Is a training in a recipe, and done again by it?"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import pruneviz as pv
from pruneviz.cli import main
from pruneviz.plan import Plan
from pruneviz.recipes import Recipe, from_yaml, recipe_of, replay, retrain, script_of, to_yaml
from pruneviz.recipes.reader import schema
from pruneviz.training import Training
from pruneviz.training.steps import TrainingStep
from pruneviz.workbench import Workbench

PLAN = Plan(sparsity={"fc1": 0.9, "fc2": 0.8})
TRAINING = Training("gradual", epochs=1, samples=96, batch=32, every=1)
STEP = TrainingStep(PLAN, TRAINING)


@pytest.fixture(scope="module")
def bench() -> Workbench:
    return pv.open("lenet300")


@pytest.fixture(scope="module")
def version(bench: Workbench) -> Workbench:
    return Workbench(bench.train(PLAN, TRAINING).source("v2"))


@pytest.fixture(scope="module")
def recipe(version: Workbench) -> Recipe:
    plan = Plan(sparsity={"fc1": 0.9, "fc2": 0.8})
    return recipe_of(version, plan, version.evaluate(plan))


def test_it_begins_at_the_network_that_was_opened(bench: Workbench, recipe: Recipe) -> None:
    assert recipe.opening is not None
    assert recipe.opening.model == "lenet300"
    assert recipe.name == "lenet300"
    assert recipe.weights == bench.fingerprint
    assert recipe.in_hand == ()
    assert recipe.training == (STEP,)


def test_it_says_only_what_is_not_by_default(recipe: Recipe) -> None:
    text = to_yaml(recipe)
    assert from_yaml(text) == recipe
    assert "  - method: gradual\n    epochs: 1\n    batch: 32\n    samples: 96\n" in text
    assert "learning_rate" not in text


def test_every_setting_is_in_the_schema() -> None:
    known = schema()["properties"]["training"]["items"]["properties"]
    assert set(known) == {field.name for field in fields(Training)} | {"plan"}


def test_a_replay_trains_again_and_finds_the_same(bench: Workbench, recipe: Recipe) -> None:
    told: list[str] = []
    found = replay(recipe, bench, lambda label, done: told.append(label))
    assert (found.masks, found.accuracy, found.counts) == ("identical", "exactly", "exactly")
    assert "training, epoch 1 of 1" in told
    assert found.notes == ()


def test_what_is_trained_already_is_not_trained_again(recipe: Recipe, version: Workbench) -> None:
    assert retrain(recipe, version) is version


def test_other_masks_are_told_with_what_may_be_the_reason(bench: Workbench, recipe: Recipe) -> None:
    found = replay(replace(recipe, masks="0" * 64), bench)
    assert found.masks == "differ"
    assert "compare accuracy" in found.notes[0]


def test_a_training_after_a_training_is_two_steps(version: Workbench) -> None:
    more = replace(TRAINING, method="dense", seed=1)
    third = Workbench(version.train(Plan(), more).source("v3"))
    assert recipe_of(third, Plan()).training == (STEP, TrainingStep(Plan(), more))


def test_a_step_without_a_plan_trains_by_that_of_the_recipe() -> None:
    text = "model: lenet300\nplan: {sparsity: {fc1: 0.5}}\ntraining: [{method: one-shot}]\n"
    found = from_yaml(text)
    assert found.training == (TrainingStep(found.plan, Training("one-shot")),)


@pytest.mark.slow
def test_the_script_trains_again(recipe: Recipe, tmp_path: Path) -> None:
    path = tmp_path / "session.py"
    path.write_text(script_of(recipe), "utf-8")
    found = subprocess.run(
        [sys.executable, "-B", str(path)], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    assert "exactly as before" in found.stdout


@pytest.mark.slow
def test_the_command_line_writes_one_and_does_it_again(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    words = ["--method", "activity", "--granularity", "neuron", "--all", "0.5", "--allocate", "erk"]
    few = ["--epochs", "1", "--samples", "96", "--every", "1", "--remove"]
    kept = ["--keep", str(tmp_path / "kept"), "--recipe", str(path)]
    result = CliRunner().invoke(main, ["train", "lenet300", *words, *few, *kept, "--json"])
    assert result.exit_code == 0, result.output
    trained = json.loads(result.stdout)
    again = CliRunner().invoke(
        main, ["replay", str(path), "--json", "--out", str(tmp_path / "out")]
    )
    assert again.exit_code == 0, again.output
    found = json.loads(again.stdout)
    assert found["masks"] == "identical"
    assert found["accuracy"] == "exactly"
    assert found["here"]["accuracy"] == trained["epochs"][-1]["accuracy"]
    exported = from_yaml((tmp_path / "out" / "recipe.yaml").read_bytes())
    assert exported == from_yaml(path.read_bytes())
