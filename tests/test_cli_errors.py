"""What do cost, shrink and a mistake on the command line say?"""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

import pruneviz as pv
from pruneviz.measuring import cost as cost_module
from pruneviz.measuring.ledger import Cost
from pruneviz.sources.registered import registered_names
from tests.test_cli import LAYERS, NEURON, read, run

# -- prune -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lenet5() -> pv.Workbench:
    """lenet5 as anybody opens it."""
    return pv.open("lenet5")


# -- cost --------------------------------------------------------------------------------------


FILTERS = ("--criterion", "l2", "--granularity", "neuron", "--all", "0.5")

HALF = pv.Plan("l2", "neuron", sparsity=dict.fromkeys(LAYERS[1:4], 0.5))


def no_runtime(*_: object) -> None:
    """In place of an export to ONNX, which takes most of the time of a ledger."""
    raise ValueError("ONNX Runtime is not here")


@pytest.fixture
def _no_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost_module, "in_onnx_runtime", no_runtime)


@pytest.fixture(scope="module")
def known_cost(lenet5: pv.Workbench) -> Cost:
    """The ledger of half the filters and neurons that are not locked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cost_module, "in_onnx_runtime", no_runtime)
        return lenet5.cost(HALF)


@pytest.mark.usefixtures("_no_runtime")
def test_the_ledger_is_that_of_the_library(known_cost: Cost) -> None:
    found, cost = read("cost", "lenet5", *FILTERS), known_cost
    assert isinstance(found, dict)
    assert pv.Plan.from_dict(found["plan"]) == HALF
    known = cost.as_dict()
    assert set(found) == {"model", "plan", *known}
    for name in ("asked", "kept", "ideal_macs", "bitmask", "csr", "batch"):
        assert found[name] == known[name], name
    for name in ("dense", "masked", "shrunk"):
        for part in ("params", "zeros", "macs", "file", "zipped", "memory"):
            assert found[name][part] == known[name][part], (name, part)
    assert found["shrunk"]["params"] < found["dense"]["params"]


@pytest.mark.usefixtures("_no_runtime")
def test_the_ledger_is_told_in_words(known_cost: Cost) -> None:
    result = run("cost", "lenet5", *FILTERS)
    assert result.exit_code == 0, result.output
    cost = known_cost
    for row in cost.readable.itertuples():
        assert f"{row.quantity}: " in result.stdout
    for text in (f"{cost.kept:,}", "dense", "masked", "shrunk", "no ordinary CPU or GPU does this"):
        assert text in result.stdout
    assert "left dense: fc3 (output head" in result.stderr


# -- shrink ------------------------------------------------------------------------------------


def test_a_shrunk_network_is_written_and_reads_back(lenet5: pv.Workbench, tmp_path: Path) -> None:
    out = tmp_path / "small.safetensors"
    found = read("shrink", "lenet5", *FILTERS, "--out", str(out))
    assert isinstance(found, dict)
    small = lenet5.prune(pv.Plan.from_dict(found["plan"])).shrink()
    written = load_file(out)
    assert set(written) == set(small.state_dict())
    for name, tensor in small.state_dict().items():
        assert written[name].equal(tensor), name
    assert found["params"] == lenet5.counts(pv.Plan()).params
    assert found["params_left"] == sum(p.numel() for p in small.parameters())
    assert found["bytes"] == out.stat().st_size
    assert 0 <= found["difference"] <= 1e-5
    assert [path.name for path in tmp_path.iterdir()] == [out.name], "nothing else is left there"


def test_what_is_there_is_written_over_only_by_force(tmp_path: Path) -> None:
    out = tmp_path / "small.safetensors"
    out.write_text("mine")
    refused = run("shrink", "lenet5", *FILTERS, "--out", str(out))
    assert refused.exit_code == 1
    assert str(out) in refused.stderr
    assert "--force" in refused.stderr
    assert out.read_text() == "mine"
    written = run("shrink", "lenet5", *FILTERS, "--out", str(out), "--force")
    assert written.exit_code == 0, written.output
    assert "parameters: 61,706 before" in written.stdout
    assert "differ by at most" in written.stdout
    assert load_file(out)


def test_what_cannot_be_shrunk_leaves_no_file(tmp_path: Path) -> None:
    out = tmp_path / "small.safetensors"
    result = run("shrink", "lenet5", "--all", "0.5", "--out", str(out))  # single weights
    assert result.exit_code == 1
    assert "weight" in result.stderr
    assert list(tmp_path.iterdir()) == []


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
        (["prune", "lenet5", "--pin", "conv1"], "'conv1'"),
        (["prune", "lenet5", "--pin", "conv1:3"], "'conv1:3'"),
        (["prune", "lenet5", "--pin", "conv1:3=drop"], "'conv1:3=drop'"),
        (["prune", "lenet5", "--pin", "conv1:x=cut"], "'x'"),
        (["prune", "lenet5", "--pin", "nosuch:3=cut"], "'nosuch'"),
        (["prune", "lenet5", *NEURON, "--pin", "conv2:16=cut"], "'16'"),
        (["prune", "lenet5", "--aggregate", "median"], "'median'"),
        (["prune", "lenet5", "--repair", "luck"], "'luck'"),
        (["cost", "nosuch"], "unknown model 'nosuch'"),
        (["cost", "lenet5", "--sparsity", "nosuch=0.5"], "no layer 'nosuch'"),
        (["groups", "nosuch"], "unknown model 'nosuch'"),
        (["shrink", "lenet5", "--all", "0.5"], "--out"),
        (["shrink", "lenet5", "--all", "0.5", "--out", "small.pt"], "'small.pt'"),
        (["shrink", "lenet5", "--out", "no/such/small.safetensors"], "'no/such'"),
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


@pytest.mark.slow
def test_the_module_is_the_same_command() -> None:
    command = [sys.executable, "-m", "pruneviz", "models"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert printed.stdout.split() == list(registered_names())
