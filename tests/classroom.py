"""How does a test take the page Learn as a reader does, in one browser tab?"""

from __future__ import annotations

from pruneviz.lessons import Lesson, Record, read_lessons
from pruneviz.lessons.record import Answer
from pruneviz.ui.session import notebook
from tests.page import Page, new_app, path_of

LESSONS = read_lessons()


class Classroom(Page):
    """The page Learn in one browser tab."""

    PAGE, STATE = "learn", "LedgerWork"

    def __init__(self, number: int | None = None, **address: str) -> None:
        self.app, self.seq = new_app(), 0
        self.app.switch_page(path_of("learn"))
        self.app.query_params.update(address | ({} if number is None else {"lesson": str(number)}))
        self.run()

    def begin(self) -> Classroom:
        self.press("lesson-begin")
        self.arrive().finish()
        return self

    def record(self, lesson: Lesson) -> Record:
        return notebook.read(lesson)

    def guess(self, percent: int) -> Classroom:
        slider = next(each for each in self.app.slider if "expect" in each.label)
        slider.set_value(percent)
        self.press("guess")
        return self

    def drag(self, **levels: float) -> Classroom:
        self.settle(**levels).finish()
        return self

    def every_layer(self, level: float) -> Classroom:
        """The slider above the list, whatever the layers are called."""
        bench = self.session.bench
        free = [name for name in bench.layer_of if name not in self.session.locked]
        self.ask("settle", dict(self.session.live.sparsity) | dict.fromkeys(free, level))
        self.finish()
        return self

    def home(self) -> Classroom:
        """Back to the lesson."""
        self.app.switch_page(path_of("learn"))
        self.run()
        return self

    def undo(self) -> Classroom:
        self.ask("undo").finish()
        return self

    def answer(self, lesson: Lesson, number: int, answer: Answer) -> Classroom:
        key, question = f"answer-{lesson.name}-{number}", lesson.questions[number]
        if question.text:
            self.app.text_area(key=key).set_value(str(answer))
        elif question.number:
            self.app.number_input(key=key).set_value(float(answer))
        else:
            self.app.radio(key=key).set_value(int(answer))
        self.run()
        return self
