"""Who sits in the class, and what have they handed in?"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pruneviz.storage.measurement_store import MeasurementStore

_FILE = "class.sqlite3"
_WHAT = "who sits in the class"
_ALL = "students"
_SHEET = "sheet "
NAME_LENGTH = 40
MOST = 400  # students; a class has forty
LONGEST = 2_000_000  # signs of a worksheet


@dataclass(frozen=True)
class Student:
    """Somebody in the class.

    owner: whose records these are. name: as they typed it. place: title of the lesson or goal
    that was open last. seen: when they did something last; handed: when they handed in, 0.0 before;
    seconds since 1970.
    """

    owner: str
    name: str
    place: str = ""
    seen: float = 0.0
    handed: float = 0.0


class Register:
    """All who came, kept in the class's folder; used by many threads at once.

    clock: seconds since 1970.
    """

    def __init__(self, folder: Path | None, clock: Callable[[], float] = time.time) -> None:
        self._store = MeasurementStore(folder, _FILE, _WHAT)
        self._clock, self._guard = clock, threading.RLock()
        self._students = {one.owner: one for one in self._read()}

    def students(self) -> list[Student]:
        """All of them, by name."""
        with self._guard:
            return sorted(self._students.values(), key=lambda one: (one.name.casefold(), one.owner))

    def find(self, owner: str) -> Student | None:
        """The student with these records, or None."""
        return self._students.get(owner)

    def enter(self, owner: str, name: str) -> Student:
        """Take somebody in under a name, or under another one than before.

        ValueError: it is no name, somebody has it, or the class is full.
        """
        name = re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in name)).strip()
        if not name or len(name) > NAME_LENGTH:
            raise ValueError(f"a name has 1 to {NAME_LENGTH} signs, got {len(name)}")
        with self._guard:
            others = [one for one in self._students.values() if one.owner != owner]
            if any(one.name.casefold() == name.casefold() for one in others):
                raise ValueError(f"somebody is here as {name!r} already: add a letter or a number")
            if len(others) >= MOST:
                raise ValueError(f"this class is full: it has {MOST} names")
            before = self._students.get(owner) or Student(owner, name)
            return self._put(replace(before, name=name, seen=self._clock()))

    def sit(self, owner: str, place: str) -> None:
        """Note where a student is; of somebody who has no name nothing is noted."""
        with self._guard:
            student = self._students.get(owner)
            if student is None:
                return
            now = replace(student, place=place, seen=self._clock())
            if place == student.place:  # the time alone is not worth a write
                self._students[owner] = now
            else:
                self._put(now)

    def hand_in(self, owner: str, sheet: str) -> None:
        """Take a student's worksheet, in place of the one before; ValueError: too long, no name."""
        with self._guard:
            student = self._students.get(owner)
            if student is None:
                raise ValueError("say your name first, on the page Learn")
            if len(sheet) > LONGEST:
                raise ValueError(f"a worksheet has at most {LONGEST:,} signs, got {len(sheet):,}")
            self._store.put(f"{_SHEET}{owner}", sheet)
            self._put(replace(student, handed=self._clock(), seen=self._clock()))

    def sheets(self) -> list[tuple[Student, str]]:
        """What was handed in, by name."""
        pairs = [(one, self._store.get(f"{_SHEET}{one.owner}")) for one in self.students()]
        return [(one, sheet) for one, sheet in pairs if one.handed and sheet is not None]

    def give(self, before: str, now: str) -> None:
        """Another tab of the browser was first: what a student did is the other owner's."""
        with self._guard:
            student = self._students.pop(before, None)
            sheet = self._store.get(f"{_SHEET}{before}")
            if student is not None and now not in self._students:
                if sheet is not None:
                    self._store.put(f"{_SHEET}{now}", sheet)
                self._put(replace(student, owner=now))

    def remove(self, owner: str) -> None:
        """Take a name out, with what was handed in under it."""
        with self._guard:
            if self._students.pop(owner, None) is not None:
                self._store.put(f"{_SHEET}{owner}", "")
                self._write()

    def _put(self, student: Student) -> Student:
        self._students[student.owner] = student
        self._write()
        return student

    def _write(self) -> None:
        self._store.put(_ALL, json.dumps([asdict(one) for one in self._students.values()]))

    def _read(self) -> list[Student]:
        try:
            return [Student(**row) for row in json.loads(self._store.get(_ALL) or "[]")]
        except (ValueError, TypeError):
            return []
