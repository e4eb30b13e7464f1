"""Does the command line say the same as the library, and refuse in one sentence?"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import pruneviz as pv
from pruneviz.cli import main
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.sources.registered import registered_names
from tests.cases import slow_but


def run(*arguments: str) -> Result:
    """Run `pruneviz` with these arguments in this process."""
    return CliRunner().invoke(main, list(arguments))


def read(*arguments: str) -> object:
    """The JSON that `pruneviz … --json` prints, read as strictly as JSON is."""
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output

    def refuse(name: str) -> float:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(result.stdout, parse_constant=refuse)


# -- lists -------------------------------------------------------------------------------------


def test_models_are_listed() -> None:
    assert run("models").stdout.split() == list(registered_names())
    assert read("models") == list(registered_names())


def test_criteria_are_listed_with_their_words() -> None:
    text, found = run("criteria").stdout, read("criteria")
    assert isinstance(found, dict)
    assert list(found) == list(CRITERIA)
    for name, criterion in CRITERIA.items():
        assert found[name]["formula"].startswith(criterion.formula)
        for part in (name, criterion.label, criterion.formula, criterion.source):
            assert part in text


def test_the_glossary_explains_words_criteria_and_repairs() -> None:
    text, found = run("glossary").stdout, read("glossary")
    assert isinstance(found, dict)
    for terms in found.values():
        for term in terms:
            assert term["title"] in text
            assert term["text"] in text


@pytest.mark.parametrize("network", slow_but(lambda name: name == "lenet5", ["lenet5", "resnet20"]))
def test_layers_are_those_of_the_library(network: str) -> None:
    bench = pv.open(network)
    table = bench.layers
    rows = table.assign(shape=table["shape"].map(list)).to_dict(orient="records")
    assert read("layers", network) == rows
    text = run("layers", network).stdout
    lines = text.strip().splitlines()
    assert len([line for line in lines if not line.startswith("never pruned")]) == len(table) + 1
    reached = table["params"].sum()
    never = [int(line.split()[2].replace(",", "")) for line in lines if line.startswith("never")]
    assert reached + sum(never) == bench.counts(pv.Plan()).params
    for name in table["layer"]:
        assert name in text


# -- prune -------------------------------------------------------------------------------------


LAYERS = ("conv1", "conv2", "fc1", "fc2", "fc3")

NEURON = ("--granularity", "neuron", "--all", "0.5")

ASKED = [
    (["--all", "0.8"], pv.Plan(sparsity=dict.fromkeys(LAYERS[1:4], 0.8))),
    (["--all", "0.8", "--unlocked"], pv.Plan(sparsity=dict.fromkeys(LAYERS, 0.8))),
    (
        ["--sparsity", "conv1=0.25", "--sparsity", "fc1=.9"],
        pv.Plan(sparsity={"conv1": 0.25, "fc1": 0.9}),
    ),
    (
        ["--criterion", "wanda", "--scope", "global", "--relative", "--all", "0.7", "--unlocked"],
        pv.Plan("wanda", "weight", "global", dict.fromkeys(LAYERS, 0.7), relative=True),
    ),
    (
        ["--criterion", "l2", *NEURON, "--unlocked", "--sparsity", "fc3=0"],
        pv.Plan("l2", "neuron", sparsity=dict.fromkeys(LAYERS, 0.5) | {"fc3": 0.0}),
    ),
    (
        ["--criterion", "random", "--seed", "3", "--granularity", "1:4", "--sparsity", "fc1=0.75"],
        pv.Plan("random", "1:4", sparsity={"fc1": 0.75}, seed=3),
    ),
    (
        [
            *("--criterion", "l2", "--granularity", "neuron", "--sparsity", "conv2=0.5"),
            *("--pin", "conv2:3=cut", "--pin", "conv2:5=keep", "--aggregate", "max"),
            *("--repair", "reconstruct", "--repair", "fold"),
        ],
        pv.Plan(
            "l2",
            "neuron",
            sparsity={"conv2": 0.5},
            pinned={"conv2": {"3": False, "5": True}},
            aggregate="max",
            repair=("fold", "reconstruct"),
        ),
    ),
    (
        ["--sparsity", "fc1=0.5", "--pin", "fc1:2:4,0:9=keep", "--pin", "fc2:7=cut"],
        pv.Plan(sparsity={"fc1": 0.5}, pinned={"fc1": {"2:4,0:9": True}, "fc2": {"7": False}}),
    ),
    ([], pv.Plan()),
]


@pytest.fixture(scope="module")
def lenet5() -> pv.Workbench:
    """lenet5 as anybody opens it."""
    return pv.open("lenet5")


@pytest.mark.parametrize(
    ("options", "plan"),
    slow_but(lambda options, plan: plan.repair or plan.pinned or not options, ASKED),
)
def test_json_agrees_with_the_library_to_the_last_digit(
    lenet5: pv.Workbench, options: list[str], plan: pv.Plan
) -> None:
    found = read("prune", "lenet5", *options)
    assert isinstance(found, dict)
    result, cost, pruned = lenet5.evaluate(plan), lenet5.counts(plan), lenet5.prune(plan)
    assert pv.Plan.from_dict(found["plan"]) == plan
    assert found["model"] == "lenet5"
    for name in (
        "n",
        "accuracy",
        "low",
        "high",
        "loss",
        "delta",
        "delta_low",
        "delta_high",
        "words",
    ):
        assert found[name] == getattr(result, name), name
    for name in ("params", "params_kept", "macs", "macs_kept", "bytes_dense", "bytes_sparse"):
        assert found[name] == getattr(cost, name), name
    assert found["per_class"] == dict(result.per_class)
    assert found["layers"] == pruned.report.to_dict(orient="records")
    assert found["warnings"] == lenet5.warnings(plan)


def test_the_text_says_the_same_rounded(lenet5: pv.Workbench) -> None:
    plan = pv.Plan(sparsity=dict.fromkeys(lenet5.layer_of, 0.9))
    result, cost = lenet5.evaluate(plan), lenet5.counts(plan)
    printed = run("prune", "lenet5", "--all", "0.9", "--unlocked")
    assert printed.exit_code == 0
    for part in (
        f"accuracy {result.accuracy:.4f} ({result.low:.4f} … {result.high:.4f}) on 2,000 samples",
        f"loss {result.loss:.4g}",
        result.words,
        f"{cost.params_kept:,} of {cost.params:,}",
    ):
        assert part in printed.stdout
    for name in lenet5.layer_of:
        assert name in printed.stdout


def test_the_first_samples_alone(lenet5: pv.Workbench) -> None:
    found = read("prune", "lenet5", "--all", "0.5", "--unlocked", "-n", "300")
    assert isinstance(found, dict)
    result = lenet5.evaluate(pv.Plan(sparsity=dict.fromkeys(lenet5.layer_of, 0.5)), 300)
    assert (found["n"], found["accuracy"], found["loss"]) == (300, result.accuracy, result.loss)


def test_a_class_without_a_sample_is_still_json(lenet5: pv.Workbench) -> None:
    assert any(math.isnan(share) for share in lenet5.evaluate(pv.Plan(), 3).per_class.values())
    found = read("prune", "lenet5", "-n", "3")
    assert isinstance(found, dict)
    assert found["n"] == 3


def test_a_collapse_is_said_beside_the_numbers(lenet5: pv.Workbench) -> None:
    printed = run("prune", "lenet5", "--sparsity", "conv2=1")
    assert printed.exit_code == 0
    assert "collapse" in printed.stderr
    assert "conv2" in printed.stderr
    assert "collapse" not in printed.stdout


# -- groups ------------------------------------------------------------------------------------


def test_groups_are_those_of_the_library(lenet5: pv.Workbench) -> None:
    found, known = read("groups", "lenet5"), lenet5.groups
    assert isinstance(found, dict)
    assert [row["group"] for row in found["groups"]] == list(known.groups)
    for row, group in zip(found["groups"], known.groups.values(), strict=True):
        assert row["units"] == group.units
        assert row["word"] == group.word
        assert tuple(row["members"]) == group.layers
        assert tuple(row["consumers"]) == group.consumers
    assert found["fixed"] == dict(known.fixed)
    text = run("groups", "lenet5").stdout
    for name, reason in known.fixed.items():
        assert f"stays: {name} ({reason})" in text
    assert "fc3" in known.fixed, "the answers stay"
    assert len(text.splitlines()) == 1 + len(known.groups) + len(known.fixed)


# -- nothing to prune --------------------------------------------------------------------------


LOCKED = """
import torch
from torch import nn

