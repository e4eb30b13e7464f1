"""Do the intervals agree with other people's formulas, and cover the truth as often as they say?"""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from pruneviz.measuring.intervals import paired_difference, wilson


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
