"""Do the blocks go that score or measure lowest, as near to a target as whole ones can?"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.allocation.request import SearchRequest
from pruneviz.cli import main
from pruneviz.training import Training
from pruneviz.workbench import Workbench


class Four(nn.Module):
    """Four branches that add to what passes: the last two say the class, the first two little."""

    def __init__(self) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Linear(4, 4) for _ in range(4))
        with torch.no_grad():
            for scale, branch in zip((5.0, 0.0, 1.0, 3.0), self.branches, strict=True):
                assert isinstance(branch, nn.Linear)
                branch.bias.zero_()
                branch.weight.zero_()
                if scale == 5.0:  # large, and read by nobody
                    branch.weight[3, 3] = scale
                else:
                    branch.weight[0, 1] = scale

    def forward(self, x: Tensor) -> Tensor:
        for branch in self.branches:
            x = x + branch(x)
        return torch.stack([x[:, 0], -x[:, 0]], 1)


@pytest.fixture(scope="module")
def four() -> Workbench:
    torch.manual_seed(1)
    inputs = torch.randn(400, 4)
    return pv.open(Four().eval(), (inputs, (inputs[:, 0] + 4 * inputs[:, 1] < 0).long()))


def gone(plan: pv.Plan) -> list[str]:
    return [name.removeprefix("branches.") for name, level in plan.sparsity.items() if level]


def test_lowest_scores_go_first(four: Workbench) -> None:
    blocks = pv.Plan("magnitude", "block")
    for target, found in ((0.25, ["1"]), (0.5, ["1", "2"]), (0.75, ["1", "2", "3"])):
        assert sorted(gone(four.allocate("global", target, blocks))) == found
    assert four.allocate("global", 0.0, blocks).is_dense


def test_what_measures_best_goes_first_and_the_others_are_measured_again(four: Workbench) -> None:
    blocks = pv.Plan("magnitude", "block")
    result = four.studies.search("sensitivity", 0.5, SearchRequest(blocks))
    assert sorted(gone(result.plan)) == ["0", "1"]
    assert result.evaluations == 4 + 3
    assert result.result is not None
    assert result.result.accuracy == four.evaluate(pv.Plan(), result.result.n).accuracy
    assert "7 plans were measured, each round without one block more" in result.words
    assert sorted(gone(four.allocate("sensitivity", 0.75, blocks))) == ["0", "1", "2"]


def test_a_locked_block_stays(four: Workbench) -> None:
    request = SearchRequest(pv.Plan("magnitude", "block"), locked=("branches.1",))
    assert gone(four.studies.search("global", 0.3, request).plan) == ["2"]


@pytest.mark.parametrize("method", ["uniform", "erk", "lamp", "owl"])
def test_what_shares_out_parts_is_refused(four: Workbench, method: str) -> None:
    with pytest.raises(ValueError, match=rf"method '{method}' .* a block goes whole"):
        four.allocate(method, 0.5, granularity="block")


def test_what_was_left_out_stays_out_in_training(four: Workbench) -> None:
    plan = pv.Plan("magnitude", "block", sparsity={"branches.1": 1.0})
    trained = four.train(plan, Training(epochs=1, samples=64))
    assert (trained.plan.granularity, gone(trained.plan)) == ("block", ["1"])
    version = Workbench(trained.source("again"), four)
    assert version.prune(trained.plan).sparsity["branches.1"] == 1.0
    with pytest.raises(ValueError, match="remove=True"):
        four.train(plan, Training("gradual", epochs=1, remove=True))


def test_a_scan_leaves_out_each_block_alone(four: Workbench) -> None:
    table = four.scan(pv.Plan("magnitude", "block"))
    assert table["sparsity"].tolist() == [1.0] * 4
    worst = table.set_index("layer")["delta"].idxmin()
    assert worst == "branches.3"


def test_the_command_line_leaves_out_blocks(benches: Callable[[str], Workbench]) -> None:
    run = CliRunner().invoke
    line = ["allocate", "vit", "--granularity", "block", "--method", "global", "--target", "0.25"]
    result = run(main, [*line, "--json"])
    assert result.exit_code == 0, result.output
    levels = json.loads(result.stdout)["plan"]["sparsity"]
    assert sum(1 for level in levels.values() if level) == 4  # two layers in each of two blocks
    shut = run(main, ["prune", "resnet20", "--granularity", "block", "--sparsity", "fc=1"])
    assert shut.exit_code != 0
    assert "no residual connection passes it by" in shut.output
