"""What was tried before, and what came of it?"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from pruneviz.glossary import help_on
from pruneviz.history import History
from pruneviz.storage.faults import public
from pruneviz.ui.boundary import part
from pruneviz.ui.chrome import link_back
from pruneviz.ui.elsewhere import show_work
from pruneviz.ui.look import tight
from pruneviz.ui.pages import WORKBENCH
from pruneviz.ui.past import visits
from pruneviz.ui.past.filters import choose_visits
from pruneviz.ui.past.ownership import SHARED, history_here, offer, whose
from pruneviz.ui.past.side_by_side import side_by_side
from pruneviz.ui.session import Session
from pruneviz.ui.text import as_sentence, plain
from pruneviz.ui.workbench import address
from pruneviz.ui.workbench.live import listen
from pruneviz.ui.workbench.live import measure as measure_accuracy

_FIRST, _SECOND, _DOOMED, _SAID = (f"history_{n}" for n in ("first", "second", "doomed", "said"))
_SHOWN = 300
_HEIGHT = 270

Rows = dict[int, pd.Series]


def main() -> None:
    """The page from top to bottom."""
    tight()
    session = address.here()
    listen(session)
    show_work("History")
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.markdown("### History")
    with right:
        link_back()
    address.tell(session)
    history, reading = history_here()
    if session.next_change is None:  # else what is on its way would be lost
        address.write(session, SHARED)
    whose()
    models = history.models()  # before what there is to complain of: reading finds it out
    if history.complaint:
        st.warning(as_sentence(history.complaint))
    if not models:
        _empty()
        return
    mine = None if reading else session.diary
    tree = choose_visits(history, mine)
    if tree.empty:
        st.info("No visited plan matches. Loosen the filters above.")
    else:
        here = None if mine is None else mine.visits.get(session.settled)
        _tree(tree, here)
        rows = {int(row["id"]): row for _, row in tree.head(_SHOWN).iterrows()}
        _show_choice(_Look(history, session, reading), rows, here)
    measure_accuracy(session)


@dataclass(frozen=True)
class _Look:
    """What is looked at: a history, with the session of this tab; reading: it is another's."""

    history: History
    session: Session
    reading: bool


def _empty() -> None:
    st.info(
        "No plan has been visited yet. Move a slider on the workbench: from then on every plan "
        "you settle on is listed here with its measurements, even after you close the tab. Each "
        "browser has a history of its own."
    )


# -- the tree ----------------------------------------------------------------------------------


@part
def _tree(tree: pd.DataFrame, here: int | None) -> None:
    shown = tree.head(_SHOWN)
    numbers = [int(number) for number in shown["id"]]
    key = f"history-tree-{hash(tuple(numbers))}"

    def pick() -> None:
        rows = st.session_state[key]["selection"]["rows"][-2:]
        choice = [numbers[row] for row in rows if row < len(numbers)]
        for place, number in zip((_FIRST, _SECOND), [*choice, None, None], strict=False):
            st.session_state[place] = number

    many = shown["model"].nunique() > 1
    table = visits.table(shown, here)
    st.dataframe(
        table if many else table.drop(columns="network"),
        hide_index=True,
        height=min(_HEIGHT, 38 + 28 * len(table)),
        key=key,
        row_height=28,
        on_select=pick,
        selection_mode="multi-row",
        column_config={
            "plan": st.column_config.TextColumn(
                width=390, help="● is on the screen. A plan to the right branched off above."
            ),
            "branch": st.column_config.TextColumn(width=90),
            "score": st.column_config.NumberColumn(format="%.1f %%", width=65),
            "95 %": st.column_config.TextColumn(width=90, help="95 % interval of the score"),
            "change": st.column_config.NumberColumn(
                "Δ dense", format="%+.1f", width=65, help="Points of the score against dense"
            ),
            "kept": st.column_config.ProgressColumn(
                format="%.0f %%", min_value=0, max_value=100, width=95, help="Parameters kept"
            ),
            "n": st.column_config.NumberColumn(width=50, help="Samples measured"),
            "visits": st.column_config.NumberColumn(width=50),
            "last": st.column_config.DatetimeColumn(format="D MMM, HH:mm:ss", width=115),
            "number": st.column_config.NumberColumn("no.", width=45),
        },
    )
    if len(tree) > _SHOWN:
        st.caption(f"The first {_SHOWN} of {len(tree):,} plans: collapse runs or filter above.")


# -- one or two of them ------------------------------------------------------------------------


