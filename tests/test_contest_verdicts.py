"""What does a contest say of its criteria?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from pruneviz.comparison.contest import Entry
from pruneviz.comparison.verdicts import p_value, verdict
from pruneviz.measuring.intervals import paired_difference
from pruneviz.measuring.score import change
from pruneviz.plan import Plan
from pruneviz.sensitivity.answers import recall
from pruneviz.sources.registered import load_registered
from pruneviz.storage.measurement_store import MeasurementStore
from pruneviz.tasks import CLASSES
from pruneviz.workbench import Workbench
from tests.counting_bench import CountingBench
from tests.test_contest import hold


@pytest.fixture
def lenet300(benches: Callable[[str], Workbench]) -> CountingBench:
    return CountingBench(benches("lenet300"))


def scores(hits: int, n: int, shift: int = 0) -> torch.Tensor:
    """Scores of n samples of which `hits` are right, in the same share at even and odd places."""
    found = torch.zeros(n)
    found[:hits] = 1
    return found.roll(shift)


def test_the_best_is_chosen_on_some_samples_and_judged_on_the_others() -> None:
    lucky = torch.zeros(1000)
    lucky[0::2] = 1  # right wherever it is chosen, wrong wherever it is judged
    plain = scores(700, 1000)
    found = verdict(
        0.5, {"magnitude": plain, "lucky": lucky}, None, CLASSES,
        [scores(100, 1000), scores(100, 1000, 2)], "random", "magnitude",
    )  # fmt: skip
    assert (found.best, found.accuracy, found.chosen_on, found.n) == ("lucky", 0.0, 500, 500)
    against = found.by_role("runner-up")
    assert against is not None
    assert against.other == "magnitude"
    assert against.roles == ("runner-up", "magnitude")
    assert against.difference == pytest.approx(-0.7)
    assert "worse than magnitude" in found.words


def test_the_difference_is_paired_and_as_wide_as_its_test() -> None:
    best, plain = scores(900, 1000), scores(860, 1000)
    found = verdict(
        0.5, {"magnitude": plain, "wanda": best}, None, CLASSES,
        [scores(100, 1000)], "random", "magnitude",
    )  # fmt: skip
    against = found.by_role("magnitude")
    assert against is not None
    difference, low, high = paired_difference(20, 0, 500)
    assert against.difference == difference
    # Random is the surer of two, so that this one is the last, at 5 %.
    assert (against.low, against.high) == pytest.approx((low, high))
    assert against.real
    control = found.by_role("control")
    assert control is not None
    _, low, high = change(best[1::2], scores(100, 1000)[1::2], None, replace(CLASSES, binary=False))
    assert control.high - control.low == pytest.approx((high - low) * 2.2414 / 1.96, rel=1e-3)
    assert found.words == "better than magnitude and random: real"


def test_after_one_that_fails_all_fail_and_say_so() -> None:
    same = scores(500, 1000)
    found = verdict(
        0.5, {"magnitude": scores(502, 1000), "wanda": scores(504, 1000)}, None, CLASSES,
        [same], "random", "magnitude",
    )  # fmt: skip
    assert not any(one.real for one in found.against)
    assert all(one.low <= 0 <= one.high for one in found.against)
    assert "no measurable difference from magnitude and random" in found.words


def test_who_answers_alike_is_no_runner_up() -> None:
    best = scores(900, 1000)
    found = verdict(
        0.5, {"magnitude": best, "lamp": best.clone(), "wanda": scores(800, 1000)}, None, CLASSES,
        [scores(100, 1000)], "random", "magnitude",
    )  # fmt: skip
    assert (found.best, found.same) == ("magnitude", ("lamp",))
    against = found.by_role("runner-up")
    assert against is not None
    assert against.other == "wanda"
    assert found.by_role("magnitude") is None
    assert "lamp answered every sample alike" in found.words


def test_random_alone_is_compared_with_nothing() -> None:
    found = verdict(0.5, {}, None, CLASSES, [scores(5, 10)], "random", "magnitude")
    assert (found.best, found.against) == ("random", ())
    assert found.words == "nothing to compare it with"


def test_a_p_value_is_five_per_cent_where_the_interval_ends_at_zero() -> None:
    assert p_value(0.0, 0.2) == pytest.approx(0.05)
    assert p_value(-0.1, 0.1) == 1
    assert p_value(0.0, 0.0) == 1
    assert p_value(-math.inf, math.inf) == 1
    assert p_value(0.1, 0.2) < 0.001


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [60, 200])
def test_equal_criteria_are_seldom_called_different(rounds: int) -> None:
    draw = np.random.default_rng(rounds)
    false = 0
    for _ in range(rounds):
        answers = {
            name: torch.tensor(draw.random(400) < 0.8).float()
            for name in ("magnitude", *(f"c{i}" for i in range(8)))
        }
        controls = [torch.tensor(draw.random(400) < 0.8).float() for _ in range(2)]
        found = verdict(0.5, answers, None, CLASSES, controls, "random", "magnitude")
        false += any(one.real for one in found.against)
    assert false <= 0.05 * rounds + 2 * math.sqrt(0.05 * 0.95 * rounds)


def test_the_summary_says_what_the_verdicts_say(
    lenet300: CountingBench, memory: MeasurementStore
) -> None:
    found = hold(lenet300, memory)
    rows = found.summary
    assert list(rows["cut"]) == ["50 %", "90 %"]
    assert list(rows["best"]) == [one.best for one in found.verdicts]
    assert list(rows["in words"]) == [one.words for one in found.verdicts]
    assert found.words == "10 of 10 plans, 128 samples each."
    assert Entry(0.5, "random", 2) in found.answers


def test_a_score_of_ones_own_is_compared_too(memory: MeasurementStore) -> None:
    source = load_registered("lenet300")

    def margin(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return outputs.softmax(1).gather(1, targets[:, None])[:, 0]

    bench = Workbench(replace(source, validation=source.validation.first(64), metric=margin))
    found = hold(CountingBench(bench), memory)
    plan = Plan("wanda", sparsity=dict.fromkeys(bench.layer_of, 0.9))
    kept = recall(bench, memory, plan, 64)
    assert kept is not None
    assert torch.equal(kept.scores, bench.evaluate(plan).scores)
    assert torch.equal(kept.scores, found.answers[Entry(0.9, "wanda")])
    assert float(kept.scores.float().std()) > 0
    assert len(found.verdicts) == 2
