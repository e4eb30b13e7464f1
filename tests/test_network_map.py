"""What is drawn of a network as a graph, and where does it stand?"""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from pruneviz.data import Data
from pruneviz.network.routes import Routes, RouteStep
from pruneviz.ui.network_map.content import blocks_of, facts, geometry
from pruneviz.ui.network_map.folds import (
    MOST,
    find_blocks,
    first_open,
    open_blocks,
    visible,
    within_bounds,
)
from pruneviz.ui.network_map.layout import lay_out
from pruneviz.workbench import Workbench
from pruneviz.workbench.opening import open_workbench
from tests.page import PATIENCE, Page, texts


def residual(blocks: int) -> Routes:
    """input, then `blocks` times a layer whose input is added to its output, and the output."""
    steps, arrows = [RouteStep("input", "input")], []
    for block in range(blocks):
        at = len(steps)
        steps += [RouteStep(f"body.{block}.fc", "layer", (f"body.{block}.fc",))]
        steps += [RouteStep(f"body.{block}.add", "sum")]
        arrows += [(at - 1, at), (at, at + 1), (at - 1, at + 1)]
    steps.append(RouteStep("output", "output"))
    return Routes(tuple(steps), (*arrows, (len(steps) - 2, len(steps) - 1)))


def chain(layers: int) -> Routes:
    """A plain network whose layers have numbers alone for names."""
    names = [str(2 * layer) for layer in range(layers)]
    inner = (RouteStep(name, "layer", (name,)) for name in names)
    steps = (RouteStep("input", "input"), *inner, RouteStep("output", "output"))
    return Routes(steps, tuple(pairwise(range(len(steps)))))


# -- blocks ----------------------------------------------------------------------------------------


def test_blocks_follow_the_paths_and_ends_stay_outside() -> None:
    root = blocks_of(residual(2))
    assert [part if isinstance(part, int) else part.name for part in root.parts] == [0, "body", 5]
    (body,) = root.blocks
    assert [block.name for block in body.blocks] == ["body.0", "body.1"]
    assert body.steps == (1, 2, 3, 4)


def test_a_block_of_one_part_is_that_part() -> None:
    root = find_blocks(["a.b.c.one", "a.b.c.two", "d.e.three"])
    (block,) = root.blocks
    assert (block.name, block.parts) == ("a.b.c", (0, 1))
    assert root.parts[1] == 2


def test_what_is_folded_is_one_mark_with_all_its_layers() -> None:
    ways = residual(2)
    marks = geometry(ways, blocks_of(ways), ())["marks"]
    assert [mark["name"] for mark in marks] == ["input", "body", "output"]
    assert marks[1]["layers"] == ["body.0.fc", "body.1.fc"]
    opened = geometry(ways, blocks_of(ways), ("body", "body.0"))
    assert [mark["name"] for mark in opened["marks"]] == [
        "input", "body.0.fc", "body.0.add", "body.1", "output",
    ]  # fmt: skip
    assert [title["name"] for title in opened["titles"]] == ["body", "body.0"]
    assert len(opened["arrows"]) == 5  # the branch round fc is one more than the chain


def test_a_small_network_is_unfolded_at_first_and_a_large_one_only_so_far() -> None:
    small, large = blocks_of(residual(4)), blocks_of(residual(100))
    assert len(visible(small, first_open(small))) == 10
    assert len(visible(large, first_open(large))) <= 26


def test_neighbours_of_three_hundred_fold_and_their_marks_are_bounded() -> None:
    root = blocks_of(chain(300))
    at_first = visible(root, first_open(root))
    assert 10 < len(at_first) < 26
    runs = [mark.name for mark in at_first if not isinstance(mark, int)]
    assert runs[0] == "0 – 34"
    assert len(runs) == len(set(runs))
    everything = within_bounds(root, runs)
    assert len(visible(root, everything)) <= MOST
    assert everything == tuple(runs[-len(everything) :]), "what was opened first is folded first"
    assert set(everything) == {block.name for _, block in open_blocks(root, everything)}


# -- places ----------------------------------------------------------------------------------------


