"""How does a goal look, and how near is what is on the screen?"""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from pruneviz.classroom import current_rules
from pruneviz.lessons.goal import CHANCE, PASSED, Goal, GoalVerdict, from_text, judge
from pruneviz.lessons.goal_record import GoalRecord
from pruneviz.lessons.goals import GOALS
from pruneviz.plan import Plan
from pruneviz.storage.faults import public
from pruneviz.ui.boundary import part
from pruneviz.ui.learn import course
from pruneviz.ui.learn.controls import ALL, may_reveal
from pruneviz.ui.session import Session, jobs, notebook
from pruneviz.ui.text import as_sentence, code, plain
from pruneviz.ui.workbench import address

_LOOKS = {PASSED: ("green", "check_circle"), CHANCE: ("orange", "help")}
_PROMISE = (
    "“For sure” is false at most 1 time in 40, over all attempts at this goal together: each new "
    "attempt must be a little surer than the one before. This holds for attempts that are made "
    "without fitting them to the very samples that judge them, and whoever tries hundreds of plans "
    "on the same samples does fit them, a little."
)


@part
def cards() -> None:
    """The goals that are there for everybody, with how far one has come."""
    if not offered_goals():
        return
    st.markdown("#### Goals\nNo steps, only a target. How you reach it is up to you.")
    goals = offered_goals()
    for column, goal in zip(st.columns(len(GOALS), gap="small"), goals, strict=False):
        with column, st.container(border=True, key=f"goal-card-{goal.code}"):
            record = _read(goal)
            st.markdown(f"**{plain(goal.title)}**")
            st.caption(f"{plain(goal.network)} · {_attempts_text(record)}")
            st.caption(_target(goal))
            if st.button("Open", key=f"goal-{goal.code}", help=f"Open: {plain(goal.title)}"):
                course.aim(goal)
                if not record.attempts:
                    set_up(goal)
                st.rerun()


def offered_goals() -> tuple[Goal, ...]:
    """All there are, or those of the class."""
    rules = current_rules()
    return GOALS if rules is None else tuple(g for g in GOALS if g.title in rules.goals)


def progress() -> list[tuple[Goal, GoalRecord]]:
    """The goals that whoever is here has tried, with what came of it."""
    goals = {goal.code: goal for goal in GOALS}
    for name, text in notebook.links().items():
        if "@" not in name:
            with suppress(ValueError):  # of another version of this app
                goals[name] = from_text(text)
    pairs = [(goal, _read(goal)) for goal in goals.values()]
    return [(goal, record) for goal, record in pairs if record.attempts]


@part
def panel(session: Session, goal: Goal) -> None:
    """A goal: what is asked for, the verdict on the plan that is settled on, the best attempt."""
    if st.button("All lessons", key="lessons", icon=":material/arrow_back:", type="tertiary"):
        course.close()
        st.rerun()
    st.markdown(f"#### {plain(goal.title)}")
    st.markdown(f"On {code(goal.network)}: {_target(goal)}")
    if session.name != goal.network:
        st.info(f"This goal is about {code(goal.network)}; open is {code(session.name)}.")
        if st.button(f"Open {plain(goal.network)}", key="goal-network-open"):
            set_up(goal)
            st.rerun()
        return
    record = _read(goal)
    with st.container(border=True, key="goal"):
        record = _judge(session, goal, record)
    _best(session, record)
    if may_reveal(goal):
        st.toggle("All controls", key=ALL, help="Shows everything that stands above the board.")
    st.caption(f"{_attempts_text(record)} · goal {plain(goal.code)}", help=_PROMISE)


def set_up(goal: Goal) -> None:
    """Open the goal's network as it begins."""
    session = address.go_to(address.Address(goal.network))
    if goal.plan != Plan() and session.name == goal.network:
        address.settle(session, goal.plan)


def _judge(session: Session, goal: Goal, record: GoalRecord) -> GoalRecord:
    """The verdict; a plan that was measured in full and cuts something is an attempt."""
    bench, plan = session.bench, session.settled
    if plan.is_dense:
        st.markdown(
            "Nothing is cut yet. Move a slider: each plan that you settle on is an attempt."
        )
        return record
    if not jobs.is_measured(bench, plan):
        st.caption("Being measured on all samples …")
        return record
    try:
        verdict = judge(goal, bench, plan, record.place(plan))
    except ValueError as error:
        st.error(as_sentence(public(error)))
        return record
    _show(goal, verdict)
    after = record.attempt(plan, verdict)
    if after != record:
        notebook.put(key(goal), after.as_text())
    return after


def _show(goal: Goal, verdict: GoalVerdict) -> None:
    st.markdown(_verdict_text(verdict))
    for words in verdict.missed:
        st.markdown(f"- {plain(words)}.")
    st.markdown(
        f"{100 * verdict.kept:.1f}\u00a0% of the parameters kept, accuracy "
        f"{100 * verdict.accuracy:.1f}\u00a0%."
    )
    what = "change" if goal.accuracy is None else "accuracy"
    low, high = 100 * verdict.low, 100 * verdict.high
    unit = "points" if goal.accuracy is None else "%"
    signs = "+" if goal.accuracy is None else ""
    st.caption(
        f"On all digits there are, the {what} lies between {low:{signs}.1f} and {high:{signs}.1f} "
        f"{unit}.",
        help=_PROMISE,
    )


def _verdict_text(verdict: GoalVerdict) -> str:
    colour, icon = _LOOKS.get(verdict.word, ("red", "cancel"))
    return f"**:{colour}[:material/{icon}: {plain(verdict.word.capitalize())}]**"


def _best(session: Session, record: GoalRecord) -> None:
    if not record.best:
        return
    best = record.best
    st.markdown(
        f"**Best attempt**: {plain(best['word'])}, {100 * best['kept']:.1f}\u00a0% kept, accuracy "
        f"{100 * best['accuracy']:.1f}\u00a0%."
    )
    plan = Plan.from_dict(best["plan"])
    if plan != session.settled and st.button("Back to the best attempt", key="goal-best"):
        address.settle(session, plan)
        st.rerun()


def _target(goal: Goal) -> str:
    asks = []
    if goal.kept is not None:
        asks.append(f"at most {100 * goal.kept:g} % of the parameters kept")
    if goal.flash is not None:
        asks.append(f"weights of at most {goal.flash:g} KiB at 8 bits each")
    if goal.alone is not None:
        asks.append(f"one layer alone cut to at least {100 * goal.alone:g} %")
    if goal.accuracy is not None:
        asks.append(f"accuracy of at least {100 * goal.accuracy:g} %")
    if goal.lose is not None:
        asks.append(f"at most {100 * goal.lose:g} points of accuracy lost")
    text = "; ".join(asks).replace(" %", "\u00a0%")
    return f"{text[0].upper()}{text[1:]}."


def _attempts_text(record: GoalRecord) -> str:
    n = len(record.attempts)
    words = "no attempt yet" if not n else f"{n} attempt{'' if n == 1 else 's'}"
    return f":green[:material/check_circle: passed] · {words}" if record.passed else words


def _read(goal: Goal) -> GoalRecord:
    return GoalRecord.from_text(notebook.get(key(goal)))


def key(goal: Goal) -> str:
    """What a reader's record of a goal is kept under."""
    return f"goal {goal.code}"
