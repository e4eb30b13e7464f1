"""Who sits in a class of a test, and what have they done?"""

from __future__ import annotations

import time
from pathlib import Path

from pruneviz.classroom import Register
from pruneviz.lessons import Lesson, Record
from pruneviz.lessons.goal_record import GoalRecord
from pruneviz.lessons.goals import GOALS
from pruneviz.storage.measurement_store import MeasurementStore
from pruneviz.ui.learn.goals import key
from pruneviz.ui.learn.worksheet import worksheet_page

NAMES = """Ada Ben Chloë Dimitri Elif Finn Greta Hassan Ines Jonas Kira Lukas Mila Noor Oskar Paula
Quentin Rosa Samir Tilda Ulrich Vera Wim Xenia Yusuf Zoë Anton Bianca Cem Dora Emil Farah Gustav
Hanna Igor Jelena Karim Lotte Mateo Maximilian-Alexander-von-Hohenfels""".split()  # noqa: SIM905


def fill(folder: Path, lesson: Lesson) -> None:
    """Forty students in every place of a lesson, written where the app reads it."""
    moments = time.time()
    clock = [moments]
    register = Register(folder, lambda: clock[0])
    store = MeasurementStore(folder, "lessons.sqlite3")
    for number, name in enumerate(NAMES):
        owner = f"{number:032d}"
        clock[0] = moments - 20 * (number % 9)
        register.enter(owner, name)
        register.sit(owner, lesson.title if number % 11 else GOALS[0].title)
        record = record_of(lesson, number)
        store.put(f"{owner}\n{lesson.key}", record.as_text())
        if number % 11 == 0:
            best = {"word": "passed for sure" if number % 2 else "within chance", "rank": [number],
                    "accuracy": 0.97, "kept": 0.2, "plan": {}}  # fmt: skip
            store.put(f"{owner}\n{key(GOALS[0])}", GoalRecord(("a",), best).as_text())
        if len(record.moments) == len(lesson.steps):
            register.hand_in(owner, worksheet_page(name, [(lesson, record)], []))
    store.close()


def record_of(lesson: Lesson, number: int) -> Record:
    """What the student of this number has done: another many steps, guesses all over."""
    done = lesson.steps[: number % (len(lesson.steps) + 1)]
    moments = {
        step.name: {step.of: 0.9 - 0.05 * place + 0.001 * number, "kept": 0.5}
        for place, step in enumerate(done)
    }
    asked = lesson.steps[: len(done) + 1]
    guesses = {step.name: (number * 37 % 101) / 100 for step in asked if step.guess}
    answers = {0: 0} if len(done) == len(lesson.steps) else {}
    return Record(begun=True, moments=moments, guesses=guesses, answers=answers)
