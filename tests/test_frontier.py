"""Does a plan that begins where it differs from others answer as the whole network does?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.measuring import frontier as frontier_module
from pruneviz.measuring.answers import answer
from pruneviz.measuring.frontier import Frontiers, frontiers
from pruneviz.network.graph_run import GraphRun
from pruneviz.workbench.opening import open_workbench
from tests.cases import slow_but
from tests.zoo import SMALL, made

QUICK = (
    "1-D audio CNN",
    "U-Net",
    "LSTM classifier",
    "DenseNet",
)
BLOCK = 5  # of twelve samples: the last block is shorter


class Residual(nn.Module):
    """Three layers in a row, the second one in a branch beside the first one's output."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.branch, self.last = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x).relu()
        return self.last(x + self.branch(x).relu())


class InPlace(nn.Module):
    """The same, which writes to what it has, and reads it again afterwards."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.branch, self.last = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        y = torch.relu_(x)
        z = self.branch(x)
        z.sigmoid_().mul_(2)
        x += z
        return self.last(x + y)


class WritesThroughView(Residual):
    """Doubles half of a tensor by a view of it."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        x[:, :3].mul_(2)
        return self.last(x + self.branch(x).relu())


class WritesBesideView(Residual):
    """Changes a tensor that a view of it, which is read afterwards, changes with."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        flat = x.view(-1, 2, 3)
        x.mul_(2)
        return self.last(flat.flatten(1) + self.branch(x).relu())


def opened(model: nn.Module, samples: int = 20) -> pv.Workbench:
    data = pv.Data(torch.randn(samples, 6), torch.arange(samples) % 3)
    return open_workbench(model.eval(), data)


def ready(bench: pv.Workbench, bound: int = 2**20) -> Frontiers:
    part = frontiers(bench.source.model, bench.graph, bench.source.validation, BLOCK, bound)
    assert isinstance(part, Frontiers), part
    return part


def both(bench: pv.Workbench, part: Frontiers, plan: pv.Plan) -> None:
    """The plan's outcome, by its frontier and by the network's own code, is the same to the bit."""
    pruned, data = bench.prune(plan), bench.source.validation
    one, other = (
        answer(bench.source.model, pruned.tensors, data, 0, len(data), bench.task, BLOCK, run=run)
        for run in (part.run(pruned.tensors, pruned.versions), None)
    )
    torch.testing.assert_close(one.loss, other.loss, rtol=0, atol=0, equal_nan=True)
    assert torch.equal(one.predicted, other.predicted)
    if other.score is not None:
        assert one.score is not None
        torch.testing.assert_close(one.score, other.score, rtol=0, atol=0, equal_nan=True)


def moves(bench: pv.Workbench) -> list[pv.Plan]:
    """Each of some layers moved, the others resting where they were left, and back to dense."""
    plans, sparsity = [], {}
    layers = list(bench.layer_of)
    for layer in [*layers[:: max(1, len(layers) // 4)], layers[0]]:
        for level in (0.3, 0.6):
            sparsity = sparsity | {layer: level}
            plans.append(pv.Plan(sparsity=dict(sparsity)))
    return [*plans, plans[2], pv.Plan(), plans[-1]]


@pytest.mark.parametrize("name", slow_but(lambda name: name in QUICK, SMALL))
def test_answers_are_those_of_the_whole_network_over_the_zoo(name: str) -> None:
    bench = open_workbench(*made(name))
    if bench.graph_cache.graph_or_none() is None:
        pytest.skip("it cannot be traced")
    source = bench.source
    part = frontiers(source.model, bench.graph, source.validation, BLOCK)
    if isinstance(part, str):
        pytest.skip(part)
    for plan in moves(bench):
        both(bench, part, plan)


@pytest.mark.parametrize("granularity", slow_but(lambda kind: kind == "neuron", ["neuron", "head"]))
def test_units_repairs_and_tied_weights_are_told_apart(
    granularity: str,
) -> None:
    bench = open_workbench(*made("GPT-2"))
    part = ready(bench, 2**24)
    lead = next(iter(bench.sliders(pv.Plan("l2", granularity)))).name
    for repair in ((), ("fold",)):
        for level in (0.25, 0.5):
            both(bench, part, pv.Plan("l2", granularity, sparsity={lead: level}, repair=repair))


def test_the_frontier_of_a_residual_network_by_hand() -> None:
    bench = opened(Residual())
    run = GraphRun(bench.source.model, bench.graph)
    names = {at: node.name for at, node in enumerate(bench.graph.nodes)}

    def words(layer: str) -> tuple[list[str], list[str]]:
        frontier = run.frontier(run.dependent([f"{layer}.weight", f"{layer}.bias"]))
        return [names[at] for at in frontier], [names[at] for at in run.order(frontier).steps]

    everything = ["linear", "relu", "linear_1", "relu_1", "add", "linear_2"]
    assert words("first") == ([], everything)
    assert words("branch") == (["relu"], everything[2:])
    assert words("last") == (["add"], everything[5:])


def test_a_network_that_writes_to_what_it_has_begins_in_the_middle_too() -> None:
    bench = opened(InPlace())
    part = ready(bench)
    for plan in moves(bench):
        both(bench, part, plan)
    assert part.part_left({"last.weight": "another"}) < 1


@pytest.mark.parametrize("network", [WritesThroughView, WritesBesideView])
def test_who_writes_to_what_has_views_is_run_as_a_whole(network: type[Residual]) -> None:
    bench = opened(network())
    why = frontiers(bench.source.model, bench.graph, bench.source.validation, BLOCK)
    assert isinstance(why, str)
    assert "writes to a tensor" in why
    plan = pv.Plan(sparsity={"branch": 0.5})
    own = bench.prune(plan).model(bench.source.validation.inputs)
    assert torch.equal(bench.evaluate(plan).predicted, own.argmax(1))


def test_what_is_kept_stays_within_the_bound_and_the_answers_the_same() -> None:
    bench = opened(Residual(), 200)
    part = ready(bench, bound=4 * 6 * 5 * 7)  # the values of seven blocks of five samples
    held = set()
    for plan in moves(bench):
        both(bench, part, plan)
        held.add(part.bytes)
    assert 4 * 6 * 5 * 5 < max(held) <= 4 * 6 * 5 * 7
    part.let_go()
    assert part.bytes == 0
    both(bench, part, moves(bench)[0])


def test_a_layer_in_hand_runs_only_what_lies_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = opened(Residual())
    part, runs = ready(bench), []
    whole = GraphRun.run

    def count(self: GraphRun, *args: object) -> object:
        runs.append(len(args[3].steps))  # type: ignore[attr-defined]
        return whole(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(GraphRun, "run", count)
    for level in (0.2, 0.4, 0.6):
        both(bench, part, pv.Plan(sparsity={"first": 0.5, "last": level}))
    # The first time nothing is known; the second plan differs from it in the last layer alone, and
    # keeps what goes into it; from there on that is where a plan begins.
    assert runs[::4] == [6, 6, 1]


def test_what_other_numbers_of_threads_have_made_is_not_taken() -> None:
    bench = pv.open("lenet5")
    part, data = ready(bench, 2**26), bench.source.validation.first(40)
    pruned, threads = bench.prune(pv.Plan(sparsity={"fc1": 0.5})), torch.get_num_threads()
    try:
        for number in (2, 1):
            torch.set_num_threads(number)
            one, other = (
                answer(bench.source.model, pruned.tensors, data, 0, 40, bench.task, BLOCK, run=run)
                for run in (part.run(pruned.tensors, pruned.versions), None)
            )
            assert torch.equal(one.loss, other.loss)
    finally:
        torch.set_num_threads(threads)


def test_a_graph_that_answers_otherwise_is_not_used() -> None:
    class Shy(nn.Module):
        """Answers otherwise while it is traced."""

        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(6, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x) * (2.0 if torch.compiler.is_compiling() else 1.0)

    bench = opened(Shy())
    assert "slightly other answers" in str(
        frontiers(bench.source.model, bench.graph, bench.source.validation, BLOCK)
    )
    assert bench.graph
    bench.evaluate(pv.Plan(sparsity={"layer": 0.5}))
    assert "slightly other answers" in " ".join(bench.notes)


@pytest.mark.slow
def test_two_threads_share_what_is_known() -> None:
    bench = opened(Residual(), 100)
    part, plans = ready(bench, bound=3000), moves(bench)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda plan: both(bench, part, plan), plans * 4))
    assert part.bytes <= 3000


def test_the_workbench_measures_by_it_once_the_graph_is_there() -> None:
    plan, more = pv.Plan(sparsity={"fc2": 0.5}), pv.Plan(sparsity={"fc2": 0.7})
    before = [pv.open("lenet300").evaluate(each) for each in (plan, more)]
    bench = pv.open("lenet300")
    assert bench.graph
    after = [bench.evaluate(each) for each in (plan, more)]
    assert [one.accuracy for one in before] == [one.accuracy for one in after]
    assert all(torch.equal(a.scores, b.scores) for a, b in zip(before, after, strict=True))
    assert not any("whole network" in note for note in bench.notes)


def test_a_view_counts_with_all_that_it_keeps_in_memory() -> None:
    class Narrow(nn.Module):
        """Of what the first layer makes only a sixth is read."""

        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Linear(6, 60), nn.Linear(10, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(self.first(x)[:, :10])

    bench = opened(Narrow())
    part = ready(bench)
    for level in (0.2, 0.4):
        both(bench, part, pv.Plan(sparsity={"last": level}))
    assert part.bytes == 4 * 60 * len(bench.source.validation)


def test_all_networks_share_what_may_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server with four networks holds no more than one with a single one."""
    benches = [opened(Residual().eval()) for _ in range(2)]
    parts = [ready(bench) for bench in benches]
    for part in parts:
        part.let_go()

    def fill() -> list[int]:
        for bench, part in zip(benches, parts, strict=True):
            for plan in moves(bench):
                both(bench, part, plan)
        return [part.bytes for part in parts]

    alone = fill()
    monkeypatch.setattr(frontier_module, "_SHARERS", {*parts})
    monkeypatch.setattr(frontier_module, "BYTES", sum(alone) // 2)
    fill()
    assert sum(fill()) <= sum(alone) // 2
    assert min(fill()) > 0
