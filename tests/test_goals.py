"""Is a goal called reached for sure as seldom by luck as is promised?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from pruneviz.lessons.goal import (
    ALPHA,
    CHANCE,
    MISSED,
    PASSED,
    Goal,
    GoalVerdict,
    change_bounds,
    from_text,
    judge,
    level,
    share_bounds,
    to_text,
)
from pruneviz.lessons.goal_record import GoalRecord
from pruneviz.lessons.goals import GOALS
from pruneviz.lessons.link import encode
from pruneviz.plan import Plan
from pruneviz.workbench import Workbench
from pruneviz.workbench.opening import open_workbench

SMALL = Goal("Small", "lenet300", kept=0.6, accuracy=0.97)


@pytest.fixture(scope="module")
def bench() -> Workbench:
    return open_workbench("lenet300")


@pytest.mark.parametrize("share", [0.5, 0.9, 0.97, 0.99, 0.999])
@pytest.mark.parametrize("n", [20, 200, 2000])
def test_a_share_is_called_surely_above_by_luck_no_oftener_than_allowed(
    n: int, share: float
) -> None:
    """Exactly, over all counts of hits: a network just below the target is passed by luck."""
    hits = np.arange(n + 1)
    lows = np.array([share_bounds(int(h), n, ALPHA)[0] for h in hits])
    assert binom.pmf(hits[lows > share], n, share).sum() <= ALPHA


def test_bounds_of_a_share_by_hand() -> None:
    assert share_bounds(0, 10, 0.05) == pytest.approx((0.0, 1 - 0.05 ** (1 / 10)))
    assert share_bounds(10, 10, 0.05) == pytest.approx((0.05 ** (1 / 10), 1.0))


def test_a_change_is_called_surely_small_by_luck_no_oftener_than_allowed() -> None:
    rng = np.random.default_rng(0)
    n, gain, loss = 500, 0.01, 0.03
    draws = rng.multinomial(n, [gain, loss, 1 - gain - loss], size=4000)
    known: dict[tuple[int, int], float] = {}
    false = 0
    for gained, lost, _ in draws.tolist():
        if (gained, lost) not in known:
            known[gained, lost] = change_bounds(gained, lost, n, ALPHA)[0]
        false += known[gained, lost] > gain - loss
    assert false / len(draws) <= ALPHA


def test_all_levels_together_are_no_more_than_was_promised() -> None:
    assert sum(level(k) for k in range(1, 10_000)) < ALPHA
    assert level(1) == ALPHA / 2


def test_forty_attempts_pass_by_luck_no_oftener_than_promised() -> None:
    """A reader tries networks that are all just below the target until one is called passed."""
    rng = np.random.default_rng(1)
    n, share, attempts, readers = 500, 0.95, 40, 2000
    lows = [[share_bounds(h, n, level(k))[0] for h in range(n + 1)] for k in range(1, attempts + 1)]
    table = np.array(lows)
    # On one set of samples: a part of the right answers is common to all attempts of a reader.
    common = rng.binomial(n // 2, share, size=(readers, 1))
    hits = common + rng.binomial(n - n // 2, share, size=(readers, attempts))
    false = (table[np.arange(attempts), hits] > share).any(axis=1)
    assert false.mean() <= ALPHA
    # Without the stricter levels luck would win: this is what they are for.
    naive = np.array([share_bounds(h, n, ALPHA)[0] for h in range(n + 1)])
    assert (naive[hits] > share).any(axis=1).mean() > ALPHA


def test_a_verdict_says_passed_chance_or_not(bench: Workbench) -> None:
    half = Plan(sparsity={"fc1": 0.5})
    result = bench.evaluate(half)
    sure = judge(SMALL, bench, half)
    assert (sure.word, sure.accuracy, sure.missed) == (PASSED, result.accuracy, ())
    assert sure.low >= 0.97
    narrow = replace(SMALL, accuracy=result.accuracy)
    assert judge(narrow, bench, half).word == CHANCE
    assert judge(replace(SMALL, accuracy=0.999), bench, half).word == MISSED
    large = judge(SMALL, bench, Plan())
    assert large.word == MISSED
    assert large.missed == ("100.0 % of the parameters are kept, 60.0 % may be",)


def test_later_attempts_must_be_surer(bench: Workbench) -> None:
    half = Plan(sparsity={"fc1": 0.5})
    lows = [judge(SMALL, bench, half, k).low for k in (1, 5, 50)]
    assert lows == sorted(lows, reverse=True)
    assert len(set(lows)) == 3


def test_flash_and_one_layer_alone_are_judged(bench: Workbench) -> None:
    board = Goal("Board", "lenet300", granularity="neuron", flash=64.0, accuracy=0.5)
    assert judge(board, bench, Plan()).missed == ("the weights need 260.4 KiB, 64 KiB are there",)
    alone = Goal("Layer", "lenet300", alone=0.9, lose=0.01)
    two = Plan(sparsity={"fc1": 0.9, "fc2": 0.9})
    assert judge(alone, bench, two).missed == ("2 layers are cut, it must be one alone",)
    little = Plan(sparsity={"fc2": 0.5, "fc1": 0.0})
    assert judge(alone, bench, little).missed == ("the layer is cut to 50%, it must be 90%",)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kept": 0.0, "accuracy": 0.9}, "kept must be above 0"),
        ({"kept": 0.5, "accuracy": 97}, "accuracy must be above 0 and at most 1"),
        ({"kept": float("nan"), "accuracy": 0.9}, "kept must be"),
        ({"accuracy": 0.9}, "says what is cut"),
        ({"kept": 0.5}, "says what accuracy is left"),
        ({"kept": 0.5, "accuracy": 0.9, "criterion": "luck"}, "criterion 'luck'"),
        ({"kept": 0.5, "accuracy": 0.9, "granularity": "leg"}, "granularity must be"),
        ({"kept": 0.5, "accuracy": 0.9, "title": ""}, "title must be"),
        ({"kept": 0.5, "accuracy": 0.9, "nose": 1}, "'nose'"),
    ],
)
def test_a_goal_that_cannot_be_is_refused(values: dict[str, Any], words: str) -> None:
    usual = {"title": "T", "network": "lenet5"}
    with pytest.raises(ValueError, match=words):
        from_text(encode(usual | values))


def test_a_goal_comes_back_from_its_link() -> None:
    assert from_text(to_text(SMALL)) == SMALL
    with pytest.raises(ValueError, match="damaged"):
        from_text(to_text(SMALL)[:-3])


def test_attempts_are_counted_once_and_the_best_is_kept() -> None:
    plans = [Plan(sparsity={"fc1": x / 10}) for x in range(1, 5)]
    words = [MISSED, PASSED, PASSED, CHANCE]
    record = GoalRecord()
    for plan, word, kept in zip(plans, words, (0.9, 0.5, 0.4, 0.3), strict=True):
        record = record.attempt(plan, GoalVerdict(word, 0.98, kept, 0.9, 1.0))
    assert record.attempt(plans[0], GoalVerdict(PASSED, 1.0, 0.1, 1.0, 1.0)) == record
    assert [record.place(plan) for plan in plans] == [1, 2, 3, 4]
    assert record.place(Plan()) == 5
    assert record.best["plan"] == plans[2].as_dict(), "of two that pass the smaller one"
    assert record.passed
    assert GoalRecord.from_text(record.as_text()) == record


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"best": {"plan": 3}}', '{"attempts": 3}'])
def test_a_record_of_a_goal_that_cannot_be_read_begins_anew(text: str | None) -> None:
    assert GoalRecord.from_text(text) == GoalRecord()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("goal", "plan"),
    [
        (
            GOALS[0],
            Plan(sparsity={"conv2": 0.4, "fc1": 0.8, "fc2": 0.75}),
        ),
        (
            GOALS[1],
            Plan(granularity="neuron", sparsity={"fc1": 0.75, "fc2": 0.3}, repair=("reconstruct",)),
        ),
        (GOALS[2], Plan(sparsity={"layer3.2.conv1": 0.9})),
    ],
)
def test_every_ready_goal_can_be_reached_for_sure(goal: Goal, plan: Plan) -> None:
    verdict = judge(goal, open_workbench(goal.network), plan, attempt=5)
    assert verdict.word == PASSED, verdict
