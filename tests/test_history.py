"""Does the history know every plan, where it came from, and in what two of them differ?"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pruneviz.history import Filter, History, Measurement, ModelVersion, measurement_of
from pruneviz.history.records import pack, unpack
from pruneviz.plan import Plan
from pruneviz.workbench import Workbench

LENET = ModelVersion("lenet5", "a" * 12, "d" * 16)

RETRAINED = ModelVersion("lenet5", "b" * 12, "d" * 16)

OTHER = ModelVersion("vit", "c" * 12, "e" * 16)


def plan(level: float, layer: str = "fc1", **other: object) -> Plan:
    return Plan(sparsity={layer: level}, **other)  # type: ignore[arg-type]


def record(n: int = 100, accuracy: float = 0.9, kept: int = 50, **other: object) -> Measurement:
    usual: dict[str, object] = {
        "n": n, "accuracy": accuracy, "low": accuracy - 0.1, "high": accuracy + 0.05, "loss": 0.5,
        "delta": -0.01, "delta_low": -0.02, "delta_high": 0.0, "params": 100, "params_kept": kept,
        "params_shrunk": 80, "macs": 1000, "macs_kept": 500,
    }  # fmt: skip
    return Measurement(**usual | other)  # type: ignore[arg-type]


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path, session="here")


def grow(history: History) -> History:
    """1 dense - 2 - 3, and from 1 also 4 ("wide") - 5, and 6; all of one session."""
    root = history.visit(LENET, plan(0.0))
    two = history.visit(LENET, plan(0.1), root)
    history.visit(LENET, plan(0.2), two)
    four = history.visit(LENET, plan(0.3), root, "wide")
    history.visit(LENET, plan(0.4), four)
    history.visit(LENET, plan(0.5), root)
    return history


@pytest.fixture
def grown(history: History) -> History:
    return grow(history)


# -- visits ------------------------------------------------------------------------------------


def test_a_visit_keeps_plan_parent_and_model(history: History) -> None:
    whole = Plan(
        "l2", "neuron", "global", {"a": 0.25, "b": 0.5}, True, 3, {"a": {"1": False}}, "max",
        ("fold", "recalibrate"),
    )  # fmt: skip
    first = history.visit(LENET, Plan())
    second = history.visit(LENET, whole, first)
    assert history.plan_of(first) == Plan()
    assert history.plan_of(second) == whole
    table = history.visits()
    assert table["parent"].tolist()[1] == first
    assert math.isnan(table["parent"].tolist()[0])
    assert table["criterion"].tolist() == ["magnitude", "l2"]
    assert set(table["weights"]) == {"a" * 12}
    assert history.complaint == ""


def test_the_same_plan_in_a_session_is_one_visit_that_is_counted(history: History) -> None:
    root = history.visit(LENET, plan(0.0))
    one = history.visit(LENET, Plan(sparsity={"a": 0.1, "b": 0.2}), root)
    two = history.visit(LENET, plan(0.5), one)
    again = history.visit(LENET, Plan(sparsity={"b": 0.2, "a": 0.1}), two)
    assert again == one, "in whatever order its layers are named"
    table = history.visits().set_index("id")
    assert table.loc[one, "times"] == 2
    assert table.loc[one, "parent"] == root, "where it was reached first"
    assert table.loc[one, "last"] > table.loc[one, "first"]


def test_another_session_or_model_has_its_own(history: History) -> None:
    one = history.visit(LENET, plan(0.5))
    two = history.visit(LENET, plan(0.5), session="there")
    three = history.visit(RETRAINED, plan(0.5))
    four = history.visit(OTHER, plan(0.5))
    assert len({one, two, three, four}) == 4
    assert history.visits(session="there")["id"].tolist() == [two]
    assert history.visits("lenet5")["id"].tolist() == [one, two, three]
    assert history.visits(RETRAINED)["id"].tolist() == [three]
    assert history.models() == [OTHER, RETRAINED, LENET], "the last one first"


def test_a_parent_that_is_not_there_is_none(history: History) -> None:
    number = history.visit(LENET, plan(0.5), 99)
    assert history.visits().set_index("id")["parent"].isna()[number]


def test_all_is_there_when_the_file_is_opened_again(tmp_path: Path, grown: History) -> None:
    grown.record_measurement(2, record(answers=np.arange(100, dtype=np.int32)))
    grown.note(2, "look here")
    before = grown.visits()
    grown.close()
    again = History(tmp_path)
    assert again.visits().equals(before)
    found = again.record_of(2)
    assert found is not None
    assert found.answers is not None
    assert found.answers.tolist() == list(range(100))
    assert again.session != "here", "another program is another session"


def test_two_objects_see_each_others_visits(tmp_path: Path, history: History) -> None:
    other = History(tmp_path)
    before = other.version
    history.visit(LENET, plan(0.5))
    assert other.version != before
    assert len(other.visits()) == 1


def test_names_and_notes(grown: History) -> None:
    grown.name_branch(2, " narrow ")
    grown.note(3, "why not?")
    table = grown.visits().set_index("id")
    assert table["branch"].to_dict() == {
        1: "main", 2: "narrow", 3: "narrow", 4: "wide", 5: "wide", 6: "main",
    }  # fmt: skip
    assert table.loc[3, "note"] == "why not?"
    grown.name_branch(2, "")
    assert grown.visits()["branch"].tolist()[1:3] == ["main", "main"]


def test_no_visit_is_said_by_its_number(history: History) -> None:
    with pytest.raises(ValueError, match="no visit 7"):
        history.plan_of(7)
    assert history.record_of(7) is None
    history.note(7, "nothing happens")
    assert history.visits().empty


def test_what_is_deleted_leaves_the_tree_whole(grown: History) -> None:
    grown.record_measurement(2, record())
    assert grown.delete([2, 4, 4, 99]) == 2
    table = grown.visits().set_index("id")
    assert table.loc[[3, 5], "parent"].tolist() == [1, 1]
    assert grown.record_of(2) is None
    assert grown.delete([1]) == 1
    assert grown.visits()["parent"].isna().all()
    assert grown.visit(LENET, plan(0.9)) > 6, "a number is given once"


# -- what was measured -------------------------------------------------------------------------


def test_more_samples_win_whenever_they_come(history: History) -> None:
    number = history.visit(LENET, plan(0.5))
    history.record_measurement(number, record(50, 0.7))
    history.record_measurement(number, record(100, 0.8))
    history.record_measurement(number, record(60, 0.9))
    found = history.record_of(number)
    assert found is not None
    assert (found.n, found.accuracy) == (100, 0.8)
    history.record_measurement(99, record())
    assert history.record_of(99) is None


def test_numbers_that_are_none_are_kept_too(history: History) -> None:
    number = history.visit(LENET, plan(0.5))
    history.record_measurement(
        number, record(loss=math.inf, delta=math.nan, per_class={"a": math.nan, "b": 0.5})
    )
    found = history.record_of(number)
    assert found is not None
    assert found.loss == math.inf
    assert math.isnan(found.delta)
    assert math.isnan(found.per_class["a"])
    assert found.per_class["b"] == 0.5


def test_answers_come_back_as_they_were() -> None:
    answers = np.array([-1, 0, 7, 100_000], np.int32)
    back = unpack(pack(answers))
    assert back is not None
    assert back.tolist() == answers.tolist()
    assert unpack(pack(None)) is None
    assert unpack(b"no answers") is None


def test_a_record_has_what_the_workbench_says(benches: Callable[[str], Workbench]) -> None:
    bench, asked = benches("lenet5"), plan(0.5)
    result, counts = bench.evaluate(asked), bench.counts(asked)
    found = measurement_of(result, counts, bench.masks(asked))
    assert (found.n, found.accuracy, found.delta) == (result.n, result.accuracy, result.delta)
    assert found.params_kept == counts.params_kept == 61_706 - 24_000
    assert found.layers["fc1"] == (24_000, 48_000)
    assert found.answers is not None
    assert found.answers.tolist() == result.predicted.tolist()
    assert found.per_class == dict(result.per_class)


# -- which -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (Filter(), [1, 2, 3]),
        (Filter(criterion="l2"), [2]),
        (Filter(granularity="neuron"), [2]),
        (Filter(text="FC2"), [3]),
        (Filter(text="a*[b"), []),
        (Filter(text="remember"), [1]),
        (Filter(accuracy=(0.85, 1.0)), [1, 2]),
        (Filter(accuracy=(0.0, 0.5)), [3]),
        (Filter(params=(0.0, 0.5)), [2, 3]),
        (Filter(params=(0.5, 0.6), text="l2"), [2]),
    ],
)
def test_filters_by_hand(history: History, where: Filter, expected: list[int]) -> None:
    history.visit(LENET, plan(0.0))
    history.visit(LENET, plan(0.5, criterion="l2", granularity="neuron"), 1)
    history.visit(LENET, plan(0.9, "fc2"), 2)
    history.visit(LENET, plan(0.1), 3)
    history.delete([4])
    for number, accuracy, kept in ((1, 0.95, 100), (2, 0.85, 50), (3, 0.5, 20)):
        history.record_measurement(number, record(accuracy=accuracy, kept=kept))
    history.note(1, "Remember me")
    assert history.visits(where=where)["id"].tolist() == expected


def test_what_was_not_measured_is_in_no_range(history: History) -> None:
    history.visit(LENET, plan(0.0))
    assert len(history.visits(where=Filter())) == 1
    assert history.visits(where=Filter(accuracy=(0.0, 0.99))).empty
    assert history.visits(where=Filter(params=(0.1, 1.0))).empty
