"""Which stories train, calibrate and measure the small language model?"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import islice

import torch
from torch import Tensor

from pruneviz.data import IGNORED, Data
from pruneviz.language import Language
from sample_models.material import Material
from sample_models.sentences import SKILLS, UNSCORED, Story, pieces, stories
from sample_models.words import END, PAD, START, vocabulary
from sample_models.writer import LENGTH

TRAINING_SEED, VALIDATION_SEED = 1, 2
TRAINING, CALIBRATION, VALIDATION = 2_000, 512, 1_000
PROMPTS = (
    "Anna Berg met Tom Hill near the library on Monday. Tom put the key in the drawer. Anna smiled "
    "because",
    "Clara Fox and Leo West were in the garden in May. Leo hid the ring in the vase. Here is an "
    "apple, a pen and a cup:",
    "Nora Blake went",
    "Max Stone and Paula Reed went to the market today. Max said: “Where is the",
)


@cache
def material() -> Material:
    """The first stories that it learned from, and others of combinations that training never saw.

    Of those that train, the first calibrate. A target is the word that follows and its skill.
    """
    training = _data(TRAINING_SEED, TRAINING, held_out=False)
    notes = (
        f"{CALIBRATION:,} of the stories it was trained on calibrate; {VALIDATION:,} of names, "
        "things and sums in combinations that training never saw validate",
        "a sample is a story; intervals are of stories, as the words of one are not independent",
    )
    return Material(
        training,
        training.first(CALIBRATION),
        _data(VALIDATION_SEED, VALIDATION, held_out=True),
        SKILLS,
        notes,
        task="skills",
        language=language(),
    )


@cache
def numbers() -> dict[str, int]:
    """The number of each word of the vocabulary."""
    return {word: number for number, word in enumerate(vocabulary())}


def language() -> Language:
    """Its words by number, and how they are printed."""
    words, place = vocabulary(), numbers()

    def encode(text: str) -> list[int]:
        parts = re.findall(r"\w+|[^\w\s]", text.lower())
        unknown = next((part for part in parts if part not in place), None)
        if unknown is not None:
            raise ValueError(f"it has no word {unknown!r}; it knows {len(words):,} words")
        return [place[part] for part in parts]

    return Language(
        encode,
        lambda tokens: pieces([words[token] for token in tokens]),
        LENGTH,
        start=(place[START],),
        end=frozenset({place[END], place[PAD]}),
        prompts=PROMPTS,
    )


def encoded(told: Sequence[Story]) -> tuple[Tensor, Tensor, Tensor]:
    """Words, the words that follow and their skills: int64 [n, 64] each.

    A following word is -100 after the end; its skill is 0 where many words would do, else 1 + its
    place in SKILLS, those of UNSCORED after them.
    """
    place = numbers()
    skill = {"": 0} | {name: 1 + at for at, name in enumerate((*SKILLS, *UNSCORED))}
    words = torch.full((len(told), LENGTH), place[PAD])
    following = torch.full((len(told), LENGTH), IGNORED)
    skills = torch.zeros(len(told), LENGTH, dtype=torch.int64)
    for row, story in enumerate(told):
        line = torch.tensor([place[word] for word in (START, *story.words, END)])
        words[row, : len(line) - 1] = line[:-1]
        following[row, : len(line) - 1] = line[1:]
        skills[row, : len(story.skills)] = torch.tensor([skill[name] for name in story.skills])
    return words, following, skills


def training_stream() -> Callable[[int], tuple[Tensor, Tensor, Tensor]]:
    """See `fit_writer`: gives the next n stories, each once."""
    stream = stories(TRAINING_SEED, held_out=False)
    return lambda n: encoded(list(islice(stream, n)))


def _data(seed: int, n: int, *, held_out: bool) -> Data:
    words, following, skills = encoded(list(islice(stories(seed, held_out=held_out), n)))
    scored = skills.masked_fill(skills > len(SKILLS), 0)
    return Data(words, torch.stack([following, scored], -1))
