"""How does a step look before, while and after it is done?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pruneviz.lessons import Lesson, LessonStep, Record
from pruneviz.lessons.record import current
from pruneviz.lessons.statement import readable
from pruneviz.ui.pages import PAGES
from pruneviz.ui.session import notebook
from pruneviz.ui.text import plain
from pruneviz.ui.workbench import address

_WORDS = {
    "accuracy": "Accuracy",
    "kept": "Parameters kept",
    "macs": "MACs",
    "time": "Time",
    "file": "Size of the file",
    "zipped": "Size of the zip",
    "stored": "What is stored of the network",
    "trained_accuracy": "Accuracy after training",
}
_CLOSE = 0.03
_HERE = "Learn"


def steps(lesson: Lesson, record: Record, *, measured: bool) -> None:
    """What was done, newest last, and what is to be done; measured: whether the plan is."""
    done = [step for step in lesson.steps if step.name in record.moments]
    for step in done[:-1]:
        with st.expander(f":green[:material/check_circle:] {step_number(lesson, step)}"):
            _done(step, record)
    if done:
        st.markdown(f":green[:material/check_circle:] **{step_number(lesson, done[-1])} done.**")
        _done(done[-1], record)
    present = current(lesson, record)
    if present is not None:
        with st.container(border=True, key="step"):
            _present(lesson, record, present, measured=measured)
        left = len(lesson.steps) - len(done) - 1
        st.caption(_ahead(left, len(lesson.questions)))


def _ahead(left: int, asks: int) -> str:
    pairs = ((left, "more step"), (asks, "question"))
    parts = [f"{n} {word}{'' if n == 1 else 's'}" for n, word in pairs if n]
    return f"Then: {' and '.join(parts)}." if parts else "This is the last step."


def step_number(lesson: Lesson, step: LessonStep) -> str:
    """Which step of its lesson one is, in words."""
    return f"Step {lesson.steps.index(step) + 1}"


def _done(step: LessonStep, record: Record) -> None:
    moment, share = record.moments[step.name], record.guesses.get(step.name)
    if share is not None:
        st.markdown(_comparison(step, moment, share))
    st.markdown(readable(step.seen, record.moments))


def _comparison(step: LessonStep, moment: Mapping[str, Any], share: float) -> str:
    """What was expected beside what came."""
    came = float(moment[step.of])
    text = f"You expected **{100 * share:.0f} %**, and measured **{100 * came:.1f} %**"
    if step.of == "accuracy":
        text += f" ({100 * moment['low']:.1f} – {100 * moment['high']:.1f} %)"
    if abs(came - share) <= _CLOSE:
        return f"{text}. Well guessed!"
    return f"{text}: {100 * abs(came - share):.0f} points {'more' if came > share else 'less'}."


def _present(lesson: Lesson, record: Record, step: LessonStep, *, measured: bool) -> None:
    st.markdown(f"**{step_number(lesson, step)} of {len(lesson.steps)}**")
    if step.guess and step.name not in record.guesses:
        _ask_guess(lesson, record, step)
        return
    if step.guess:
        st.caption(f"You expect {100 * record.guesses[step.name]:.0f} %.")
    st.markdown(readable(step.do))
    if step.page:
        _way(step.page)
    if not measured:
        st.caption("Being measured on all samples …")
    elif lesson.watch:
        st.caption(f"Watch: {readable(lesson.watch)}")


def _way(title: str) -> None:
    """The way to the page where a step is done; the step is ticked off here afterwards."""
    page, icon = PAGES[title]
    st.page_link(
        page,
        label=f"Open the page {plain(title)}",
        icon=f":material/{icon}:",
        query_params=address.query_here(),
    )
    st.caption(f"Do it there, then come back with *{_HERE}* at the top.")


def _ask_guess(lesson: Lesson, record: Record, step: LessonStep) -> None:
    st.markdown(readable(step.guess))
    percent = st.slider(
        f"{_WORDS[step.of]} that you expect",
        0,
        100,
        50,
        format="%d %%",
        key=f"guess-{lesson.key}-{step.name}",
        help="Guess before you measure: what you expected is remembered better, right or wrong.",
    )
    if st.button("That is my guess", key="guess", type="primary"):
        notebook.write(lesson, record.guess(step, percent / 100))
        st.rerun()
