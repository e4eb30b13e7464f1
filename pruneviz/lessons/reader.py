"""What does the file of a lesson say?"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pruneviz.lessons import statement
from pruneviz.lessons.expression import Expression, check
from pruneviz.lessons.lesson import (
    CONTROLS,
    MOST_CONTROLS,
    PAGES,
    Lesson,
    LessonStep,
    Option,
    Question,
)
from pruneviz.lessons.situation import NAMES, SHARES
from pruneviz.plan import Plan
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.recipes.parser import parse
from pruneviz.recipes.recipe import Place, place_text

LESSONS = Path(__file__).parent
_FENCE = "---"
_HEADER = re.compile(r"\A---[ \t]*\r?\n(.*?\n)---[ \t]*(?:\r?\n|\Z)(.*)\Z", re.DOTALL)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LONGEST = 200_000  # signs of a file
_ANSWERS = ("answers", "number", "text")
HEAD = {
    "title",
    "course",
    "network",
    "plan",
    "controls",
    "criteria",
    "minutes",
    "watch",
    "settings",
    "steps",
    "questions",
}


def read_lessons(folder: Path = LESSONS) -> tuple[Lesson, ...]:
    """All lessons of a folder, in the order of the numbers that their files' names begin with,
    then of the names.

    ValueError names the file, line and field of what is wrong, or the folder that holds none.
    """
    files = lesson_files(folder)
    if not files:
        raise ValueError(f"{folder} holds no lesson: a lesson is a Markdown file, such as 1.md")
    return tuple(read_lesson(file) for file in files)


def lesson_files(folder: Path) -> list[Path]:
    """A folder's lessons, in the order of the numbers that their names begin with, then by name."""
    return sorted(folder.glob("*.md"), key=lambda path: (place_of(path.name), path.name))


def place_of(name: str) -> float:
    """The number that a file's name begins with; infinite where it begins with none."""
    number = re.match(r"\d{1,9}", name)
    return float(number[0]) if number else math.inf


def read_lesson(path: Path) -> Lesson:
    """The lesson in a file: a header in YAML between two lines of ---, then Markdown."""
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path.name}: this is no text in UTF-8") from None
    if len(text) > _LONGEST:
        raise ValueError(
            f"{path.name}: a lesson has at most {_LONGEST:,} signs, this {len(text):,}"
        )
    parts = _HEADER.match(text)
    if parts is None:
        raise ValueError(
            f"{path.name}: a lesson begins with its header in YAML between two lines of {_FENCE}"
        )
    # The fence is a line of its own, so that the parser counts lines as the file does.
    values, lines = parse(f"\n{parts[1]}", path.name)
    return _Header(path.name, values, lines).lesson(path.stem, parts[2].strip())


