"""What is a lesson made of?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pruneviz.lessons.expression import Expression
from pruneviz.plan import Plan

CONTROLS = ("criterion", "granularity", "scope", "scores", "aggregate", "repair", "allocate")
MOST_CONTROLS = 3
PAGES = ("Sensitivity", "Small devices", "Train", "Export")  # that a step may lead to
OWN = "own"  # in place of a network: whichever the reader brings along


@dataclass(frozen=True)
class LessonStep:
    """One thing to do, which the reader's own session shows to be done.

    do: what, in Markdown. when: holds once it is done. seen: what stands there from then on. guess:
    what the reader expects is asked before, "" where nothing is; of: what is guessed, a share 0..1.
    page: of PAGES, where it is done, "" beside the lesson itself.
    """

    name: str
    do: str
    when: Expression
    seen: str = ""
    guess: str = ""
    of: str = "accuracy"
    page: str = ""


@dataclass(frozen=True)
class Option:
    """One answer to a question; right where `when` holds of what the reader measured."""

    say: str
    when: Expression


@dataclass(frozen=True)
class Question:
    """A question that the reader's own session answers; why: said after an answer.

    answers: to choose from. number: in their place a text that comes to the number that is to be
    typed, right up to `within`. text: in place of both a few words of the reader's own, which
    nobody judges: `why` stands beside them.
    """

    ask: str
    answers: tuple[Option, ...] = ()
    why: str = ""
    number: str = ""
    within: float = 0.0
    text: bool = False


@dataclass(frozen=True)
class Lesson:
    """A lesson as its file says.

    name: of the file, without its ending. network: in the list, or OWN. plan: what is asked for
    when it begins. controls: of CONTROLS, what stands above the board. criteria: that the list of
    criteria has beside its usual ones. intro: what is read first, in Markdown. watch: where to
    look meanwhile. settings: numbers in its texts that nothing computes: what is to be set, and
    ways of speaking. code: of the link by which a teacher handed it out, "" of the lesson as it
    is. reveal: whether the reader may have the other controls shown. course: under which heading it
    stands, "" under none.
    """

    name: str
    title: str
    network: str
    intro: str
    steps: tuple[LessonStep, ...]
    questions: tuple[Question, ...]
    plan: Plan = field(default_factory=Plan)
    controls: tuple[str, ...] = ()
    criteria: tuple[str, ...] = ()
    minutes: int = 5
    watch: str = ""
    settings: tuple[str, ...] = ()
    code: str = ""
    course: str = ""
    reveal: bool = True

    @property
    def own(self) -> bool:
        """Whether the reader brings the network."""
        return self.network == OWN

    @property
    def key(self) -> str:
        """What a reader's record is kept under: each link has its own."""
        return f"{self.name}@{self.code}" if self.code else self.name

    @property
    def texts(self) -> tuple[str, ...]:
        """All that it says, in the order in which it is read."""
        steps = (text for step in self.steps for text in (step.guess, step.do, step.seen))
        asks = (t for each in self.questions for t in (each.ask, each.number, each.why))
        says = (answer.say for each in self.questions for answer in each.answers)
        return tuple(text for text in (self.intro, self.watch, *steps, *asks, *says) if text)


Moment = Mapping[str, float | str | bool]
