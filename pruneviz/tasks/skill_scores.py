"""How good is a language model at each skill that its words need?"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own abbreviation)
from torch import Tensor

from pruneviz.data import IGNORED, Outcome, check_targets
from pruneviz.tasks.measures import mean_loss, mean_of, mean_score, perplexity
from pruneviz.tasks.task import Column
from pruneviz.tasks.task_scores import outcome_of, overflown

RIGHT, TAGGED = "right by skill", "words by skill"
_WORDS, _WORDS_RIGHT, _WORD_LOSS = "words", "words right", "loss of words"


def judge_skills(count: int, outputs: Tensor, targets: Tensor) -> Outcome:
    """Outputs [b, words, classes] by targets int64 [b, words, 2]: the share of tagged words right.

    A target is the word that follows (-100: none) and its skill, 1..count, or 0 where many words
    would do. A text is one sample, weighted by its tagged words, so that whatever is said of
    samples, intervals too, takes the words of a text for as alike as they are. Columns: of each
    skill [b, count] the words and how many of them are right; of all words how many there are, how
    many are right, and their mean loss in nats.
    """
    targets = targets.to(outputs.device)
    following, skill = targets[..., 0], targets[..., 1]
    check_targets(following, outputs.shape[2], "the network's outputs")
    rows = outputs.float()
    counts, tagged = following != IGNORED, skill > 0
    broken = overflown(rows) & counts
    right = (rows.argmax(-1) == following) & counts & ~broken
    loss = F.cross_entropy(rows.flatten(0, 1), following.flatten(), reduction="none")
    loss = loss.view_as(following).double()
    words, number = counts.sum(1), tagged.sum(1)
    return outcome_of(
        (right & tagged).sum(1) / number.clamp(min=1),
        (loss * tagged).sum(1) / number.clamp(min=1),
        broken.any(1),
        weight=number,
        shared=True,
        more={
            RIGHT: _by_skill(right & tagged, skill, count),
            TAGGED: _by_skill(tagged, skill, count),
            _WORDS: words.float(),
            _WORDS_RIGHT: right.sum(1) / words.clamp(min=1),
            _WORD_LOSS: (loss.sum(1) / words.clamp(min=1)).float().nan_to_num(math.inf),
        },
    )


def measure_skills(outcome: Outcome) -> dict[str, float]:
    """Accuracy of tagged words; of all words accuracy and perplexity; the loss of tagged words."""
    more, words = outcome.more, outcome.more[_WORDS]
    return {
        "accuracy": mean_score(outcome),
        "next-word accuracy": mean_of(more[_WORDS_RIGHT], words),
        "perplexity": perplexity(mean_of(more[_WORD_LOSS], words)),
        "loss": mean_loss(outcome),
    }


def skill_columns(outcome: Outcome) -> dict[str, Column]:
    """Of next-word accuracy and perplexity."""
    more, words = outcome.more, outcome.more[_WORDS]
    return {
        "next-word accuracy": Column(more[_WORDS_RIGHT], words),
        "perplexity": Column(more[_WORD_LOSS], words, (0.0, math.inf), perplexity),
    }


def _by_skill(where: Tensor, skill: Tensor, count: int) -> Tensor:
    found = torch.zeros(len(skill), count + 1, dtype=torch.int16, device=skill.device)
    return found.scatter_add_(1, skill, where.to(torch.int16))[:, 1:]
