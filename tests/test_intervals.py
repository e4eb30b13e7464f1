"""Do the intervals agree with other people's formulas, and cover the truth as often as they say?"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import stats
from statsmodels.regression.linear_model import WLS
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from pruneviz.measuring.intervals import (
    bounded_gap,
    fewest,
    mean_difference,
    mean_interval,
    paired_difference,
    student,
    wilson,
)
from tests.benchmarks.coverage import clustered, covered, scattered, windows
from tests.cases import slow_but

ANY = -math.inf, math.inf


@pytest.mark.parametrize("n", [1, 2, 7, 100, 2000, 1_000_000])
def test_wilson_is_that_of_statsmodels(n: int) -> None:
    for hits in {0, 1, n // 3, n // 2, n - 1, n}:
        expected = proportion_confint(hits, n, alpha=0.05, method="wilson")
        assert wilson(hits, n) == pytest.approx(expected, abs=1e-12)


def test_wilson_is_exact_at_both_ends() -> None:
    assert wilson(0, 50)[0] == 0.0
    assert wilson(50, 50)[1] == 1.0


def test_wilson_knows_nothing_without_samples() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("hits", "n"), [(-1, 10), (11, 10), (1, 0)])
def test_wilson_refuses_impossible_counts(hits: int, n: int) -> None:
    with pytest.raises(ValueError, match=f"hits must be in 0..{n}, got {hits}"):
        wilson(hits, n)


@pytest.mark.parametrize(
    ("gained", "lost", "n"), [(0, 0, 1), (0, 0, 500), (3, 20, 500), (40, 2, 64), (9, 9, 18)]
)
def test_paired_difference_is_the_adjusted_wald_of_bonett_and_price(
    gained: int, lost: int, n: int
) -> None:
    p12, p21 = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    half = 1.959964 * math.sqrt((p12 + p21 - (p12 - p21) ** 2) / (n + 2))
    difference, low, high = paired_difference(gained, lost, n)
    assert difference == (gained - lost) / n
    assert low == pytest.approx(max(-1, p12 - p21 - half), abs=1e-6)
    assert high == pytest.approx(min(1, p12 - p21 + half), abs=1e-6)


def test_paired_difference_is_symmetric_and_holds_the_difference() -> None:
    for gained, lost in [(0, 0), (5, 1), (30, 30), (0, 64), (64, 0)]:
        difference, low, high = paired_difference(gained, lost, 64)
        mirrored = paired_difference(lost, gained, 64)
        assert mirrored == pytest.approx((-difference, -high, -low))
        assert -1 <= low < high <= 1
        assert low <= difference <= high


def test_paired_difference_knows_nothing_without_samples() -> None:
    assert paired_difference(0, 0, 0) == (0.0, -1.0, 1.0)


@pytest.mark.parametrize(("gained", "lost"), [(-1, 0), (0, -1), (6, 5)])
def test_paired_difference_refuses_impossible_counts(gained: int, lost: int) -> None:
    with pytest.raises(ValueError, match="do not fit into 10 samples"):
        paired_difference(gained, lost, 10)


@pytest.mark.parametrize(
    ("gain", "loss", "n"), [(0.03, 0.06, 200), (0.01, 0.03, 500), (0.1, 0.3, 100)]
)
def test_paired_difference_covers_the_truth_as_often_as_it_says(
    gain: float, loss: float, n: int
) -> None:
    draws = np.random.default_rng(0).multinomial(n, [gain, loss, 1 - gain - loss], size=4000)
    intervals = [paired_difference(int(up), int(down), n) for up, down, _ in draws]
    covered = np.mean([low <= gain - loss <= high for _, low, high in intervals])
    assert 0.93 <= covered <= 0.98


@pytest.mark.parametrize(("share", "n"), [(0.975, 200), (0.6, 100), (0.1, 400)])
def test_wilson_covers_the_truth_as_often_as_it_says(share: float, n: int) -> None:
    draws = np.random.default_rng(0).binomial(n, share, size=4000)
    covered = np.mean([low <= share <= high for low, high in (wilson(int(k), n) for k in draws)])
    assert 0.93 <= covered <= 0.98


# -- scores that are not just right or wrong -------------------------------------------------


@pytest.mark.parametrize("freedom", [*range(1, 70), 100, 300, 1000, 100_000])
def test_students_quantile_is_that_of_scipy(freedom: int) -> None:
    assert student(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-8)


@pytest.mark.parametrize("n", [2, 3, 30, 500])
def test_the_interval_of_a_mean_is_that_of_statsmodels(n: int) -> None:
    scores = torch.randn(n)
    described = DescrStatsW(scores.double().numpy())
    expected = (described.mean, *described.tconfint_mean(0.05))
    assert mean_interval(scores, None, ANY) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("n", [3, 40, 300])
def test_the_interval_of_a_weighted_mean_is_that_of_statsmodels(n: int) -> None:
    scores, weight = torch.randn(n), torch.randint(1, 50, (n,))
    # n/(n−1)·Σw²e²/(Σw)² is what is called HC1 in a regression on nothing but a constant.
    fit = WLS(scores.double().numpy(), np.ones(n), weights=weight.double().numpy())
    fit = fit.fit(cov_type="HC1", use_t=True)
    expected = (fit.params[0], *fit.conf_int(0.05)[0])
    assert mean_interval(scores, weight, ANY) == pytest.approx(expected, rel=1e-7)


def test_samples_without_weight_do_not_count() -> None:
    scores, weight = torch.randn(20), torch.randint(1, 9, (20,))
    padded = torch.cat([scores, torch.randn(7)]), torch.cat([weight, torch.zeros(7).long()])
    assert mean_interval(*padded, ANY) == pytest.approx(mean_interval(scores, weight, ANY))


def test_the_interval_of_a_mean_stays_within_what_is_possible() -> None:
    mean, low, high = mean_interval(torch.tensor([0.9, 1.0, 1.0, 1.0]))
    assert mean < high <= 1
    assert 0 < low < mean
    assert mean_interval(torch.tensor([-9.0, 1.0]), None, (-math.inf, 1))[2] == 1


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("n", [1, 2, 40])
def test_equal_scores_are_no_certainty(share: float, n: int) -> None:
    mean, low, high = mean_interval(torch.full((n,), share))
    assert mean == pytest.approx(share)
    # One more score at the end, with a weight of Beta(1, n): its quantile by hand.
    end = 1 - 0.025 ** (1 / n)
    assert low == pytest.approx(share * (1 - end), abs=0.01)
    assert high == pytest.approx(share + (1 - share) * end, abs=0.01)
    assert low < high
    assert mean_interval(torch.full((n,), share), None, ANY)[1:] == ANY


@pytest.mark.parametrize(("hits", "n"), [(0, 5), (3, 5), (1, 20), (10, 100), (999, 1000)])
def test_of_right_and_wrong_the_interval_of_a_mean_is_that_of_clopper_and_pearson(
    hits: int, n: int
) -> None:
    scores = torch.zeros(n)
    scores[:hits] = 1
    expected = proportion_confint(hits, n, alpha=0.05, method="beta")
    assert mean_interval(scores)[1:] == pytest.approx(expected, abs=0.0025)


def test_the_gap_of_uneven_scores_is_the_quantile_that_draws_give() -> None:
    chance = np.random.default_rng(2)
    gaps, weight = chance.random(12) ** 3, chance.integers(1, 9, size=12).astype(float)
    drawn = chance.exponential(size=(200_000, 13))
    heavy = drawn * np.append(weight, weight.max())
    means = (heavy * np.append(gaps, 0.0)).sum(1) / heavy.sum(1)
    found = bounded_gap(gaps, weight, 1.0, 0.025)
    assert found == pytest.approx(np.quantile(means, 0.025), rel=0.01)


def test_how_many_samples_are_fewest_is_told_by_hand() -> None:
    assert fewest(0.01) == 368  # 0.99³⁶⁸ = 0.0248, 0.99³⁶⁷ = 0.0250…
    assert fewest(0.01, 0.05) == 299
    assert fewest(0.5, 0.05) == 5
    assert fewest(1.0) == fewest(2.0, width=2.0) == 1  # nobody can lose more
    same = torch.ones(400)
    assert mean_difference(same[:368], same[:368])[1] >= -0.01
    assert mean_difference(same[:367], same[:367])[1] < -0.01


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_of_scores_that_are_no_numbers_nothing_is_known(bad: float) -> None:
    mean, low, high = mean_interval(torch.tensor([0.5, bad, 1.0]), None, (-math.inf, 1.0))
    assert repr(mean) == repr(bad)
    assert (low, high) == (-math.inf, 1.0)


def test_without_samples_no_mean_is_known() -> None:
    for scores, weight in ((torch.empty(0), None), (torch.ones(3), torch.zeros(3))):
        mean, low, high = mean_interval(scores, weight)
        assert math.isnan(mean)
        assert (low, high) == (0, 1)


@pytest.mark.parametrize("n", [2, 50])
def test_a_paired_difference_is_students(n: int) -> None:
    before, after = torch.rand(n), torch.rand(n)
    found = stats.ttest_rel(after.double(), before.double()).confidence_interval(0.95)
    difference, low, high = mean_difference(after, before, None, ANY)
    assert difference == pytest.approx(float((after - before).double().mean()))
    assert (low, high) == pytest.approx((found.low, found.high))


def test_a_paired_difference_mirrors_itself_and_keeps_its_bounds() -> None:
    before, after, weight = torch.rand(4), torch.rand(4), torch.tensor([1.0, 2.0, 3.0, 50.0])
    difference, low, high = mean_difference(after, before, weight)
    mirrored = mean_difference(before, after, weight)
    assert mirrored == pytest.approx((-difference, -high, -low))
    assert -1 <= low <= difference <= high <= 1
    fallen = mean_difference(torch.zeros(3), torch.ones(3))
    assert fallen == pytest.approx((-1, -1, 2 * (1 - 0.025 ** (1 / 3)) - 1), abs=0.01)


def test_where_no_score_has_changed_few_samples_make_no_certainty() -> None:
    scores = torch.rand(5)
    difference, low, high = mean_difference(scores, scores.clone())
    assert difference == 0
    assert (low, high) == pytest.approx((-0.522, 0.522), abs=0.003)  # 1 − 0.025^(1/5)
    # How large a change that was not seen can be is not known without bounds.
    assert mean_difference(scores, scores.clone(), None, ANY) == (0, 0, 0)


@pytest.mark.parametrize(
    "tokens",
    slow_but(lambda tokens: tokens[0] == 5, [((20, 21),), ((5, 60),)]),
    ids=["alike", "uneven"],
)
@pytest.mark.parametrize("n", slow_but(lambda n: n == 5, [5, 100]))
def test_the_mean_of_shares_holds_the_truth_at_least_as_often_as_it_says(
    tokens: tuple[int, int], n: int
) -> None:
    # Texts are harder or easier as a whole: tokens of one text are not independent.
    held, width = covered(lambda chance: windows(chance, n, tokens), 0.6, 200)
    assert held >= 0.95
    assert width < (0.75 if n == 5 else 0.12)


@pytest.mark.parametrize(
    ("n", "rate"), slow_but(lambda n, rate: rate == 0.1, [(5, 0.002), (5, 0.1), (25, 0.02)])
)
@pytest.mark.parametrize("change", [scattered, clustered])
def test_a_rare_change_of_few_texts_is_held_as_often_as_it_says(
    change: Callable[..., tuple[float, float]], n: int, rate: float
) -> None:
    held, _ = covered(lambda chance: change(chance, n, rate), -rate, 200)
    assert held >= 0.95


@pytest.mark.parametrize("n", [30, 150])
def test_the_difference_of_means_covers_the_truth_as_often_as_it_says(n: int) -> None:
    chance = np.random.default_rng(1)
    covered, truth = [], -0.05
    for _ in range(1500):
        weight = torch.from_numpy(chance.integers(5, 60, size=n))
        before = torch.from_numpy(chance.normal(0.6, 0.2, size=n))
        after = before + torch.from_numpy(chance.normal(truth, 0.1, size=n))
        _, low, high = mean_difference(after, before, weight, ANY)
        covered.append(low <= truth <= high)
    assert 0.93 <= np.mean(covered) <= 0.97
