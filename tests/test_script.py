"""Does the script of a session repeat it, where only the public API is there?"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import pruneviz as pv
from pruneviz.cli import main
from pruneviz.plan import Plan
from pruneviz.recipes import Recipe, RecipeResult, recipe_of, script_of, to_yaml
from pruneviz.sources.open_request import OpenRequest

PLAN = Plan("l2", "neuron", sparsity={"conv1": 0.5, "fc1": 0.25}, pinned={"fc2": {"3": False}})


def ran(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = folder / "session.py"
    path.write_text(text, "utf-8")
    command = [sys.executable, "-B", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    bench = pv.open("lenet5")
    return recipe_of(bench, PLAN, bench.evaluate(PLAN))


@pytest.mark.slow
def test_the_script_repeats_the_session(recipe: Recipe, tmp_path: Path) -> None:
    found = ran(script_of(recipe), tmp_path)
    assert found.returncode == 0, found.stderr
    assert "exactly as before" in found.stdout
    assert recipe.expected is not None
    assert f"Accuracy {recipe.expected.accuracy} (" in found.stdout


def test_the_command_line_prints_the_same_script(recipe: Recipe, tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(to_yaml(recipe), "utf-8")
    result = CliRunner().invoke(main, ["replay", str(path), "--script"])
    assert result.exit_code == 0, result.output
    assert result.stdout == script_of(recipe)


@pytest.mark.slow
def test_a_script_stops_where_anything_is_other(recipe: Recipe, tmp_path: Path) -> None:
    text = script_of(recipe)
    assert recipe.masks is not None
    assert recipe.weights is not None
    found = ran(text.replace(recipe.masks, "0" * 64), tmp_path)
    assert "AssertionError: these are other masks" in found.stderr
    found = ran(text.replace(recipe.weights, "0" * 12), tmp_path)
    assert "AssertionError: these are other weights" in found.stderr


@pytest.mark.slow
def test_of_a_thing_in_hand_it_says_what_to_put_in(tmp_path: Path) -> None:
    text = script_of(Recipe(Plan(), name="Mine\nimport os", in_hand=("model", "data", "metric")))
    assert "model = None  # put yours here (Mine?import os): it was in hand" in text
    assert "bench = pv.open(model, data, metric=metric)" in text
    found = ran(text, tmp_path)
    assert found.returncode == 1
    assert found.stderr == "put your model into this script first\n"


def test_what_was_opened_is_written_as_it_was_said() -> None:
    opening = OpenRequest(
        "w.pt", "d.npz", "timm:x", "my.own:metric", share=0.5, seed=3, mean=(0.5,)
    )
    text = script_of(Recipe(Plan(), opening))
    for part in ("'w.pt'", "'d.npz'", "metric=metric", "arch='timm:x'", "calibration=0.5",
                 "seed=3", "mean=(0.5,)", "import_module('my.own'), 'metric'"):  # fmt: skip
        assert part in text
    compile(text, "script", "exec")


@pytest.mark.parametrize("name", ["a'b", 'x"); print("ran', "\\", "\n", "'''", "é"])
def test_no_name_leaves_its_quotes(name: str) -> None:
    recipe = Recipe(
        Plan(name, sparsity={name: 0.5}),
        OpenRequest(name, name, name, tokenizer=name),
        name=name,
        made={name: name},
        expected=RecipeResult(name, 5, float("inf")),
    )
    text = script_of(recipe)
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    names = [ast.unparse(call.func) for call in calls]
    assert names.count("print") == 4
    assert len(ast.parse(text).body) == 10