def locked():
    network = nn.Sequential(nn.Embedding(10, 4), nn.Flatten(), nn.Linear(12, 3))
    return network, (torch.randint(10, (20, 3)), torch.arange(20) % 3)

def narrow():
    network = nn.Sequential(nn.Linear(4, 1), nn.ReLU(), nn.Linear(1, 6), nn.ReLU(), nn.Linear(6, 3))
    return network, (torch.randn(20, 4), torch.arange(20) % 3)
"""


@pytest.fixture
def _own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "pv_cli_own.py").write_text(LOCKED)
    yield
    sys.modules.pop("pv_cli_own", None)


@pytest.mark.usefixtures("_own")
@pytest.mark.parametrize("command", ["prune", "cost"])
def test_where_everything_is_locked_every_layer_is_named(command: str) -> None:
    result = run(command, "pv_cli_own:locked", "--all", "0.5")
    assert result.exit_code == 1
    assert "nothing to prune: every layer is locked: 0 (embedding" in result.stderr
    assert ", 2 (output head" in result.stderr
    assert "--unlocked" in result.stderr
    assert result.stdout == ""


@pytest.mark.usefixtures("_own")
def test_a_layer_of_one_unit_is_left_alone_and_it_is_said() -> None:
    arguments = ["prune", "pv_cli_own:narrow", "--granularity", "neuron", "--all", "0.5"]
    result = run(*arguments, "--unlocked")
    assert result.exit_code == 0, result.output
    assert "left dense: 0 (it has one neuron only" in result.stderr
    found = read(*arguments, "--unlocked")
    assert isinstance(found, dict)
    assert "0" not in found["plan"]["sparsity"]
    assert found["plan"]["sparsity"]["2"] == 0.5


@pytest.mark.slow
def test_heads_are_asked_of_attention_alone() -> None:
    arguments = ["prune", "vit", "--granularity", "head", "--criterion", "l2", "--all", "0.5"]
    found = read(*arguments, "-n", "64")
    assert isinstance(found, dict)
    asked = found["plan"]["sparsity"]
    assert asked == {f"blocks.{block}.attn.qkv": 0.5 for block in range(4)}
    said = run(*arguments, "-n", "64").stderr
    assert "left dense: blocks.0.mlp.fc1 (heads: this layer holds no attention heads" in said
