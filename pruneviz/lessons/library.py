"""Which lessons stand on the page Learn: ours, and those of a folder that a teacher brings?"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pruneviz.lessons.lesson import Lesson
from pruneviz.lessons.reader import lesson_files, place_of, read_lesson, read_lessons

VARIABLE = "PRUNEVIZ_LESSONS"


@dataclass(frozen=True)
class Library:
    """lessons: in their order. complaints: why files of the teacher's are left out, in words."""

    lessons: tuple[Lesson, ...]
    complaints: tuple[str, ...] = ()


def own_folder() -> Path | None:
    """The folder that $PRUNEVIZ_LESSONS names, if it names one."""
    folder = os.environ.get(VARIABLE, "")
    return Path(folder).expanduser() if folder else None


def stamps(folder: Path | None) -> tuple[tuple[str, int, int], ...]:
    """What tells whether a lesson of a folder was changed: name, time and size of each file."""
    files = lesson_files(folder) if folder is not None and folder.is_dir() else []
    states = [(file.name, file.stat()) for file in files]
    return tuple((name, state.st_mtime_ns, state.st_size) for name, state in states)


def library(folder: Path | None = None) -> Library:
    """Our lessons with those of `folder` beside them, by the numbers of their files.

    A file that has the name of one of ours takes its place. One that cannot be read is left out,
    with a complaint that names its line and field.
    """
    ours = {lesson.name: lesson for lesson in read_lessons()}
    if folder is None:
        return Library(tuple(ours.values()))
    theirs: dict[str, Lesson] = {}
    complaints = []
    files = lesson_files(folder) if folder.is_dir() else []
    if not files:
        complaints.append(f"the folder of lessons that {VARIABLE} names holds no Markdown file")
    for file in files:
        try:
            theirs[file.stem] = read_lesson(file)
        except (ValueError, OSError) as error:
            complaints.append(f"{error}; this lesson is left out")
    both = ours | theirs
    order = sorted(both, key=lambda name: _rank(name, is_theirs=name not in ours))
    return Library(tuple(both[name] for name in order), tuple(complaints))


def _rank(name: str, *, is_theirs: bool) -> tuple[float, bool, str]:
    """By number; where two have one number, ours comes first: its number stays the same."""
    return place_of(name), is_theirs, name
