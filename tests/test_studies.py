"""Do the studies of training tell what they found?"""

from __future__ import annotations

import threading

import pytest

from tests.benchmarks import overfitting
from tests.benchmarks.cheaper import Turns
from tests.benchmarks.seeds import differences, interval, plan_of, points, share, study


def test_an_interval_over_three_seeds_by_hand() -> None:
    # s = 1, t(2) = 4.3027, 4.3027 / √3 = 2.4841
    assert interval([1.0, 2.0, 3.0]) == pytest.approx((2.0, 2.0 - 2.4841, 2.0 + 2.4841), abs=1e-4)


def test_one_seed_promises_nothing() -> None:
    assert interval([0.5]) == (0.5, float("-inf"), float("inf"))


def test_shares_stay_within_all_and_nothing() -> None:
    assert share([0.0, 1.0]) == "50.0 (0.0–100.0)"
    assert share([0.25, 0.25]) == "25.0 (25.0–25.0)"


def test_differences_are_paired_by_seed() -> None:
    assert points(differences([0.5, 0.75], [0.25, 0.5])) == "+25.0 (+25.0 … +25.0)"


@pytest.mark.parametrize("left", [0.08, 0.064])
def test_what_is_left_is_counted_over_the_weights_of_all_layers(left: float) -> None:
    with study("", 1, ["--quick"]) as asked:
        bench = asked.bench("lenet300")
        masks = bench.prune(plan_of(bench, left)).masks
    kept = sum(int(mask.count_nonzero()) for mask in masks.values())
    assert kept == round(left * 266_200)
    assert bool(masks["fc3"].all())


def test_turns_are_taken_in_order_until_all_have_left() -> None:
    turns, told = Turns(2), []

    def go(mine: int, epochs: int) -> None:
        turns.take(mine)
        for epoch in range(epochs):
            told.append((mine, epoch))
            turns.give()
            turns.take(mine)
        turns.leave()

    threads = [threading.Thread(target=go, args=(n, 3 - n)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert told == [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2)]


@pytest.mark.slow
def test_a_study_runs_from_end_to_end(capsys: pytest.CaptureFixture[str]) -> None:
    overfitting.main(["--quick", "gradual"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.count("|") for line in lines] == [9] * 6
    assert lines[2].startswith("| dense | 0 % |")
    assert lines[5].startswith("| gradual | 95 % |")
