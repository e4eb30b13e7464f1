"""How does a test take a lesson as a reader does, with nothing but what stands on the screen?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from driving import Board, drawing, press, rest
from playwright.sync_api import Locator, Page, expect

from pruneviz.lessons import Lesson
from pruneviz.lessons.statement import number_in, readable


@dataclass(frozen=True)
class Reader:
    """A reader of one lesson in one tab."""

    board: Board
    lesson: Lesson

    @property
    def page(self) -> Page:
        """The tab."""
        return self.board.page

    @property
    def text(self) -> Locator:
        """All of the lesson's text; while a page is drawn, the one before may stand there too."""
        return self.page.locator(".st-key-lesson").first

    @property
    def step(self) -> Locator:
        """The box with the step that is to be done."""
        return self.page.locator(".st-key-step").first

    def walk(self, acts: Mapping[str, Callable[[Reader], object]]) -> None:
        """Take every step, each by its act and not before, and answer every question."""
        steps = self.lesson.steps
        assert [*acts] == [step.name for step in steps]
        press(self.page, "Begin")
        expect(self.page.get_by_role("button", name="Begin")).to_have_count(0)
        self.board.open()
        for number, step in enumerate(steps, 1):
            self.see(self.step, f"Step {number} of {len(steps)}")
            if step.guess:
                task = _letters(readable(step.do))
                assert task not in _letters(self.step.inner_text()), "it is told after the guess"
                press(self.page, "That is my guess")
                self.see(self.step, "You expect 50 %.")
            acts[step.name](self)
            if number == len(steps):
                self.see(self.text, f"Step {number} done.")
            else:
                self.see(self.step, f"Step {number + 1} of {len(steps)}")
            assert not step.guess or "You expected 50 %" in self.text.inner_text()
        for number, _ in enumerate(self.lesson.questions):
            self.answer(number)
        self.see(self.text, "This lesson is done.")
        left_open = re.findall(r"\[\[|{[a-z_]+\.", self.text.inner_text())
        assert not left_open, "what was measured is filled in"

    def see(self, place: Locator, words: str) -> None:
        """Wait until these words stand there."""
        expect(place).to_contain_text(words)

    def answer(self, number: int) -> None:
        """Try the answers of a question until one is right; write into a box what it asks for."""
        question = self.lesson.questions[number]
        box = self.page.locator(f".st-key-answer-{self.lesson.name}-{number}")
        rest(self.page)
        if question.text:
            box.locator("textarea").fill("as I see it")
            box.locator("textarea").press("Control+Enter")
            expect(self.text.get_by_text("Beside yours:").nth(self._boxes(number))).to_be_visible()
            return
        right = self.text.get_by_text("Right.")
        before = right.count()
        if question.number:
            box.locator("input").fill(self._number(question.number))
            box.locator("input").press("Enter")
            expect(right).to_have_count(before + 1)
            return
        for place in range(len(question.answers)):
            with drawing(self.page):
                box.get_by_role("radio").nth(place).locator("xpath=ancestor::label").click()
            if right.count() > before:
                return
        raise AssertionError(f"no answer is right: {question.ask}")

    def _type(self, word: str, text: str) -> None:
        """Into a field; one that is drawn anew just then has what stood there before."""
        field = self.page.get_by_role("spinbutton", name=re.compile(f"^{word}"))

        def is_typed() -> bool:
            rest(self.page)
            if field.input_value() == text:
                return True
            field.fill(text)
            field.press("Enter")
            return False

        self.board.until(f"{word} {text}", is_typed)

    def _boxes(self, number: int) -> int:
        return sum(each.text for each in self.lesson.questions[:number])

    def _number(self, text: str) -> str:
        """What is to be typed: the number that is stated, or the share on the tile."""
        if "{" in text:
            assert text.endswith(".kept}"), text
            return self.board.root.get_by_test_id("kept").inner_text().split()[0]
        return f"{number_in(readable(text))[0]:g}"

    # -- what a reader does ------------------------------------------------------------------

    def choose_button(self, option: str) -> None:
        """Press one of the buttons that stand side by side above the board."""
        with self.board.changing_address():
            self.page.locator(".st-key-controls").get_by_text(option, exact=True).click()

    def choose(self, label: str, option: str) -> None:
        """Choose above the board, and wait until all of it is measured."""
        self.board.choose(label, option)
        box = self.page.get_by_role("combobox", name=label)
        self.board.until(option, lambda: box.input_value() == option)
        rest(self.page)
        self.board.until("full validation", self.board.is_full)

    def open_tab(self, name: str) -> None:
        """Open a tab below the board; a page that is drawn anew just then may lose the click."""
        tab = self.page.get_by_role("tab", name=name)

        def is_open() -> bool:
            rest(self.page)
            if tab.get_attribute("aria-selected") != "true":
                tab.click()
            return tab.get_attribute("aria-selected") == "true"

        self.board.until(f"the tab {name}", is_open)

    def weigh(self) -> None:
        """Measure the ledger of the present plan."""
        self.open_tab("Ledger")
        press(self.page, "Measure size, memory and speed")
        self.page.get_by_role("button", name="Measure again").wait_for()

    def go(self, title: str) -> None:
        """To the page that the step leads to."""
        rest(self.page)
        self.step.get_by_role("link", name=f"Open the page {title}").click()
        self.page.get_by_role("heading", name=title).first.wait_for()
        rest(self.page)

    def back(self) -> None:
        """Back to the lesson, as the step says."""
        rest(self.page)
        self.page.get_by_role("link", name="Learn", exact=True).click()
        self.text.wait_for()
        rest(self.page)  # until then the board of the page before may still stand there
        self.board.until("one board", lambda: self.board.root.count() == 1)
        self.board.open()

    def devices(self) -> None:
        """Let the page Small devices measure."""
        self.go("Small devices")
        self.page.locator("[data-testid=stDataFrame]:visible").first.wait_for()
        self.back()

    def scan(self) -> None:
        """Scan the layers."""
        self.go("Sensitivity")
        start = self.page.get_by_role("button", name="Scan")
        done = self.page.get_by_text("every interval is")
        start.or_(done).first.wait_for()  # another reader of this server may have scanned it
        if start.count():
            press(self.page, "Scan")
        done.wait_for()
        self.back()

    def train(self, method: str, *, controls: bool = False, **numbers: int) -> None:
        """Train on the page Train; numbers: what is typed, by the first word of its label."""
        self.go("Train")
        self.board.choose("Method", method)
        for word, number in numbers.items():
            self._type(word, str(number))
        if controls:
            self.page.get_by_test_id("stCheckbox").get_by_text("With controls").click()
        with drawing(self.page):  # until then what an earlier one gave still stands there
            press(self.page, "Train", exact=True)
        self.page.get_by_role("button", name="Use as a new version").wait_for()
        self.back()


def _letters(text: str) -> str:
    return re.sub(r"[*`\s]+", "", text)