def test_arrows_lead_to_the_right_and_marks_do_not_overlap() -> None:
    ways = residual(6)
    root = blocks_of(ways)
    data = geometry(ways, root, [block.name for block in (*root.blocks, *next(root.blocks).blocks)])
    marks = data["marks"]
    assert len(marks) == 14
    for one in range(len(marks)):
        for other in range(one):
            apart = (marks[one]["width"] + marks[other]["width"]) / 2
            beside = abs(marks[one]["x"] - marks[other]["x"]) >= apart
            assert beside or abs(marks[one]["y"] - marks[other]["y"]) >= 38
    for way in data["arrows"]:
        assert all(start[0] < end[0] for start, end in pairwise(way))
    assert {mark["y"] for mark in marks if mark["kind"] == "sum"} == {marks[0]["y"]}


def test_a_circle_and_marks_without_arrows_have_their_places() -> None:
    layout = lay_out([60.0] * 5, [(0, 1), (1, 2), (2, 0)])
    assert len(set(layout.marks)) == 5
    assert len(layout.ways) == 3
    for (start, end), way in zip([(0, 1), (1, 2), (2, 0)], layout.ways, strict=True):
        assert (way[0], way[-1]) == (layout.marks[start], layout.marks[end])


def test_parts_that_do_not_hang_together_stand_below_each_other() -> None:
    arrows = [(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5)]
    layout = lay_out([60.0] * 6, arrows)
    assert max(y for _, y in layout.marks[:3]) < min(y for _, y in layout.marks[3:])
    assert len(set(layout.marks)) == 6


def test_nothing_is_laid_out_of_nothing() -> None:
    assert lay_out([], []).marks == ()


# -- what it is coloured by ------------------------------------------------------------------------


class Residual(nn.Module):
    """Two layers whose units are cut together, and one behind them."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.head = nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        inside = self.a(x)
        return self.head(inside + self.b(inside.relu()))


class Untraceable(nn.Module):
    """A network whose way depends on what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 6), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        inside = self.a(x)
        return self.b(inside if inside.sum().item() > 0 else -inside)


def bench_of(network: nn.Module) -> Workbench:
    torch.manual_seed(0)
    return open_workbench(network.eval(), Data(torch.randn(40, 4), torch.arange(40) % 3))


def test_facts_are_those_of_the_layers() -> None:
    bench = bench_of(Residual())
    found = facts(bench, bench.plan)
    assert found["groups"] == [["a", "b"]]
    assert found["layers"]["a"] == {"weights": 24, "macs": 24, "lost": None}
    assert found["parameters"] == 24 + 6 + 36 + 6 + 18 + 3
    assert found["macs"] == 24 + 36 + 18


def test_sensitivity_is_what_half_of_a_layer_costs() -> None:
    bench = bench_of(Residual())
    bench.scan(bench.plan)
    found = facts(bench, bench.plan)["layers"]
    for curve in bench.studies.known_curves(bench.plan).curves:
        for name in curve.slider.layers:
            assert found[name]["lost"] == max(0.0, -curve.at(0.5)[0])


# -- on the page -----------------------------------------------------------------------------------


def has_map(page: Page) -> bool:
    """Whether the map stands on the page once its network is traced."""
    page.choose("tabs", "Network map")
    work = page.app.session_state["MapWork"]
    if work.job is not None:
        work.job.wait(PATIENCE)
        page.run()
    names = {part.proto.component_name for part in page.app.get("bidi_component")}
    return "pruneviz.map" in names


def test_the_tab_shows_the_map() -> None:
    assert has_map(Page(model="lenet300").own("residual", bench_of(Residual())))


@pytest.mark.slow
def test_a_slow_network_is_traced_in_the_background() -> None:
    class Slow(Residual):
        def forward(self, x: Tensor) -> Tensor:
            time.sleep(3.0 if torch.compiler.is_exporting() else 0.0)
            return super().forward(x)

    page = Page(model="lenet300").own("slow", bench_of(Slow()))
    page.choose("tabs", "Network map")
    bars = [bar.proto.text for bar in page.app.get("progress")]
    assert any("Tracing the network" in text for text in bars)
    assert has_map(page)


def test_where_a_network_cannot_be_traced_the_page_says_so() -> None:
    page = Page(model="lenet300").own("odd", bench_of(Untraceable()))
    assert not has_map(page)
    assert "There is no map of this network. Untraceable cannot be traced" in texts(page.app)
