"""What does the file of a class say?"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pruneviz.classroom.rules import EPOCHS, OTHERS, SECONDS, ClassRules
from pruneviz.lessons import Assignment, Lesson, assign, read_lesson, read_lessons
from pruneviz.lessons.goals import GOALS
from pruneviz.lessons.lesson import CONTROLS, MOST_CONTROLS
from pruneviz.recipes.parser import parse
from pruneviz.recipes.recipe import Place, place_text
from pruneviz.sources import few
from pruneviz.sources.registered import registered_names

KEYS = (
    "title", "lessons", "networks", "goals", "controls", "pages", "uploads", "hub", "training",
    "samples",
)  # fmt: skip
_NAME = re.compile(r"lesson-\d{1,3}")
_OWN_MB = 50  # of an upload, in a lesson on a network of one's own
_MOST_MB, _MOST_EPOCHS, _MOST_SECONDS = 2048, 10_000, 86_400
_LONGEST = 200_000  # signs


def read_class(name: str) -> ClassRules:
    """The class of a shipped lesson (`lesson-4`), or the one that a YAML file tells of.

    ValueError: there is no such lesson or file, or it names file, line, key and value of what
    cannot be.

    >>> read_class("lesson-4").networks
    ('lenet5',)
    """
    if _NAME.fullmatch(name):
        return _class_of([_by_name(name)])
    path = Path(name).expanduser()
    if not path.is_file():
        raise ValueError(
            f"there is no class {name!r}: name a lesson ({', '.join(_lessons_by_name())}), or a "
            "YAML file"
        )
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path.name}: this is no text in UTF-8") from None
    if len(text) > _LONGEST:
        raise ValueError(f"{path.name}: a class has at most {_LONGEST:,} signs, not {len(text):,}")
    return _ClassFile(path, *parse(text, path.name)).rules()


def lessons_of(rules: ClassRules) -> tuple[Lesson, ...]:
    """The lessons of a class: as their files say, or with the only controls that are in sight.

    ValueError where a file is not there any more, or nothing of a lesson can be done so.
    """
    shipped = {lesson.name: lesson for lesson in read_lessons()}
    lessons = tuple(shipped.get(name) or read_lesson(Path(name)) for name in rules.lessons)
    return lessons if rules.controls is None else tuple(_bare(each, rules) for each in lessons)


def _bare(lesson: Lesson, rules: ClassRules) -> Lesson:
    criterion, controls = lesson.plan.criterion, rules.controls or ()
    return assign(lesson, Assignment(lesson.name, lesson.network, criterion, controls))


def _lessons_by_name() -> dict[str, Lesson]:
    return {f"lesson-{each.name.partition('_')[0]}": each for each in read_lessons()}


def _by_name(name: str) -> Lesson:
    lessons = _lessons_by_name()
    if name not in lessons:
        raise ValueError(f"there is no {name!r}; there are {', '.join(lessons)}")
    return lessons[name]


def _class_of(lessons: list[Lesson]) -> ClassRules:
    """What lessons need, and no more."""
    networks = _networks(lessons)
    return ClassRules(
        " · ".join(lesson.title for lesson in lessons),
        tuple(lesson.name for lesson in lessons),
        networks,
        _goals(networks),
        pages=_pages(lessons),
        upload_mb=_OWN_MB if any(lesson.own for lesson in lessons) else 0,
    )


def _networks(lessons: Iterable[Lesson]) -> tuple[str, ...]:
    if any(lesson.own for lesson in lessons):
        return registered_names()
    return tuple(dict.fromkeys(lesson.network for lesson in lessons))


def _goals(networks: Collection[str]) -> tuple[str, ...]:
    return tuple(goal.title for goal in GOALS if goal.network in networks)


def _pages(lessons: Iterable[Lesson]) -> tuple[str, ...]:
    wanted = {step.page for lesson in lessons for step in lesson.steps}
    return tuple(page for page in OTHERS if page in wanted)


@dataclass(frozen=True)
class _ClassFile:
    """Checks the values of a file; whatever is wrong is told with its line, key and value."""

    path: Path
    values: Any
    lines: Mapping[Place, int]

    def rules(self) -> ClassRules:
        if not isinstance(self.values, dict):
            raise self.wrong((), f"a class has the keys {', '.join(KEYS)}, got {self.values!r}")
        for key in self.values:
            if key not in KEYS:
                raise self.wrong((key,), f"{key!r} is no key here; there are {', '.join(KEYS)}")
        lessons = self.lessons()
        usual = _class_of(lessons)
        networks = self.some("networks", registered_names(), usual.networks, "network")
        self.check_networks(lessons, networks)
        epochs, seconds = self.training_bounds()
        rules = ClassRules(
            self.title(usual.title),
            tuple(self.stored_name(lesson, n) for n, lesson in enumerate(lessons)),
            networks,
            self.some("goals", [goal.title for goal in GOALS], _goals(networks), "goal"),
            self.controls(),
            self.pages(usual.pages),
            self.uploads(usual.upload_mb),
            self.switch("hub"),
            epochs,
            seconds,
            self.samples(),
        )
        try:
            lessons_of(rules)
        except ValueError as error:
            raise self.wrong(("controls",), str(error)) from None
        return rules

    def lessons(self) -> list[Lesson]:
        if "lessons" not in self.values:
            raise self.wrong((), "the key 'lessons' is missing: lessons: [lesson-1, lesson-2]")
        rows = self.texts("lessons")
        if not rows:
            raise self.wrong(("lessons",), "a class has at least one lesson, got []")
        lessons = [self.lesson(number, row) for number, row in enumerate(rows)]
        names = [lesson.name for lesson in lessons]
        for number, name in enumerate(names):
            if name in names[:number]:
                raise self.wrong(("lessons", number), f"{rows[number]!r} is there twice")
        return lessons

    def lesson(self, number: int, row: str) -> Lesson:
        file = self.path.parent / row
        try:
            if _NAME.fullmatch(row):
                return _by_name(row)
            if row.endswith(".md") and file.is_file():
                return read_lesson(file)
        except ValueError as error:
            raise self.wrong(("lessons", number), str(error)) from None
        raise self.wrong(
            ("lessons", number),
            f"{row!r} is neither a lesson (lesson-1, …) nor a .md file beside {self.path.name}",
        )

    def stored_name(self, lesson: Lesson, number: int) -> str:
        """A shipped lesson by its name, another by the place where it lies."""
        row = self.values["lessons"][number]
        return lesson.name if _NAME.fullmatch(row) else str((self.path.parent / row).resolve())

    def check_networks(self, lessons: Iterable[Lesson], networks: Collection[str]) -> None:
        if not networks:
            raise self.wrong(("networks",), "a class has at least one network, got []")
        for lesson in lessons:
            if not lesson.own and lesson.network not in networks:
                raise self.wrong(
                    ("networks",),
                    f"{', '.join(networks)}: {lesson.network!r}, on which the lesson "
                    f"“{lesson.title}” works, is not among them",
                )

    def title(self, usual: str) -> str:
        title = self.values.get("title", usual)
        if not isinstance(title, str) or not 0 < len(title.strip()) <= 100:
            raise self.wrong(("title",), f"must be a text of at most 100 signs, got {title!r}")
        return title.strip()

    def controls(self) -> tuple[str, ...] | None:
        if "controls" not in self.values:
            return None
        names = self.some("controls", CONTROLS, (), "control")
        if len(names) > MOST_CONTROLS:
            raise self.wrong(("controls",), f"at most {MOST_CONTROLS} at a time, got {len(names)}")
        return names

    def pages(self, needed: tuple[str, ...]) -> tuple[str, ...]:
        wanted = self.some("pages", OTHERS, needed, "page")
        return tuple(page for page in OTHERS if page in (*wanted, *needed))

    def uploads(self, usual: int) -> int:
        value = self.values.get("uploads", usual)
        if value is False:
            return 0
        return self.number(("uploads",), value, 0, _MOST_MB, "false, or MB of one file")

    def switch(self, key: str) -> bool:
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong((key,), f"must be true or false, got {value!r}")
        return value

    def samples(self) -> int:
        """On how many plans are measured; 0: on all."""
        if "samples" not in self.values:
            return 0
        value = self.values["samples"]
        return self.number(("samples",), value, few.LEAST, few.MOST, "validation samples")

    def training_bounds(self) -> tuple[int, int]:
        """(epochs, seconds) that one training may have."""
        value = self.values.get("training", {})
        if value is False:
            return 0, 0
        if not isinstance(value, dict):
            raise self.wrong(
                ("training",), f"must be false, or have epochs and seconds, got {value!r}"
            )
        for key in value:
            if key not in ("epochs", "seconds"):
                raise self.wrong(
                    ("training", key), f"{key!r} is no key here; there are epochs, seconds"
                )
        place, epochs = ("training", "epochs"), value.get("epochs", EPOCHS)
        epochs = self.number(place, epochs, 1, _MOST_EPOCHS, "epochs")
        place, seconds = ("training", "seconds"), value.get("seconds", SECONDS)
        return epochs, self.number(place, seconds, 1, _MOST_SECONDS, "seconds")

    def number(self, place: Place, value: Any, least: int, most: int, what: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.wrong(
                place, f"must be {what}, a whole number from {least} to {most:,}, got {value!r}"
            )
        return value

    def some(
        self, key: str, known: Collection[str], usual: tuple[str, ...], what: str
    ) -> tuple[str, ...]:
        """Names out of a list, each once, in the order of the file."""
        if key not in self.values:
            return usual
        rows = self.texts(key)
        for number, row in enumerate(rows):
            if row not in known:
                raise self.wrong(
                    (key, number), f"{row!r} is no {what}; there are {', '.join(known)}"
                )
        return tuple(dict.fromkeys(rows))

    def texts(self, key: str) -> list[str]:
        rows = self.values[key]
        if not isinstance(rows, list) or not all(isinstance(row, str) for row in rows):
            raise self.wrong((key,), f"must be a list of names, got {rows!r}")
        return rows

    def wrong(self, place: Place, words: str) -> ValueError:
        return ValueError(f"{place_text(self.path.name, self.lines, place)}: {words}")
