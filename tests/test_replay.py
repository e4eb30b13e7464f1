"""Does a recipe give the same masks and numbers again, and say so where it does not?"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pruneviz.cli import main
from pruneviz.plan import Plan
from pruneviz.recipes import Recipe, from_yaml, recipe_of, replay, to_yaml
from pruneviz.recipes.replay import DIFFER, EXACTLY, IDENTICAL, UNKNOWN, WITHIN
from pruneviz.workbench import Workbench
from tests.cases import slow_but

HAND = "plan: {criterion: magnitude, sparsity: {conv2: 0.5, fc1: 0.8, fc2: 0.7}}\n"


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["replay", *map(str, words)])


def written(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "granularity"),
    slow_but(
        lambda name, _: name == "lenet5",
        [("lenet5", "neuron"), ("lenet300", "weight"), ("resnet20", "neuron"), ("vit", "neuron")],
    ),
)
def test_what_was_written_comes_out_the_same_elsewhere(
    name: str, granularity: str, new_bench: Callable[[str], Workbench]
) -> None:
    """The same checksum and the same accuracy to the last digit, from nothing but the text."""
    first = new_bench(name)
    plan = Plan("wanda", granularity)
    levels = {slider.name: 0.5 for slider in first.sliders(plan, first.locks)}
    plan = replace(plan, sparsity=levels, repair=("recalibrate",) if name == "resnet20" else ())
    text = to_yaml(recipe_of(first, plan, first.evaluate(plan)))
    found = replay(from_yaml(text), new_bench(name))
    assert (found.masks, found.accuracy, found.counts) == (IDENTICAL, EXACTLY, EXACTLY)
    assert found.same
    assert found.checksum == first.prune(plan).checksum
    assert repr(found.result.accuracy) == repr(first.evaluate(plan).accuracy)
    # What stays in the layers as zeros, because others are normalised with it, is named.
    assert all("stay in it, as zeros" in note for note in found.notes), found.notes
    assert bool(found.notes) == ((name, granularity) == ("vit", "neuron"))


@pytest.mark.slow
def test_an_exported_recipe_replays_on_the_command_line(tmp_path: Path) -> None:
    words = ["export", "lenet300", "--criterion", "wanda", "--all", "0.7", "--format", "recipe"]
    result = CliRunner().invoke(main, [*words, "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    result = run(tmp_path / "recipe.yaml", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["same"] is True
    assert found["words"] == (
        "the same: masks identical; accuracy agrees exactly; counts agree exactly"
    )
    assert found["checksum"]["expected"] == found["checksum"]["here"]
    assert found["expected"] == found["here"]


def test_by_hand_with_the_model_in_the_file_or_beside_it(tmp_path: Path) -> None:
    alone = run(written(tmp_path, HAND), "--model", "lenet5")
    assert alone.exit_code == 0, alone.output
    assert "the recipe says nothing of what to expect" in alone.stdout
    named = run(written(tmp_path, f"model: lenet5\n{HAND}"))
    assert named.stdout == alone.stdout
    result = run(written(tmp_path, HAND))
    assert result.exit_code == 1
    assert "recipe.yaml, line 1: model: the recipe names no model; name one" in result.stderr


@pytest.mark.slow
def test_an_export_of_what_came_of_it(tmp_path: Path) -> None:
    path, out = written(tmp_path, f"model: lenet5\n{HAND}"), tmp_path / "out"
    words = ("--out", out, "--format", "recipe", "--format", "masks")
    result = run(path, *words)
    assert result.exit_code == 0, result.output
    assert (out / "masks.safetensors").exists()
    assert run(out / "recipe.yaml").exit_code == 0
    again = run(path, *words)
    assert again.exit_code == 1
    assert "already" in again.stderr
    assert run(path, *words, "--force").exit_code == 0


# -- what differs --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def measured(benches: Callable[[str], Workbench]) -> Recipe:
    bench, plan = benches("lenet5"), Plan(sparsity={"fc1": 0.9, "fc2": 0.9})
    return recipe_of(bench, plan, bench.evaluate(plan))


def test_other_masks_differ(measured: Recipe, benches: Callable[[str], Workbench]) -> None:
    found = replay(replace(measured, masks="0" * 64), benches("lenet5"))
    assert (found.masks, found.accuracy, found.same) == (DIFFER, EXACTLY, False)
    assert found.words.startswith("not the same: masks differ; accuracy agrees exactly")


def test_an_accuracy_agrees_exactly_or_within_or_not(
    measured: Recipe, benches: Callable[[str], Workbench]
) -> None:
    bench, expected = benches("lenet5"), measured.expected
    assert expected is not None
    assert expected.accuracy is not None
    near = replace(expected, accuracy=expected.accuracy - 1 / 128)
    found = replay(replace(measured, expected=near), bench)
    assert (found.accuracy, found.same) == (WITHIN, True)
    far = replace(expected, accuracy=0.1, low=0.05, high=0.2)
    found = replay(replace(measured, expected=far), bench)
    assert (found.accuracy, found.same) == (DIFFER, False)
    found = replay(replace(measured, expected=replace(expected, measure="R²")), bench)
    assert found.accuracy == DIFFER
    assert "measured was R², here it is Accuracy" in found.notes
    found = replay(replace(measured, expected=None, masks=None), bench)
    assert (found.masks, found.accuracy) == (UNKNOWN, UNKNOWN)


def test_a_recipe_that_differs_ends_with_three(tmp_path: Path) -> None:
    text = f"model: lenet5\n{HAND}expected: {{n: 2000, accuracy: 0.5, low: 0.4, high: 0.6}}\n"
    result = run(written(tmp_path, text))
    assert result.exit_code == 3
    assert "not the same: masks nothing to compare with; accuracy differ" in result.stdout
    assert "the recipe's: 0.5 on 2,000 samples" in result.stdout


def test_other_data_and_versions_are_told(
    measured: Recipe, benches: Callable[[str], Workbench]
) -> None:
    other = replace(measured, data="0" * 16, made={"torch": "1.0", "pruneviz": "0"})
    notes = replay(other, benches("lenet5")).notes
    assert notes[0].startswith(f"other data: the recipe's is {'0' * 16}, here it is ")
    assert any(note.startswith("made with torch 1.0, here it is ") for note in notes)
