"""Which visits are asked for, and by which choices?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pruneviz.glossary import help_on
from pruneviz.history import Filter, History, ModelVersion, csv_of
from pruneviz.history.tree import arrange, matching
from pruneviz.ui.session.diary import Diary
from pruneviz.ui.text import plain

_ANY, _ALL = "any", "all networks"


def choose_visits(history: History, mine: Diary | None) -> pd.DataFrame:
    """The visits that are asked for, as a tree; mine: what this tab writes."""
    first = st.columns([3, 2, 2, 2, 2.4], vertical_alignment="bottom")
    model = _model(first[0], history.models(), mine)
    which = first[1].segmented_control(
        "Sessions", ["all", "this one"], default="all", required=True, key="history_sessions",
        help=help_on("session"),
    )  # fmt: skip
    frame = history.visits(model, mine.session if mine and which == "this one" else None)
    if which == "this one" and mine is None:
        frame = frame.iloc[:0]
    criterion = _any(first[2], "criterion", frame["criterion"])
    granularity = _any(first[3], "granularity", frame["granularity"])
    folded = first[4].toggle(
        "Collapse runs without a fork",
        value=len(frame) > 60,
        key="history_fold",
        help="Shows only plans at which a run begins, forks or ends, or that have a name or a "
        "note. ⋮3 means that three plans before this one are hidden.",
    )
    second = st.columns([3, 3, 3, 2.4], vertical_alignment="bottom", gap="medium")
    text = second[0].text_input(
        "Text", key="history_text", placeholder="a name, a note, a layer …", max_chars=100,
        help="Shows the plans in whose name, note, criterion or layers this stands.",
    )  # fmt: skip
    accuracy = _range(second[1], "Score, %", "accuracy")
    params = _range(second[2], "Parameters kept, %", "kept")
    where = Filter(criterion, granularity, text, accuracy, params)
    second[3].download_button(
        "Download CSV",
        lambda: csv_of(frame[matching(frame, where)]),
        file_name="pruneviz-history.csv",
        mime="text/csv",
        key="history-csv",
        icon=":material/download:",
        on_click="ignore",
        width="stretch",
    )
    return arrange(frame, where, folded=folded)


def _model(
    place: st.delta_generator.DeltaGenerator, models: list[ModelVersion], mine: Diary | None
) -> ModelVersion | None:
    """The network whose visits are shown; None for all."""
    choices = {_ALL: None, **{_model_name(each, models): each for each in models}}
    usual = _model_name(mine.version, models) if mine else _ALL
    if st.session_state.get("history_model") not in choices:
        st.session_state["history_model"] = usual if usual in choices else _ALL
    return choices[
        place.selectbox("Network", [*choices], key="history_model", help=help_on("network"))
    ]


_KEYS = {"accuracy": "history_accuracy", "kept": "history_params"}


def _range(place: st.delta_generator.DeltaGenerator, label: str, term: str) -> tuple[float, float]:
    """A range of per cent, as fractions; term: of the glossary."""
    low, high = place.slider(
        plain(label), 0.0, 100.0, (0.0, 100.0), format="%.1f", key=_KEYS[term], help=help_on(term)
    )
    return low / 100, high / 100


def _any(place: st.delta_generator.DeltaGenerator, term: str, values: pd.Series) -> str | None:
    """One of these values; term: what they are, in the glossary."""
    key = f"history_{term}"
    options = [_ANY, *sorted(set(values))]
    if st.session_state.get(key) not in options:
        st.session_state[key] = _ANY
    choice = place.selectbox(plain(term.capitalize()), options, key=key, help=help_on(term))
    return None if choice == _ANY else str(choice)


def _model_name(version: ModelVersion, models: list[ModelVersion]) -> str:
    """A model by its name, with its weights where several have that name."""
    alike = [other for other in models if other.name == version.name]
    if len(alike) <= 1:
        return version.name
    return f"{version.name} · {version.weights[:6]} · data {version.data[:6]}"
