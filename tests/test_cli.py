"""Does the command line say the same as the library, and refuse in one sentence?"""

from __future__ import annotations

import json
import math
import socket
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result

import pruneviz as pv
from pruneviz.cli import main
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.sources.registered import registered_names


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


@pytest.mark.parametrize("network", ["lenet5", "resnet20"])
def test_layers_are_those_of_the_library(network: str) -> None:
    table = pv.open(network).layers
    rows = table.assign(shape=table["shape"].map(list)).to_dict(orient="records")
    assert read("layers", network) == rows
    text = run("layers", network).stdout
    lines = text.strip().splitlines()
    assert len([line for line in lines if not line.startswith("never pruned")]) == len(table) + 1
    reached = table["shape"].map(math.prod).sum()
    never = [int(line.split()[2].replace(",", "")) for line in lines if line.startswith("never")]
    assert reached + sum(never) == pv.open(network).cost(pv.Plan()).params
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
    ([], pv.Plan()),
]


@pytest.fixture(scope="module")
def lenet5() -> pv.Workbench:
    """lenet5 as anybody opens it."""
    return pv.open("lenet5")


@pytest.mark.parametrize(("options", "plan"), ASKED)
def test_json_agrees_with_the_library_to_the_last_digit(
    lenet5: pv.Workbench, options: list[str], plan: pv.Plan
) -> None:
    found = read("prune", "lenet5", *options)
    assert isinstance(found, dict)
    result, cost, pruned = lenet5.evaluate(plan), lenet5.cost(plan), lenet5.prune(plan)
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
    plan = pv.Plan(sparsity=dict.fromkeys(lenet5.found, 0.9))
    result, cost = lenet5.evaluate(plan), lenet5.cost(plan)
    printed = run("prune", "lenet5", "--all", "0.9", "--unlocked")
    assert printed.exit_code == 0
    for part in (
        f"accuracy {result.accuracy:.4f} ({result.low:.4f} … {result.high:.4f}) on 2,000 samples",
        f"loss {result.loss:.4g}",
        result.words,
        f"{cost.params_kept:,} of {cost.params:,}",
    ):
        assert part in printed.stdout
    for name in lenet5.found:
        assert name in printed.stdout


def test_the_first_samples_alone(lenet5: pv.Workbench) -> None:
    found = read("prune", "lenet5", "--all", "0.5", "--unlocked", "-n", "300")
    assert isinstance(found, dict)
    result = lenet5.evaluate(pv.Plan(sparsity=dict.fromkeys(lenet5.found, 0.5)), 300)
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


# -- errors ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["prune", "nosuch"], "unknown model 'nosuch'"),
        (["layers", "nosuch"], "unknown model 'nosuch'"),
        (["prune", "lenet5", "--criterion", "nosuch"], "unknown criterion 'nosuch'"),
        (["prune", "lenet5", "--sparsity", "nosuch=0.5"], "no layer 'nosuch'"),
        (["prune", "lenet5", "--sparsity", "conv1=1.2"], "sparsity of 'conv1' must be in [0, 1]"),
        (["prune", "lenet5", "--sparsity", "conv1=nan"], "sparsity of 'conv1' must be in [0, 1]"),
        (["prune", "lenet5", "--all", "-1"], "sparsity of 'conv2' must be in [0, 1]"),
        (["prune", "lenet5", "--sparsity", "conv1"], "'conv1'"),
        (["prune", "lenet5", "--sparsity", "conv1=half"], "'conv1=half'"),
        (["prune", "lenet5", "--granularity", "4:2"], "'4:2'"),
        (["prune", "lenet5", "--granularity", "rows"], "'rows'"),
        (["prune", "lenet5", "--scope", "town"], "'town'"),
        (["prune", "lenet5", "--granularity", "2:4", "--scope", "global"], "'2:4'"),
        (["prune", "lenet5", "--criterion", "lamp", *NEURON], "'lamp'"),
        (["prune", "lenet5", "--criterion", "bn_scale", *NEURON], "no batch norm follows"),
        (["prune", "lenet5", "--seed", "-1"], "seed"),
        (["prune", "lenet5", "-n", "0"], "1..2000"),
        (["prune", "lenet5", "-n", "99999"], "1..2000"),
        (["app", "--port", "99999"], "99999"),
    ],
)
def test_an_error_is_one_sentence_that_names_the_thing(arguments: list[str], named: str) -> None:
    result = run(*arguments)
    assert result.exit_code not in (0, None)
    assert isinstance(result.exception, SystemExit), "no traceback"
    assert named in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""


def test_a_port_in_use_is_said_with_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("app", "--port", str(port))
    assert result.exit_code == 1
    assert f"port {port} is in use" in result.stderr
    assert "--port" in result.stderr


def test_the_module_is_the_same_command() -> None:
    command = [sys.executable, "-m", "pruneviz", "models"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert printed.stdout.split() == list(registered_names())
