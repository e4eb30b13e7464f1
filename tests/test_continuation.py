"""Does a language model go on from a text as its answers say, dense beside pruned?"""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.data import Data
from pruneviz.language import Language
from pruneviz.sources import Source
from pruneviz.workbench import Workbench

WORDS = ("a", "b", "c", "d", ".")
LANGUAGE = Language(
    lambda text: [WORDS.index(word) for word in text.split()],
    lambda tokens: [f" {WORDS[token]}" for token in tokens],
    length=6,
    end=frozenset({4}),
)


class Table(nn.Module):
    """After a word mostly the next of WORDS: a table of which follows which, as a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.follows = nn.Linear(5, 5, bias=False)
        self.other = nn.Linear(5, 5, bias=False)
        nn.init.zeros_(self.other.weight)
        with torch.no_grad():
            self.follows.weight.copy_(3 * torch.eye(5).roll(1, 0))

    def forward(self, words: Tensor) -> Tensor:
        known = nn.functional.one_hot(words, 5).to(self.follows.weight)
        logits: Tensor = self.follows(known) + self.other(known)
        return logits


def bench_of(model: nn.Module, language: Language | None = LANGUAGE) -> Workbench:
    words = torch.randint(0, 5, (8, 6), generator=torch.Generator().manual_seed(0))
    data = Data(words, words.roll(-1, 1))
    source = Source("table", model.eval(), data.first(4), data, (), language=language)
    return Workbench(source)


BENCH = bench_of(Table())
CUT = pv.Plan(sparsity={"follows": 1.0})


def text(tokens: object) -> str:
    return "".join(token.text for token in tokens)  # type: ignore[attr-defined]


def test_the_likeliest_word_is_written_until_the_end() -> None:
    written = BENCH.continuation(pv.Plan(), "a", 9)
    assert (written.prompt, text(written.dense)) == (" a", " b c d")
    assert text(BENCH.continuation(pv.Plan(), "a", 2).dense) == " b c"
    assert not any(token.differs for token in written.pruned)


def test_words_that_are_not_those_of_dense_are_marked() -> None:
    written = BENCH.continuation(CUT, "a", 5)  # all answers are equal: the first word each time
    assert text(written.pruned) == " a a a a a"
    assert [token.differs for token in written.pruned] == [True] * 5


def test_dice_are_the_same_for_both_and_follow_the_seed() -> None:
    one, again, other = (
        BENCH.continuation(pv.Plan(), "a", 6, temperature=2.0, seed=seed) for seed in (5, 5, 6)
    )
    assert one == again
    assert text(one.dense) == text(one.pruned)
    many = {
        text(BENCH.continuation(pv.Plan(), "a", 6, temperature=2.0, seed=seed).dense)
        for seed in range(8)
    }
    assert len(many) > 1
    assert text(other.dense) in many


def test_a_sampled_word_is_as_frequent_as_its_probability() -> None:
    share = math.exp(3) / (math.exp(3) + 4)
    hits = sum(
        text(BENCH.continuation(pv.Plan(), "a", 1, temperature=1.0, seed=seed).dense) == " b"
        for seed in range(300)
    )
    assert hits / 300 == pytest.approx(share, abs=0.06)


def test_the_loss_of_each_word_is_that_of_its_probability() -> None:
    found = BENCH.surprise(CUT, [0, 1, 3])
    after = math.exp(3) + 4
    assert found.pieces == (" b", " d")
    wanted = torch.tensor([math.log(after) - 3, math.log(after)]).double()
    torch.testing.assert_close(found.dense, wanted)
    torch.testing.assert_close(found.pruned, torch.full((2,), math.log(5)).double())


def test_a_longer_text_is_read_from_its_end() -> None:
    class Counting(Table):
        def forward(self, words: Tensor) -> Tensor:
            assert words.shape[1] <= 6
            return super().forward(words)

    written = bench_of(Counting()).continuation(pv.Plan(), "a b c d . a b c", 1)
    assert text(written.dense) == " d"


@pytest.mark.parametrize(
    ("prompt", "count", "temperature", "words"),
    [
        ("", 3, 0.0, "nothing to go on from"),
        ("a", 0, 0.0, "count must be 1 or more"),
        ("a", 1, -1.0, "temperature 0 or more, got 1 and -1.0"),
    ],
)
def test_what_makes_no_sense_is_refused(
    prompt: str, count: int, temperature: float, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        BENCH.continuation(pv.Plan(), prompt, count, temperature)


def test_a_network_without_a_language_says_so() -> None:
    with pytest.raises(ValueError, match="writes no text"):
        bench_of(Table(), None).continuation(pv.Plan(), "a")
    with pytest.raises(ValueError, match="two or more"):
        BENCH.surprise(pv.Plan(), [1])
