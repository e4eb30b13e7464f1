"""How do visits make a tree, a table and a comparison?"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from pruneviz.history import Filter, History
from pruneviz.history.comparison import change_in_words, compare, masks_apart
from pruneviz.measuring.intervals import paired_difference
from pruneviz.plan import Plan
from pruneviz.ui.session import start
from pruneviz.ui.session.diary import Diary
from pruneviz.workbench import Workbench
from tests.test_history import LENET, grow, plan, record


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path, session="here")


@pytest.fixture
def grown(history: History) -> History:
    return grow(history)


# -- the tree ----------------------------------------------------------------------------------


def drawn(history: History, **asked: object) -> list[tuple[str, int, int]]:
    tree = history.tree(**asked)  # type: ignore[arg-type]
    return list(zip(tree["line"], tree["id"], tree["hidden"], strict=True))


def test_a_tree_by_hand(grown: History) -> None:
    assert drawn(grown) == [
        ("", 1, 0),
        ("├─", 2, 0),
        ("│ ", 3, 0),
        ("├─", 4, 0),
        ("│ ", 5, 0),
        ("", 6, 0),
    ]


def test_a_branch_of_a_branch(grown: History) -> None:
    grown.visit(LENET, plan(0.6), 2)
    assert drawn(grown)[:4] == [("", 1, 0), ("├─", 2, 0), ("│ ├─", 3, 0), ("│ ", 7, 0)]


def test_runs_are_folded(grown: History) -> None:
    assert drawn(grown, folded=True) == [
        ("", 1, 0),
        ("├─", 3, 1),
        ("├─", 4, 0),
        ("│ ", 5, 0),
        ("", 6, 0),
    ]


def test_a_filter_keeps_the_root_to_tell_sessions_by(grown: History) -> None:
    assert drawn(grown, where=Filter(text="wide")) == [("", 1, 0), ("├─", 4, 0), ("│ ", 5, 0)]
    assert drawn(grown, where=Filter(text="nowhere")) == []


def test_the_session_used_last_comes_first(grown: History) -> None:
    grown.visit(LENET, plan(0.1), session="there")
    assert [number for _, number, _ in drawn(grown)] == [7, 1, 2, 3, 4, 5, 6]
    grown.visit(LENET, plan(0.5))
    assert [number for _, number, _ in drawn(grown)] == [1, 2, 3, 4, 5, 6, 7]


def test_every_visit_stands_in_the_tree_once_below_its_parent(history: History) -> None:
    random = np.random.default_rng(0)
    history.visit(LENET, plan(0.0))
    for k in range(1, 300):
        history.visit(LENET, plan(k / 300), int(random.integers(1, k + 1)))
    tree = history.tree()
    places = {number: place for place, number in enumerate(tree["id"])}
    assert sorted(places) == list(range(1, 301))
    for number, parent in zip(tree["id"], tree["parent"], strict=True):
        assert math.isnan(parent) or places[parent] < places[number]
    folded = history.tree(folded=True)
    assert folded["hidden"].sum() <= len(tree) - len(folded)


@pytest.mark.slow
def test_thousands_in_a_row_are_no_trouble() -> None:
    history = History(None)
    history.visit(LENET, plan(0.0))
    for k in range(1, 3000):
        history.visit(LENET, plan(k / 3000), k)
    assert drawn(history, folded=True) == [("", 1, 0), ("", 3000, 2998)]


def test_nothing_is_a_tree_too(history: History) -> None:
    assert history.visits().empty
    assert drawn(history, folded=True) == []
    assert history.models() == []


# -- CSV ---------------------------------------------------------------------------------------


def test_csv_can_be_read_by_others(tmp_path: Path, grown: History) -> None:
    grown.record_measurement(2, record())
    grown.note(2, 'with "quotes", and\na line')
    text = grown.export_csv(tmp_path / "out.csv", model="lenet5")
    assert (tmp_path / "out.csv").read_bytes().decode("utf-8") == text
    rows = list(csv.DictReader(StringIO(text)))
    assert len(rows) == 6
    assert rows[1]["note"] == 'with "quotes", and\na line'
    assert (rows[1]["parent"], rows[0]["parent"], rows[1]["params_kept"]) == ("1", "", "50")
    assert rows[1]["first"].endswith("Z")


# -- two plans ---------------------------------------------------------------------------------


def test_two_plans_by_hand() -> None:
    targets = np.array([0, 1, 2, 2, 1])
    first = record(
        4, 0.75, 60, layers={"a": (3, 4), "b": (5, 5)}, per_class={"x": 1.0, "y": 0.5},
        answers=np.array([0, 1, 2, 0], np.int32),
    )  # fmt: skip
    second = record(
        5, 0.6, 40, layers={"a": (1, 4), "b": (5, 5)}, per_class={"x": 0.5, "y": 0.5},
        answers=np.array([0, 2, 1, 2, 1], np.int32),
    )  # fmt: skip
    found = compare(first, second, targets)
    assert found.n == 4
    assert found.flipped.to_numpy().tolist() == [[1, 1, 1, 2], [2, 2, 2, 1], [3, 2, 0, 2]]
    assert (found.delta, found.low, found.high) == paired_difference(1, 2, 4)
    assert found.layers.to_numpy().tolist() == [["a", 4, 3, 1, -2], ["b", 5, 5, 5, 0]]
    assert found.classes["difference"].tolist() == [-0.5, 0.0]
    numbers = found.numbers.set_index("quantity")
    assert numbers.loc["parameters kept"].tolist() == [60.0, 40.0, -20.0]
    assert change_in_words(found).startswith("no measurable change")


def test_without_targets_the_change_has_no_interval() -> None:
    found = compare(record(accuracy=0.9), record(accuracy=0.8))
    assert math.isnan(found.low)
    assert change_in_words(found) == "-10.0 points"
    assert found.flipped.empty
    assert found.layers.empty


def test_a_plan_is_no_way_from_itself(benches: Callable[[str], Workbench]) -> None:
    pruned = benches("lenet5").masks(plan(0.5))
    apart = masks_apart(pruned, pruned)
    assert (apart["differ"] == 0).all()
    assert (apart["jaccard"] == 1).all()


def test_masks_apart_by_hand(benches: Callable[[str], Workbench]) -> None:
    bench = benches("lenet5")
    half, none = bench.masks(plan(0.5)), bench.masks(plan(1.0))
    rows = masks_apart(half, none).set_index("layer")
    assert rows.loc["fc1", ["weights", "differ", "share", "jaccard"]].tolist() == [
        48_000, 24_000, 0.5, 0.0,
    ]  # fmt: skip
    assert rows.loc["fc2", ["differ", "jaccard"]].tolist() == [0, 1]
    assert masks_apart(none, none).set_index("layer").loc["fc1", "jaccard"] == 1


# -- of a session ------------------------------------------------------------------------------


def test_a_session_writes_its_way(history: History, benches: Callable[[str], Workbench]) -> None:
    bench = benches("lenet5")
    session = start(bench)
    session.diary = Diary(bench, "lenet5", history)
    dense = session.settled

    def at(level: float) -> Plan:
        return Plan(sparsity=dict(dense.sparsity) | {"fc1": level})

    session.settle(dense)
    assert history.visits().empty, "nobody has moved"
    session.settle(at(0.5))
    session.settle(at(0.5))
    session.travel(-1)
    session.settle(at(0.7))
    table = history.visits()
    assert table["times"].tolist() == [2, 1, 1]
    assert table["parent"].tolist()[1:] == [1.0, 1.0], "another way from the same place"
    session.diary.name_branch(session.settled, "keep")
    assert history.visits()["branch"].tolist() == ["main", "main", "keep"]
    bench.evaluate(at(0.7))
    session.diary.record_measurement(at(0.7))
    n = history.visits()["n"].tolist()
    assert n[2] == len(bench.source.validation)
    assert math.isnan(n[1])
    with pytest.raises(ValueError, match="nope"):
        session.settle(Plan(sparsity={"nope": 0.5}))
    assert len(history.visits()) == 3
    session.diary.record_measurement(at(0.2))
    assert len(history.visits()) == 3, "what was not visited has no place"


def test_what_was_measured_before_is_caught_up_with(
    history: History, benches: Callable[[str], Workbench]
) -> None:
    bench = benches("lenet5")
    session = start(bench)
    diary = session.diary = Diary(bench, "lenet5", history)
    wanted = Plan(sparsity=dict(session.settled.sparsity) | {"fc2": 0.3})
    bench.evaluate(wanted)
    session.settle(wanted)
    job = diary.catch_up(wanted)
    assert job is not None
    job.wait()
    assert job.error is None
    assert diary.catch_up(wanted) is None, "once is enough"
    assert history.record_of(diary.visits[wanted]) is not None
