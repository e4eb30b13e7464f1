"""Which stories does the little language tell, and which of their words have one right answer?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar
from zlib import crc32

from sample_models.words import (
    BEINGS,
    CONTAINERS,
    DAYS,
    DEEDS,
    FAMILIES,
    GAINS,
    HABITS,
    HIDES,
    LOSSES,
    MEN,
    MONTHS,
    MOVES,
    NUMBERS,
    OPPOSITES,
    PLACES,
    QUOTES,
    SPEAKS,
    START,
    STATES,
    THINGS,
    WOMEN,
    article,
    plural,
)

SKILLS = ("agreement", "pronoun", "place", "opposite", "counting", "sums", "quotation")
UNSCORED = ("names",)  # has one right answer, too, but the network has not learned it
LONGEST = 62  # words of a story, so that it fits into 64 positions with its start and its end
HELD_OUT = 5  # one in so many combinations is never seen in training
_VERBS = {"near": ("is", "are"), "behind": ("was", "were"), "beside": ("has", "have")}
_OPPOSITE = {
    word: meant for one, other in OPPOSITES for word, meant in ((one, other), (other, one))
}
_NAMES = frozenset((*WOMEN, *MEN, *FAMILIES, *DAYS[:-2], *MONTHS, "i"))
_OPENING, _CLOSING = "“‘«", "”’»"

T = TypeVar("T")
Words = list[tuple[str, str]]  # each with the skill that it needs, or ""


@dataclass(frozen=True)
class Story:
    """Words in their order, and for each the skill that it needs ("" where many words would do)."""

    words: tuple[str, ...]
    skills: tuple[str, ...]


@dataclass(frozen=True)
class Person:
    """Somebody of a story, called by their first or their family name after the first sentence."""

    first: str
    family: str

    @property
    def woman(self) -> bool:
        return self.first in WOMEN


class Teller:
    """Tells stories of one kind: those that train, or those whose combinations training never saw.

    Names of persons, a thing and where it lies, a subject and what it stands by, what is said to be
    what, what is counted and summed: each combination belongs to one kind, for ever.
    """

    def __init__(self, seed: int, *, held_out: bool) -> None:
        self._random = Random(seed)
        self._held_out = held_out

    def story(self) -> Story:
        """The next one: who is where, then sentences that each ask for a skill."""
        people = self._people()
        words = self._opening(people)
        sentences = self._middle(people)
        for sentence in sentences:
            if len(words) + len(sentence) <= LONGEST:
                words += sentence
        return Story(tuple(word for word, _ in words), tuple(skill for _, skill in words))

    # -- chance ----------------------------------------------------------------------------

    def _below(self, n: int) -> int:
        # random() alone is promised to give the same stream in every Python.
        return int(self._random.random() * n)

    def _one(self, of: Sequence[T]) -> T:
        return of[self._below(len(of))]

    def _combination(self, what: str, *choices: Sequence[str]) -> tuple[str, ...]:
        """One of each, different from each other, that belongs to this kind of stories."""
        while True:
            chosen = tuple(self._one(each) for each in choices)
            if len(set(chosen)) == len(chosen) and held_out(what, *chosen) == self._held_out:
                return chosen

    # -- sentences ---------------------------------------------------------------------------

    def _people(self) -> tuple[Person, Person]:
        """A woman and a man, in either order."""
        while True:
            first, second = self._one(((WOMEN, MEN), (MEN, WOMEN)))
            one = Person(*self._combination("person", first, FAMILIES))
            other = Person(*self._combination("person", second, FAMILIES))
            if one.family != other.family:
                return one, other

    def _opening(self, people: tuple[Person, Person]) -> Words:
        one, other = (f"{person.first} {person.family}" for person in people)
        verb = self._one(("and {} were in", "met {} near", "and {} went to")).format(other)
        when = self._one(("in " + self._one(MONTHS), self._when()))
        return _plain(f"{one} {verb} the {self._one(PLACES)} {when} .")

    def _when(self) -> str:
        day = self._one(DAYS)
        return day if day in ("today", "yesterday") else f"on {day}"

    def _middle(self, people: tuple[Person, Person]) -> list[Words]:
        """Sentences; of a thing that is put somewhere, the question comes three sentences later."""
        makers = [self._agreement, self._pronoun, self._naming, self._opposite, self._counting,
                  self._sum, self._quotation]  # fmt: skip
        others = [self._one(makers)(people) for _ in range(5)]
        if self._below(5) == 0:
            return others
        put, ask = self._place(people)
        decoy = [self._place(people, ask[-2][0], ask[1][0])[0]] if self._below(2) else []
        return [put, *decoy, *others[: 2 - len(decoy)], ask, *others[2:]]

    def _name(self, people: tuple[Person, Person]) -> tuple[str, Person]:
        person = self._one(people)
        return self._one((person.first, person.family, person.family)), person

    def _agreement(self, people: tuple[Person, Person]) -> Words:
        near = self._one(tuple(_VERBS))
        subject, other = self._combination("agreement", BEINGS, BEINGS)
        many, others = self._below(2), self._below(2)
        subject, other = (
            plural(noun) if is_many else noun
            for noun, is_many in ((subject, many), (other, others))
        )
        rest = self._one(HABITS if near == "beside" else STATES)
        rest = f"no {rest}" if near == "beside" else rest
        return [
            *_plain(f"the {subject} {near} the {other}"),
            (_VERBS[near][many], "agreement"),
            *_plain(f"{rest} ."),
        ]

    def _pronoun(self, people: tuple[Person, Person]) -> Words:
        person, form = self._one(people), self._below(3)
        if form == 0:  # from the pronoun to the name
            before = f"{'she' if person.woman else 'he'} is called"
            return [*_plain(before), (person.first, "pronoun"), (".", "")]
        if form == 1:
            pronoun, before = ("she", "he"), f"{person.first} {self._one(MOVES)} because"
            after = f"was {self._one(STATES)} ."
        else:
            pronoun, before = ("her", "his"), f"{person.first} {self._one(DEEDS)}"
            after = f"{self._one(THINGS)} ."
        return [*_plain(before), (pronoun[not person.woman], "pronoun"), *_plain(after)]

    def _naming(self, people: tuple[Person, Person]) -> Words:
        person = self._one(people)
        before = f"the family name of {person.first} is"
        return [*_plain(before), (person.family, "names"), (".", "")]

    def _place(
        self, people: tuple[Person, Person], not_in: str = "", not_the: str = ""
    ) -> tuple[Words, Words]:
        """A thing is put somewhere; and the sentence that asks where it is."""
        thing, container = self._combination("place", THINGS, CONTAINERS)
        if thing == not_the or container == not_in:
            return self._place(people, not_in, not_the)
        put = f"{self._name(people)[0]} {self._one(HIDES)} the {thing} in the {container} ."
        asked = _plain(f"the {thing} is in the")
        return _plain(put), [*asked, (container, "place"), (".", "")]

    def _opposite(self, people: tuple[Person, Person]) -> Words:
        thing, quality = self._combination("opposite", THINGS, tuple(_OPPOSITE))
        form = self._one(("the {} was not {} but very", "these {} are not {} but"))
        thing = plural(thing) if form.startswith("these") else thing
        answer = (_OPPOSITE[quality], "opposite")
        return [*_plain(form.format(thing, quality)), answer, (".", "")]

    def _counting(self, people: tuple[Person, Person]) -> Words:
        number = 2 + self._below(4)
        things = list(self._combination("counting", THINGS, THINGS))
        while len(things) < number:
            things += [thing for thing in [self._one(THINGS)] if thing not in things]
        listed = [f"{article(thing)} {thing}" for thing in things]
        text = f"here is {' , '.join(listed[:-1])} and {listed[-1]} :"
        return [*_plain(text), (NUMBERS[number], "counting"), *_plain("things .")]

    def _sum(self, people: tuple[Person, Person]) -> Words:
        a, b = 1 + self._below(9), 1 + self._below(9)
        (thing,) = self._combination(f"sums {a} {b}", THINGS)
        name = self._name(people)[0]
        more = a <= b or self._below(2)
        first = f"{name} had {NUMBERS[a]} {plural(thing) if a > 1 else thing} and"
        if more:
            text, answer = f"{self._one(GAINS)} {NUMBERS[b]} more , which makes", a + b
        else:
            text, answer = f"{self._one(LOSSES)} {NUMBERS[b]} of them , which leaves", a - b
        return [*_plain(f"{first} {text}"), (NUMBERS[answer], "sums"), (".", "")]

    def _quotation(self, people: tuple[Person, Person]) -> Words:
        begin, end = self._one(QUOTES)
        verb, thing = self._combination("quotation", SPEAKS, THINGS)
        inner = self._one((
            f"where is the {thing} ?", f"look , the {thing} !", "please go away !",
            f"i like the {thing} .", f"did you see the {self._one(BEINGS)} ?",
            f"i think the {thing} is {self._one(tuple(_OPPOSITE))} .",
            f"we have no {self._one(HABITS)} now .",
        ))  # fmt: skip
        text = f"{self._name(people)[0]} {verb} : {begin} {inner}"
        return [*_plain(text), (end, "quotation")]


def held_out(what: str, *chosen: str) -> bool:
    """Whether a combination is one that training never sees."""
    return crc32(" ".join((what, *chosen)).encode()) % HELD_OUT == 0


def stories(seed: int, *, held_out: bool) -> Iterator[Story]:
    """Without an end; the same seed tells the same stories, on every machine.

    held_out: of the combinations that training never sees, and of no others.
    """
    teller = Teller(seed, held_out=held_out)
    while True:
        yield teller.story()


def pieces(words: Sequence[str]) -> list[str]:
    """What each word adds to the text that one would print.

    >>> "".join(pieces(["anna", "said", ":", "“", "go", "away", "!", "”"]))
    'Anna said: “Go away!”'
    """
    printed, before = list[str](), ""
    for word in words:
        if word == START:
            printed.append("")
            continue
        begins = before in ("", *".!?", *_OPENING, *_CLOSING)
        shown = word.capitalize() if begins or word in _NAMES else word
        glued = before in ("", *_OPENING) or word in (*".,:!?", *_CLOSING)
        printed.append(shown if glued else f" {shown}")
        before = word
    return printed


def _plain(text: str) -> Words:
    return [(word, "") for word in text.split()]
