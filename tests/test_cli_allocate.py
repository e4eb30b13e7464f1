"""Does `pruneviz allocate` say the same as the library, and print what `pruneviz prune` takes?"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
from click.testing import CliRunner, Result

import pruneviz as pv
from pruneviz.allocation.request import SearchRequest
from pruneviz.cli import main
from pruneviz.plan import from_link
from pruneviz.storage.home import VARIABLE


@pytest.fixture(scope="module", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One folder for this file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(tmp_path_factory.mktemp("allocate")))
        yield


@pytest.fixture(scope="module")
def bench() -> pv.Workbench:
    """What the commands open too."""
    return pv.open("lenet300")


def run(*arguments: str) -> Result:
    """Run `pruneviz allocate` with these arguments in this process."""
    return CliRunner().invoke(main, ["allocate", *arguments])


def read(*arguments: str) -> dict[str, object]:
    """What it prints with --json."""
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


@pytest.mark.slow
def test_json_agrees_with_the_library(bench: pv.Workbench) -> None:
    told = read("lenet300", "--target", "0.9")
    found = bench.studies.search("sensitivity", 0.9, SearchRequest(locked=tuple(bench.locks)))
    assert pv.Plan.from_dict(told["plan"]) == found.plan
    assert (told["got"], told["words"], told["evaluations"], told["samples"], told["start"]) == (
        found.got, found.words, found.evaluations, found.samples, found.start,
    )  # fmt: skip
    assert told["locked"] == dict(bench.locks)
    assert [one["method"] for one in told["tried"]] == [one.method for one in found.tried]
    assert [one["accuracy"] for one in told["tried"]] == [one.accuracy for one in found.tried]
    whole = bench.evaluate(found.plan)
    assert told["result"]["accuracy"] == whole.accuracy
    assert (told["result"]["low"], told["result"]["high"]) == (whole.low, whole.high)
    assert found.holdout is not None
    assert told["held"]["delta_low"] == found.holdout.delta_low
    assert told["layers"] == bench.masks(found.plan).report.to_dict(orient="records")


@pytest.mark.slow
def test_the_smallest_network_keeps_its_promise(bench: pv.Workbench) -> None:
    told = read("lenet300", "--lose", "1")
    found = bench.studies.smallest(0.01, SearchRequest(locked=tuple(bench.locks)))
    assert pv.Plan.from_dict(told["plan"]) == found.plan
    assert told["searched"]["delta_low"] >= -0.01
    assert told["got"] > 0.3


@pytest.mark.slow
def test_the_text_has_a_row_for_each_layer_and_what_was_tried(bench: pv.Workbench) -> None:
    result = run("lenet300", "--target", "0.9")
    assert result.exit_code == 0, result.output
    found = bench.studies.search("sensitivity", 0.9, SearchRequest(locked=tuple(bench.locks)))
    kept = dict(bench.masks(found.plan).report[["layer", "kept"]].itertuples(index=False))
    for name, count in kept.items():
        level = found.plan.sparsity.get(name, 0.0)
        assert re.search(rf"^ *{name} +{level:.4f} +{count} +", result.stdout, re.MULTILINE)
    whole = bench.evaluate(found.plan)
    assert f"accuracy {whole.accuracy:.4f} ({whole.low:.4f} … {whole.high:.4f})" in result.stdout
    assert whole.words in result.stdout
    for one in found.tried:
        assert re.search(rf"^ *{re.escape(one.method)} +{one.accuracy:.4f} ", result.stdout, re.M)
    assert "left as it is: fc3 (output head" in result.stderr
    assert "%" not in result.stderr, "no progress into a file"


@pytest.mark.parametrize(
    "more",
    [
        ["lenet300", "--method", "lamp"],
        pytest.param(
            ["lenet5", "--granularity", "neuron", "--criterion", "l2", "--repair", "fold"],
            marks=pytest.mark.slow,
        ),
        pytest.param(["lenet300", "--criterion", "random", "--seed", "3"], marks=pytest.mark.slow),
    ],
)
def test_the_last_line_prunes_the_same(more: list[str]) -> None:
    method = [] if "--method" in more else ["--method", "uniform"]
    arguments = [*more, *method, "--target", "0.6"]
    told = read(*arguments)
    line = run(*arguments).stdout.splitlines()[-1]
    assert line == f"again: {told['again']}"
    words = shlex.split(line.removeprefix("again: "))
    assert words[0] == "pruneviz"
    again = json.loads(CliRunner().invoke(main, [*words[1:], "--json"]).stdout)
    assert [row["kept"] for row in again["layers"]] == [row["kept"] for row in told["layers"]]
    assert again["accuracy"] == told["result"]["accuracy"]


def test_the_link_opens_the_app_at_the_plan(bench: pv.Workbench) -> None:
    result = run("lenet300", "--method", "erk", "--target", "0.5", "--lock", "fc2", "--link")
    assert result.exit_code == 0, result.output
    asked = parse_qs(result.stdout.strip().removeprefix("?"))
    assert asked["model"] == ["lenet300"]
    plan = from_link(asked["plan"][0], bench.fingerprint)
    assert set(plan.sparsity) == {"fc1"}
    assert set(asked["locked"][0].split(",")) == {"fc2", "fc3"}


def test_locks_hold_unless_they_are_opened() -> None:
    quick = ("lenet300", "--method", "uniform", "--target", "0.5")
    assert set(read(*quick)["plan"]["sparsity"]) == {"fc1", "fc2"}
    assert set(read(*quick, "--unlocked")["plan"]["sparsity"]) == {"fc1", "fc2", "fc3"}
    told = read(*quick, "--unlocked", "--lock", "fc1")
    assert set(told["plan"]["sparsity"]) == {"fc2", "fc3"}
    assert told["locked"] == {"fc1": "locked by --lock"}


@pytest.mark.slow
def test_one_member_locks_its_group() -> None:
    told = read(
        "resnet20", "--method", "uniform", "--target", "0.3", "--granularity", "neuron",
        "--criterion", "l2", "--lock", "layer1.0.conv2",
    )  # fmt: skip
    stays = {name for name, level in told["plan"]["sparsity"].items() if not level}
    moved = set(told["plan"]["sparsity"]) - stays
    assert moved
    assert not moved & {"conv1", "layer1.0.conv2", "layer1.1.conv2", "layer1.2.conv2"}


@pytest.mark.slow
def test_floors_hold_for_all_layers_or_one() -> None:
    quick = ("lenet300", "--method", "lamp", "--target", "0.6")
    free = read(*quick)["plan"]["sparsity"]
    assert free["fc1"] > 0.6
    assert max(read(*quick, "--floor", "0.4")["plan"]["sparsity"].values()) <= 0.6
    one = read(*quick, "--floor", "fc2=0.9")["plan"]["sparsity"]
    assert one["fc2"] <= 0.1 < free["fc2"]


def test_budgets_are_counted_in_their_unit(bench: pv.Workbench) -> None:
    told = read("lenet5", "--method", "uniform", "--target", "0.5", "--budget", "macs")
    assert told["budget"] == "macs"
    assert "MACs" in told["words"]
    assert told["got"] == pytest.approx(0.5, abs=0.001)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["lenet300"], "--target 0.9 or --lose 1"),
        (["lenet300", "--target", "0.5", "--lose", "1"], "one of them"),
        (["lenet300", "--lose", "1", "--method", "erk"], "leave --method out"),
        (["lenet300", "--target", "1.5"], "1.5"),
        (["lenet300", "--target", "nan", "--method", "uniform"], "nan"),
        (["lenet300", "--lose", "0"], "lose must be in (0, 1)"),
        (["lenet300", "--lose", "100"], "lose must be in (0, 1)"),
        (["lenet300", "--target", "0.5", "--method", "hope"], "hope"),
        (["lenet300", "--target", "0.5", "--budget", "money"], "money"),
        (["lenet300", "--target", "0.5", "--budget", "latency"], "masks alone"),
        (["lenet300", "--target", "0.5", "--floor", "much"], "'much'"),
        (["lenet300", "--target", "0.5", "--floor", "1.5"], "1.5"),
        (["lenet300", "--target", "0.5", "--floor", "fc9=0.1"], "fc9"),
        (["lenet300", "--target", "0.5", "--floor", "0.1", "--floor", "fc1=0.2"], "one X"),
        (["lenet300", "--target", "0.9", "--floor", "0.5", "--method", "uniform"], "50"),
        (["lenet300", "--target", "0.5", "--lock", "fc9"], "fc9"),
        (["lenet300", "--target", "0.5", "--lock", "fc1", "--lock", "fc2"], "locked"),
        (["lenet300", "--target", "0.5", "--granularity", "2:4"], "one level only"),
        (["lenet300", "--target", "0.5", "--criterion", "magnitud"], "magnitud"),
        (["lenet300", "--target", "0.5", "--repair", "hope"], "hope"),
        (["lenet300", "--target", "0.5", "--granularity", "head"], "nothing in it can be cut"),
        (["nobody", "--target", "0.5"], "nobody"),
    ],
)
def test_bad_options_are_refused_in_a_sentence(arguments: list[str], named: str) -> None:
    result = run(*arguments)
    assert result.exit_code in (1, 2)
    assert named in result.stderr
    assert "Traceback" not in result.output
