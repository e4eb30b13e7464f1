"""What may a recipe not open, and what is an error?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import pruneviz as pv
from pruneviz.plan import Plan
from pruneviz.recipes import Recipe, from_yaml, opening_of, recipe_of, replay, to_yaml
from pruneviz.recipes.replay import EXACTLY
from pruneviz.sources.open_request import OpenRequest
from pruneviz.workbench import Workbench
from tests.test_replay import HAND, run, written

OWN = """
from pathlib import Path

import torch
from torch import nn

Path("ran").touch()


def made():
    torch.manual_seed(0)
    data = torch.randn(60, 6), torch.arange(60) % 3
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)), data
"""


# -- what differs --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def measured(benches: Callable[[str], Workbench]) -> Recipe:
    bench, plan = benches("lenet5"), Plan(sparsity={"fc1": 0.9, "fc2": 0.9})
    return recipe_of(bench, plan, bench.evaluate(plan))


# -- what is an error ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            f"{HAND}model:\n  from: lenet5\n  weights: 0123456789ab\n",
            "line 4: model.weights: the recipe is for other weights: it expects 0123456789ab",
        ),
        (
            "model: lenet5\nplan:\n  sparsity:\n    fc1: 0.5\n    fc9: 0.5\n",
            "line 5: plan.sparsity.fc9: no such layer in 'lenet5'; there are conv1",
        ),
        ("model: lenet5\nplan:\n  pinned: {x: {5: false}}\n", "line 3: plan.pinned.x: no such"),
        (
            "model: lenet5\nplan:\n  criterion: magic\n",
            "line 3: plan.criterion: no criterion 'magic'; there are ",
        ),
        ("model: lenet5\nplan: {criteria: x}\n", "line 2: unknown key 'criteria' in plan"),
        ("model: nonsense\nplan: {}\n", "unknown model 'nonsense'"),
        (
            f"model: lenet5\n{HAND}training:\n  - method: gradual\n    epoch: 3\n",
            "line 5: unknown key 'epoch' in training.0; did you mean 'epochs'?",
        ),
        (
            f"model: lenet5\n{HAND}training:\n  - method: gradual\n    epochs: 0\n",
            "line 5: training.0.epochs: epochs must be a whole number of 1 or more, got 0",
        ),
        (
            f"model: lenet5\n{HAND}training:\n  - method: magic\n",
            "line 4: training.0.method: unknown method 'magic'; known are dense, one-shot",
        ),
        (
            f"model: lenet5\n{HAND}training:\n  - method: lottery\n    epochs: 2\n    rewind: 2\n",
            "line 6: training.0.rewind: rewind must be an epoch of the first round",
        ),
        (
            f"model: lenet5\n{HAND}training:\n"
            "  - method: gradual\n    plan: {sparsity: {x: 2}}\n",
            "line 5: training.0.plan.sparsity.x must be at most 1, got 2",
        ),
        (
            f"model: lenet5\n{HAND}training:\n"
            "  - {method: gradual, plan: {sparsity: {x: 1}}}\n",
            "training.0.plan.sparsity.x: no such layer in 'lenet5'",
        ),
        (
            "model: lenet5\nplan: {granularity: neuron, sparsity: {conv1: 0.5}, "
            "pinned: {conv1: {99: false}}}\n",
            "line 2: plan: ",
        ),
        (f"in_hand: [model]\n{HAND}", "model: its network was in hand in Python and has no name"),
        (f"model: lenet5\nin_hand: [data]\n{HAND}", "name it with --data"),
        (f"model: gone.safetensors\n{HAND}", "there is no file or folder gone.safetensors"),
    ],
)
def test_errors_name_line_and_key_and_end_with_one(tmp_path: Path, text: str, words: str) -> None:
    result = run(written(tmp_path, text))
    assert result.exit_code == 1
    assert words in result.stderr
    assert result.stdout == ""


def test_both_fingerprints_are_told(measured: Recipe, benches: Callable[[str], Workbench]) -> None:
    vit = benches("vit")
    with pytest.raises(ValueError, match=rf"it expects {measured.weights}, .* {vit.fingerprint};"):
        replay(measured, vit)


# -- what a recipe may open ----------------------------------------------------------------


def test_code_runs_only_where_it_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "my_own_net.py").write_text(OWN, "utf-8")
    path = written(tmp_path, "model: my_own_net:made\nplan: {sparsity: {0: 0.5}}\n")
    result = run(path)
    assert result.exit_code == 1
    assert "line 1: model: this recipe runs code of its own: my_own_net:made" in result.stderr
    assert not (tmp_path / "ran").exists()
    assert run(path, "--trust").exit_code == 0
    assert (tmp_path / "ran").exists()
    path = written(tmp_path, "plan: {sparsity: {0: 0.5}}\n")
    assert run(path, "--model", "my_own_net:made").exit_code == 0  # said by whoever runs it


@pytest.mark.parametrize(
    "opening",
    [
        OpenRequest("x.pt", unsafe=True),
        OpenRequest("w.safetensors", arch="os:getcwd"),
        OpenRequest("lenet5", data="os:getcwd"),
        OpenRequest("lenet5", metric="os:getcwd"),
        OpenRequest("os:getcwd"),
    ],
    ids=repr,
)
def test_whatever_runs_code_must_be_trusted(opening: OpenRequest) -> None:
    recipe = Recipe(Plan(), opening)
    with pytest.raises(ValueError, match="runs code of its own"):
        opening_of(recipe)
    assert opening_of(recipe, trust=True) == opening


def test_what_is_given_stands_in_place_of_what_is_said() -> None:
    recipe = Recipe(Plan(), OpenRequest("w.pt", "d.npz", "timm:resnet18", unsafe=True, seed=4))
    assert opening_of(recipe, "other.pt", "e.npz") == OpenRequest(
        "other.pt", "e.npz", "timm:resnet18", seed=4
    )
    assert opening_of(recipe, "lenet5").arch is None
    assert opening_of(Recipe(Plan()), "lenet5") == OpenRequest("lenet5")


def test_files_may_lie_beside_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").touch()
    recipe = Recipe(Plan(), OpenRequest("w.safetensors", "d.npz", "timm:resnet18"))
    found = opening_of(recipe, folder=tmp_path)
    assert (found.model, found.data) == (str(tmp_path / "w.safetensors"), "d.npz")


@pytest.mark.slow
def test_own_weights_and_data_again_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = pv.open("lenet300").source
    save_file(source.model.state_dict(), tmp_path / "w.safetensors")
    data = source.validation.first(200)
    assert data.targets is not None
    assert isinstance(data.inputs, torch.Tensor)
    np.savez(tmp_path / "d.npz", x=data.inputs.numpy(), y=data.targets.numpy())
    bench = pv.open("w.safetensors", "d.npz", arch="sample:lenet300", calibration=0.5, seed=3)
    plan = Plan("wanda", sparsity={"fc1": 0.8})
    text = to_yaml(recipe_of(bench, plan, bench.evaluate(plan)))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    result = run(written(tmp_path, text))
    assert result.exit_code == 0, result.output
    assert "the same: masks identical; accuracy agrees exactly" in result.stdout


def test_a_network_in_hand_replays_where_it_is_in_hand() -> None:
    def opened() -> Workbench:
        torch.manual_seed(1)
        model = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 3))
        return pv.open(model, (torch.randn(90, 5), torch.arange(90) % 3))

    bench, plan = opened(), Plan("wanda", sparsity={"0": 0.5})
    recipe = from_yaml(to_yaml(recipe_of(bench, plan, bench.evaluate(plan))))
    assert replay(recipe, opened()).accuracy == EXACTLY
