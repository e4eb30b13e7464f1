"""How far has a reader come in a lesson?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pruneviz.lessons.expression import value
from pruneviz.lessons.lesson import Lesson, LessonStep, Question
from pruneviz.lessons.statement import number_in, readable
from pruneviz.plan import Plan

_LONGEST = 100_000
MOST_WORDS = 2000  # signs of an answer in words
Answer = int | float | str
PLAN = "plan"


@dataclass(frozen=True)
class Record:
    """What one reader did in one lesson.

    begun: whether the lesson was set up. moments: step -> what was measured when it was done, with
    the plan as plain values; in the order in which they were done. guesses: step -> the share that
    was expected. answers: number of a question -> the answer given last: the number of an option,
    a number that was typed, or words.
    """

    begun: bool = False
    moments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    guesses: Mapping[str, float] = field(default_factory=dict)
    answers: Mapping[int, Answer] = field(default_factory=dict)

    def as_text(self) -> str:
        """As it is kept."""
        values = {
            "begun": self.begun, "moments": self.moments, "guesses": self.guesses,
            "answers": {str(question): answer for question, answer in self.answers.items()},
        }  # fmt: skip
        return json.dumps(values)

    @classmethod
    def from_text(cls, text: str | None, lesson: Lesson) -> Record:
        """What was kept, as far as it goes with the lesson as it is now; a new one where none was.

        Steps count up to the first that is missing: a lesson's file may have changed meanwhile.
        """
        try:
            values = json.loads(text or "{}") if len(text or "") <= _LONGEST else {}
            moments, names = values.get("moments", {}), [step.name for step in lesson.steps]
            done = next((i for i, name in enumerate(names) if name not in moments), len(names))
            return cls(
                bool(values.get("begun", False)),
                {name: dict(moments[name]) for name in names[:done]},
                {n: float(x) for n, x in values.get("guesses", {}).items() if n in names},
                {int(n): _answer(x) for n, x in values.get("answers", {}).items()},
            )
        except (ValueError, TypeError, AttributeError):
            return cls()

    def guess(self, step: LessonStep, share: float) -> Record:
        """With what is expected at a step, 0..1; what was guessed once stands."""
        return replace(self, guesses={step.name: share, **self.guesses})

    def answer(self, question: int, answer: Answer) -> Record:
        """With an answer; question: its number."""
        return replace(self, answers={**self.answers, question: answer})


def current(lesson: Lesson, record: Record) -> LessonStep | None:
    """The step that is to be done next; None once all are."""
    return next((step for step in lesson.steps if step.name not in record.moments), None)


def is_complete(lesson: Lesson, record: Record) -> bool:
    """Whether all steps are done and every question was answered rightly."""
    answered = all(is_right(each, number, record) for number, each in enumerate(lesson.questions))
    return current(lesson, record) is None and answered


def advance(lesson: Lesson, record: Record, now: Mapping[str, Any], plan: Plan) -> Record:
    """The record once the present step is done, if it is; else the same.

    now: of `situation`. A step with a guess waits for it. One step at a time: the next needs
    something that is done after this one, so the same situation never completes two.
    """
    step = current(lesson, record)
    fits = now["own"] if lesson.own else now["network"] == lesson.network
    if step is None or not record.begun or not fits:
        return record
    if step.guess and step.name not in record.guesses:
        return record
    moment = _moment(now, plan)
    last = [*record.moments.values()][-1:]
    if [moment] == last or not value(step.when, now, record.moments):
        return record
    return replace(record, moments={**record.moments, step.name: moment})


def is_right(question: Question, number: int, record: Record) -> bool:
    """Whether the answer given is what the reader's own measurements say."""
    answer = record.answers.get(number)
    if answer is None:
        return False
    if question.text:
        return isinstance(answer, str) and bool(answer.strip())
    if isinstance(answer, str):
        return False
    if question.number:
        right, _ = number_in(readable(question.number, record.moments))
        return abs(answer - right) <= question.within + 1e-9
    place = int(answer)
    if not 0 <= place < len(question.answers):
        return False
    return bool(value(question.answers[place].when, {}, record.moments))


def _answer(given: object) -> Answer:
    """ValueError where it is no answer of any kind."""
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise ValueError(f"{given!r} is no answer")
    return given[:MOST_WORDS] if isinstance(given, str) else given


def _moment(now: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    # Through JSON, as it will be read again: what is compared must be alike.
    plain = {name: each for name, each in now.items() if not callable(each)}
    moment: dict[str, Any] = json.loads(json.dumps({**plain, PLAN: plan.as_dict()}))
    return moment