@dataclass(frozen=True)
class _Header:
    """Checks the values of a header; whatever is wrong is told with its line and field."""

    file: str
    values: Any
    lines: Mapping[Place, int]

    def lesson(self, name: str, intro: str) -> Lesson:
        head = self.mapping((), self.values, {"title", "network", "steps"}, HEAD)
        if not intro:
            raise self.wrong((), "no text follows the header: say what the lesson is about")
        self.statements((), intro)
        steps = self.steps(head["steps"])
        names = [step.name for step in steps]
        minutes = head.get("minutes", 5)
        if isinstance(minutes, bool) or not isinstance(minutes, int) or not 0 < minutes < 240:
            raise self.wrong(("minutes",), f"must be a whole number of minutes, got {minutes!r}")
        return Lesson(
            name,
            self.text(("title",), head["title"]),
            self.text(("network",), head["network"]),
            intro,
            steps,
            self.questions(head.get("questions", []), names),
            self.plan(head.get("plan", {})),
            self.controls(head.get("controls", [])),
            self.criteria(head.get("criteria", [])),
            minutes,
            self.text(("watch",), head.get("watch", ""), least=0),
            self.settings(head.get("settings", [])),
            course=self.text(("course",), head.get("course", ""), least=0),
        )

    def steps(self, values: Any) -> tuple[LessonStep, ...]:
        rows = self.rows(("steps",), values)
        if not rows:
            raise self.wrong(("steps",), "a lesson has at least one step")
        steps: list[LessonStep] = []
        for place, row in rows:
            steps.append(self.step(place, row, [step.name for step in steps]))
        return tuple(steps)

    def step(self, place: Place, row: Any, before: Collection[str]) -> LessonStep:
        known = {"name", "do", "when", "seen", "guess", "of", "page"}
        row = self.mapping(place, row, {"name", "do", "when"}, known)
        name, of = row["name"], row.get("of", "accuracy")
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name in NAMES:
            raise self.wrong(
                (*place, "name"),
                f"must be a word of small letters that is no other's, got {name!r}",
            )
        if name in before:
            raise self.wrong((*place, "name"), f"{name!r} is the name of a step before")
        if of not in SHARES:
            raise self.wrong((*place, "of"), f"must be one of {', '.join(SHARES)}, got {of!r}")
        page = row.get("page", "")
        if page and page not in PAGES:
            raise self.wrong((*place, "page"), f"must be one of {', '.join(PAGES)}, got {page!r}")
        when = self.expression((*place, "when"), row["when"], before)
        do, guess = self.text((*place, "do"), row["do"]), row.get("guess", "")
        guess = self.text((*place, "guess"), guess, least=0)
        seen = self.text((*place, "seen"), row.get("seen", ""), [*before, name], least=0)
        return LessonStep(name, do, when, seen, guess, of, page)

    def questions(self, values: Any, steps: Collection[str]) -> tuple[Question, ...]:
        return tuple(self.question(*each, steps) for each in self.rows(("questions",), values))

    def question(self, place: Place, row: Any, steps: Collection[str]) -> Question:
        known = {"ask", "why", "within", *_ANSWERS}
        row = self.mapping(place, row, {"ask"}, known)
        if len(set(row) & {*_ANSWERS}) != 1:
            raise self.wrong(place, f"a question has one of {', '.join(_ANSWERS)}")
        ask = self.text((*place, "ask"), row["ask"], steps)
        why = self.text((*place, "why"), row.get("why", ""), steps, least=0)
        if "answers" in row:
            return Question(ask, self.options(place, row["answers"], steps), why)
        if "text" in row:
            return Question(ask, why=why, text=True)
        within = row.get("within", 0)
        if isinstance(within, bool) or not isinstance(within, int | float) or not within >= 0:
            raise self.wrong((*place, "within"), f"must be a number from 0 on, got {within!r}")
        number = self.text((*place, "number"), row["number"], steps)
        if not statement.is_single(number):
            raise self.wrong((*place, "number"), "must be one number, as {half.kept} or [[8: …]]")
        return Question(ask, why=why, number=number, within=float(within))

    def options(self, place: Place, values: Any, steps: Collection[str]) -> tuple[Option, ...]:
        answers = []
        for where, each in self.rows((*place, "answers"), values):
            each = self.mapping(where, each, {"say", "when"}, {"say", "when"})
            when = self.expression((*where, "when"), each["when"], steps)
            answers.append(Option(self.text((*where, "say"), each["say"], steps), when))
        if len(answers) < 2:
            raise self.wrong((*place, "answers"), "a question has at least two answers")
        return tuple(answers)

    def plan(self, values: Any) -> Plan:
        if not isinstance(values, dict):
            raise self.wrong(("plan",), f"must map fields of a plan to values, got {values!r}")
        try:
            return Plan.from_dict(values)
        except ValueError as error:
            raise self.wrong(("plan",), str(error)) from None

    def controls(self, values: Any) -> tuple[str, ...]:
        rows = [name for _, name in self.rows(("controls",), values)]
        unknown = next((name for name in rows if name not in CONTROLS), None)
        if unknown is not None:
            known = ", ".join(CONTROLS)
            raise self.wrong(("controls",), f"{unknown!r} is none; there are {known}")
        if len(rows) > MOST_CONTROLS:
            raise self.wrong(("controls",), f"at most {MOST_CONTROLS} at a time, got {len(rows)}")
        return tuple(rows)

    def settings(self, values: Any) -> tuple[str, ...]:
        for place, each in self.rows(("settings",), values):
            if isinstance(each, bool) or not isinstance(each, str | int | float):
                raise self.wrong(place, f"must be a number as it stands in the text, got {each!r}")
        return tuple(str(each) for each in values)

    def criteria(self, values: Any) -> tuple[str, ...]:
        rows = [name for _, name in self.rows(("criteria",), values)]
        unknown = next((name for name in rows if name not in CRITERIA), None)
        if unknown is not None:
            raise self.wrong(("criteria",), f"{unknown!r} is none; there are {', '.join(CRITERIA)}")
        return tuple(rows)

    def expression(self, place: Place, text: Any, steps: Collection[str]) -> Expression:
        if isinstance(text, bool | int | float):
            text = str(text)
        try:
            return check(text, NAMES, steps)
        except ValueError as error:
            raise self.wrong(place, str(error)) from None

    def text(
        self, place: Place, value: Any, steps: Collection[str] | None = None, least: int = 1
    ) -> str:
        """A text; steps: whose measurements may stand in it, None: nothing may."""
        if not isinstance(value, str) or len(value.strip()) < least:
            raise self.wrong(place, f"must be a text, got {value!r}")
        self.statements(place, value, steps)
        return value.strip()

    def statements(self, place: Place, text: str, steps: Collection[str] | None = None) -> None:
        try:
            statement.check_text(text, steps)
        except ValueError as error:
            raise self.wrong(place, str(error)) from None

    def mapping(self, place: Place, value: Any, needs: set[str], known: set[str]) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.wrong(place, f"must have the fields {', '.join(sorted(needs))}")
        for name in sorted(set(value) - known):
            words = ", ".join(sorted(known))
            raise self.wrong((*place, name), f"{name!r} is no field here; there are {words}")
        for name in sorted(needs - set(value)):
            raise self.wrong(place, f"the field {name!r} is missing")
        return value

    def rows(self, place: Place, values: Any) -> list[tuple[Place, Any]]:
        if not isinstance(values, list):
            raise self.wrong(place, f"must be a list, got {values!r}")
        return [((*place, number), value) for number, value in enumerate(values)]

    def wrong(self, place: Place, words: str) -> ValueError:
        return ValueError(f"{place_text(self.file, self.lines, place)}: {words}")