@part
def _show_choice(look: _Look, rows: Rows, here: int | None) -> None:
    left, right = st.columns([4, 9], gap="medium")
    numbers = [*rows]
    with left, st.container(key="history-choice"):
        usual = here if here in rows else numbers[-1]
        first = _ask("First plan", numbers, rows, _FIRST, usual)
        second = _ask("Second plan", numbers, rows, _SECOND, None)
        if first is not None:
            _one(look, rows[first], second)
    with right:
        if first is None or second is None or first == second:
            st.caption(
                "Choose two plans, here or by the boxes at the left of the table, to see them "
                "side by side."
            )
            return
        _two(look, rows[first], rows[second])


def _ask(label: str, numbers: list[int], rows: Rows, key: str, usual: int | None) -> int | None:
    if st.session_state.get(key) not in numbers:
        st.session_state[key] = usual
    return st.selectbox(
        plain(label),
        numbers,
        index=None if st.session_state[key] is None else numbers.index(st.session_state[key]),
        key=key,
        format_func=lambda number: visits.title(rows[number]),
        placeholder="choose one to compare with",
        help="The same rows as in the list and the tree.",
    )


def _one(look: _Look, row: pd.Series, second: int | None) -> None:
    history, session, number = look.history, look.session, int(row["id"])
    sentence = st.session_state.pop(_SAID, None)
    if sentence:
        st.error(plain(sentence))
    back, gone = st.columns(2)
    other = row["model"] != session.name
    words = f"Open {plain(row['model'])} at the first" if other else "Return to the first"
    if back.button(words, key="history-restore", type="primary", width="stretch"):
        _restore(history, session, row)
    if look.reading:
        if row["note"]:
            st.caption(f"Note: {plain(row['note'])}")
        return
    if gone.button("Delete …", key="history-delete", width="stretch"):
        st.session_state[_DOOMED] = [number, *([second] if second is not None else [])]
    _confirm(history)
    offer(history, number)
    with st.form(f"history-words-{number}", border=False):
        columns = st.columns(2)
        name = columns[0].text_input(
            "Name of this branch", row["name"], max_chars=60, help=help_on("branch")
        )
        note = columns[1].text_input(
            "Note",
            row["note"],
            max_chars=1_000,
            help="Stands with the plan, in the list and in what is exported.",
        )
        if st.form_submit_button("Save", width="stretch"):
            history.name_branch(number, name)
            history.note(number, note)
            st.rerun()


def _restore(history: History, session: Session, row: pd.Series) -> None:
    try:
        plan = history.plan_of(int(row["id"]))
        restored_session = visits.restore(session, visits.version_of(row), plan)
    except (ValueError, OSError) as error:
        st.session_state[_SAID] = f"{public(error)}."
        st.rerun()
    st.session_state["session"] = restored_session
    st.switch_page(WORKBENCH, query_params=address.query(restored_session))


def _confirm(history: History) -> None:
    doomed: list[int] = st.session_state.get(_DOOMED, [])
    if not doomed:
        return
    which = " and ".join(f"{number:d}" for number in doomed)
    st.warning(f"Delete {which} for good? Later plans stay.")
    yes, no = st.columns(2)
    if yes.button("Delete", key="history-delete-yes", width="stretch"):
        history.delete(doomed)
    elif not no.button("Keep", key="history-delete-no", width="stretch"):
        return
    del st.session_state[_DOOMED]
    st.rerun()


def _two(look: _Look, first: pd.Series, second: pd.Series) -> None:
    history, session = look.history, look.session
    made_for, other = visits.version_of(first), visits.version_of(second)
    if made_for.data != other.data:
        st.info(
            f"These plans were measured on other data ({plain(made_for.name)}: "
            f"{plain(made_for.data)}, {plain(other.name)}: {plain(other.data)}): only the same "
            "samples can be compared."
        )
        return
    numbers = int(first["id"]), int(second["id"])
    records = tuple(history.record_of(number) for number in numbers)
    if records[0] is None or records[1] is None:
        st.info("One of the two was left before it was measured: return to it to measure it.")
        return
    try:
        plans = history.plan_of(numbers[0]), history.plan_of(numbers[1])
    except ValueError as error:
        st.error(plain(f"{public(error)}."))
        return
    bench = session.bench if session.bench.data_fingerprint == made_for.data else None
    ledgers = history.ledger_of(numbers[0]), history.ledger_of(numbers[1])
    side_by_side(bench, (made_for, other), plans, (records[0], records[1]), ledgers)


part(main)()
