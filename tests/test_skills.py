"""Does a language model's skill get measured as it should, and its interval hold?"""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
import torch
from torch import Tensor

from pruneviz.data import Data
from pruneviz.measuring.evaluate import summarise
from pruneviz.measuring.intervals import mean_difference, mean_interval
from pruneviz.tasks import task_for

NAMES = ("agreement", "sums")
WORDS = 5
# Two texts of three words: (the word that follows, the skill it needs).
TARGETS = torch.tensor([[[1, 1], [2, 0], [3, 2]], [[4, 2], [0, 2], [-100, 1]]])


def logits(answers: list[list[int]]) -> Tensor:
    """Sure of these words: [texts, words, 5]."""
    return 4.0 * torch.nn.functional.one_hot(torch.tensor(answers), WORDS).float()


NOW, WAS = logits([[1, 0, 3], [4, 1, 0]]), logits([[1, 2, 3], [4, 0, 0]])
TASK = task_for(NOW, Data(torch.zeros(2, 3), TARGETS), name="skills")


def test_tagged_words_are_counted_by_hand() -> None:
    goals = TASK.targets(TARGETS)
    assert goals[1, 2].tolist() == [-100, 0]  # where no word follows, no skill is needed
    outcome = TASK.judge(NOW, goals)
    assert outcome.score is not None
    assert outcome.weight is not None
    assert outcome.score.tolist() == [1.0, 0.5]
    assert outcome.weight.tolist() == [2.0, 2.0]
    measures = TASK.measures(outcome)
    right, wrong = (-torch.log_softmax(NOW[0, 0], 0)[word].item() for word in (1, 0))
    assert measures["accuracy"] == 3 / 4
    assert measures["next-word accuracy"] == pytest.approx(3 / 5)
    assert measures["loss"] == pytest.approx((3 * right + wrong) / 4)
    assert measures["perplexity"] == pytest.approx(math.exp((3 * right + 2 * wrong) / 5))


def test_each_skill_has_its_share_and_its_change() -> None:
    now, was = (TASK.judge(each, TASK.targets(TARGETS)) for each in (NOW, WAS))
    result = summarise(now, was, TARGETS, NAMES, 2, TASK)
    assert result.per_class == {"agreement": 1.0, "sums": 2 / 3}
    assert result.dense_per_class == {"agreement": 1.0, "sums": 1.0}
    level, change = result.by_class.levels["sums"], result.by_class.changes["sums"]
    assert level.n == 3
    right, of = torch.tensor([1.0, 1.0]), torch.tensor([1.0, 2.0])
    assert (level.accuracy, level.low, level.high) == mean_interval(right / of, of)
    wanted = mean_difference(right / of, torch.ones(2), of)
    assert (change.delta, change.low, change.high) == wanted
    assert set(result.intervals) == {"next-word accuracy", "perplexity"}
    low, high = result.intervals["perplexity"]
    assert low <= result.measures["perplexity"] <= high


def test_gradients_follow_every_word_that_counts() -> None:
    loss = TASK.loss(NOW, TASK.targets(TARGETS))
    each = torch.nn.functional.cross_entropy(NOW[0], TARGETS[0, :, 0])
    assert loss[0].item() == pytest.approx(each.item())
    assert TASK.loss(NOW, None).shape == (2,)


@pytest.mark.parametrize(
    ("outputs", "targets", "words"),
    [
        (NOW, TARGETS[..., 0], "as task 'skills'"),
        (NOW[..., :3], TARGETS, "targets must be in 0..2"),
        (NOW, TARGETS.float() + 0.5, "as task 'skills'"),
    ],
)
def test_what_does_not_fit_is_refused(outputs: Tensor, targets: Tensor, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        task_for(outputs, Data(torch.zeros(2, 3), targets), name="skills")


def test_nothing_is_guessed_to_be_a_skill() -> None:
    with pytest.raises(ValueError, match="cannot be measured"):
        task_for(NOW, Data(torch.zeros(2, 3), TARGETS))


# -- texts whose words go together ---------------------------------------------------------


def texts(random: np.random.Generator, n: int) -> tuple[Tensor, Tensor]:
    """(right, of) of n texts: in half of them nearly all tagged words are right, else few."""
    of = random.integers(1, 7, n)
    share = np.where(random.random(n) < 0.5, 0.95, 0.3)
    return torch.from_numpy(random.binomial(of, share)).double(), torch.from_numpy(of).double()


def test_intervals_hold_where_words_of_a_text_go_together() -> None:
    random, times, true = np.random.default_rng(7), 300, 0.5 * 0.95 + 0.5 * 0.3
    held = naive = 0
    for _ in range(times):
        right, of = texts(random, 150)
        mean, low, high = mean_interval(right / of, of)
        half = 1.96 * math.sqrt(mean * (1 - mean) / float(of.sum()))  # as if words were samples
        held += low <= true <= high
        naive += abs(mean - true) <= half
    assert held / times >= 0.95
    assert naive / times < 0.85


def test_an_interval_is_about_as_wide_as_a_cluster_robust_one() -> None:
    random = np.random.default_rng(3)
    right, of = texts(random, 400)
    mean, low, high = mean_interval(right / of, of)
    words, text = [], []
    for at, (hits, number) in enumerate(zip(right.int().tolist(), of.int().tolist(), strict=True)):
        words += [1.0] * hits + [0.0] * (number - hits)
        text += [at] * number
    fit = sm.OLS(words, np.ones(len(words))).fit(cov_type="cluster", cov_kwds={"groups": text})
    assert mean == pytest.approx(fit.params[0])
    wide = fit.conf_int()[0]
    assert 1.0 <= (high - low) / (wide[1] - wide[0]) < 1.25  # never narrower
