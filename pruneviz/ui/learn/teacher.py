"""How does a teacher hand out a lesson?"""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from pruneviz.glossary import help_on
from pruneviz.lessons import Assignment, Lesson
from pruneviz.lessons.assignment import to_text
from pruneviz.lessons.goal import Goal
from pruneviz.lessons.goal import to_text as goal_text
from pruneviz.lessons.lesson import CONTROLS, MOST_CONTROLS
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.storage.faults import public
from pruneviz.ui.boundary import part
from pruneviz.ui.learn import course, worksheet
from pruneviz.ui.link import link_field
from pruneviz.ui.pages import PAGES
from pruneviz.ui.session import networks, notebook
from pruneviz.ui.text import as_sentence, plain
from pruneviz.ui.workbench import address

_HERE = ("localhost", "127.0.0.1", "::1")  # where nobody else gets to
_WORDS = {"scores": "Scores", "aggregate": "Group score", "repair": "Repair"}


@part
def teacher() -> None:
    """A form that makes a link; nothing of whoever fills it in changes by it."""
    with st.expander("For teachers", icon=":material/school:"):
        st.markdown(
            "Hand out a lesson on a network, with a criterion and with the controls that you "
            "choose. Whoever opens the link works for themselves: nothing that they do reaches "
            "you, or anybody else."
        )
        st.page_link(
            PAGES["Manual"][0],
            label="Three ready courses: 20, 45 and 90 minutes",
            icon=":material/menu_book:",
            query_params={**address.query_here(), "topic": "teaching"},
        )
        lesson, goal, sheets = st.tabs(["A lesson", "A goal of your own", "Worksheets"])
        with lesson:
            _lesson_link()
        with goal:
            _goal_link()
        with sheets:
            worksheet.collect()


def _goal_link() -> None:
    left, middle, right = st.columns(3)
    title = left.text_input(
        "Title", "Small and good", key="goal-title", max_chars=80, help="What stands on the card."
    )
    names = networks.common()
    network = middle.selectbox("Network", names, key="goal-network", help=help_on("network"))
    kinds = {"weight": "Single weights", "neuron": "Neurons and filters"}
    granularity = right.selectbox(
        "Granularity at the beginning", [*kinds], format_func=kinds.__getitem__, key="goal-kind",
        help=help_on("granularity"),
    )  # fmt: skip
    wishes = _ask_wishes()
    controls, reveal = ask_controls(("criterion", "granularity"), "-goal")
    try:
        goal = Goal(
            title.strip(),
            network,
            granularity=granularity,
            kept=wishes["kept"],
            flash=wishes["flash"],
            accuracy=wishes["accuracy"],
            lose=wishes["lose"],
            alone=wishes["alone"],
            controls=tuple(controls),
            reveal=reveal,
        )
    except ValueError as error:
        st.error(as_sentence(public(error)))
        return
    show_link(course.GOAL, goal_text(goal), goal.code)


def _ask_wishes() -> dict[str, float | None]:
    """What a goal asks for, by the names of its fields; None where a box is empty."""
    st.caption("What is asked for; leave empty what is not.")
    limits = {
        "kept": ("Parameters kept, at most (%)", 25.0, 100.0, "kept"),
        "flash": ("Weights at 8 bits, at most (KiB)", None, 1.0, "fits"),
        "alone": ("One layer alone, cut to at least (%)", None, 100.0, "sparsity"),
        "accuracy": ("Accuracy, at least (%)", 97.0, 100.0, "accuracy"),
        "lose": ("Accuracy lost, at most (points)", None, 100.0, "delta"),
    }
    wishes: dict[str, float | None] = {}
    for column, (name, (words, usual, factor, term)) in zip(
        st.columns(5), limits.items(), strict=True
    ):
        number = column.number_input(
            plain(words), min_value=0.0, value=usual, step=1.0, format="%g", key=f"goal-{name}",
            help=help_on(term),
        )  # fmt: skip
        wishes[name] = None if number is None else number / factor
    return wishes


def _lesson_link() -> None:
    lessons = [each for each in notebook.lessons() if not each.own]
    left, middle, right = st.columns(3)
    with left:
        lesson = st.selectbox(
            "Lesson",
            lessons,
            format_func=lambda each: f"{course.number(each)}. {plain(each.title)}",
            key="teacher-lesson",
            help="Yours stand beside ours where the app was started with a folder of lessons.",
        )
    with middle:
        network = _ask_network(lesson)
    with right:
        criterion = st.selectbox(
            "Criterion at the beginning",
            [*CRITERIA],
            index=[*CRITERIA].index(lesson.plan.criterion),
            format_func=lambda name: CRITERIA[name].label,
            key=f"teacher-criterion-{lesson.name}",
            help=help_on("criterion"),
        )
    controls, reveal = ask_controls(lesson.controls, f"-{lesson.name}")
    assignment = Assignment(lesson.name, network, criterion, tuple(controls), reveal)
    try:
        handed = course.hand_out(assignment)
    except ValueError as error:
        st.error(as_sentence(public(error)))
        return
    missing = len(lesson.steps) - len(handed.steps), len(lesson.questions) - len(handed.questions)
    if any(missing):
        st.info(_omission_text(lesson, *missing))
    show_link(course.LINK, to_text(assignment), assignment.code)


def _ask_network(lesson: Lesson) -> str:
    names = networks.common()
    place = names.index(lesson.network) if lesson.network in names else 0
    key = f"teacher-network-{lesson.name}"
    label = "Network to work on"
    return str(st.selectbox(label, names, index=place, key=key, help=help_on("network")))


def ask_controls(usual: tuple[str, ...], key: str) -> tuple[list[str], bool]:
    """(the controls in sight, whether a reader may have the others shown)."""
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    controls = left.multiselect(
        "Controls in sight",
        CONTROLS,
        default=usual,
        max_selections=MOST_CONTROLS,
        format_func=lambda name: _WORDS.get(name, name.capitalize()),
        key=f"teacher-controls{key}",
        help=f"At most {MOST_CONTROLS}: what else stands above the board is hidden.",
    )
    reveal = right.toggle(
        "The others may be shown",
        key=f"teacher-reveal{key}",
        help="With it there is a switch “All controls”, as in every lesson.",
    )
    return controls, reveal


def show_link(word: str, text: str, code: str) -> None:
    """The link to copy; code: by which it is known again in a table."""
    base = (st.context.url or "").split("?")[0]
    link_field(f"{base}?{word}={text}", "link for your class", key=f"link-{word}")
    if urlsplit(base).hostname in _HERE:
        st.caption(
            ":orange[This address leads to this machine alone.] Start the app with "
            "`pruneviz app --host 0.0.0.0`, and open it at the address that is printed: the link "
            "then leads your class to it."
        )
    st.caption(
        f"Copy this link. Worksheets from it carry its code, {plain(code)}: a link that somebody "
        "changed has another one. It works wherever this app, with this network, is open to your "
        "class."
    )


def _omission_text(lesson: Lesson, steps: int, questions: int) -> str:
    pairs = ((steps, "step"), (questions, "question"))
    parts = [f"{n} {word}{'' if n == 1 else 's'}" for n, word in pairs if n]
    be = "is" if steps + questions == 1 else "are"
    return (
        f"{' and '.join(parts).capitalize()} of “{plain(lesson.title)}” {be} left out: what is "
        "hidden is needed there."
    )
