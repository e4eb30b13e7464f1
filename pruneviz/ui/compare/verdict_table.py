"""Which criterion is best, and by how much, in the words of the screen?"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pruneviz.comparison.contest import Contest

_WIDE, _WIDER = 270, 370  # pixels: "no measurable difference (−12.3 … +45.6)", and with a name


def show_verdicts(contest: Contest, labels: Mapping[str, str]) -> None:
    """The verdicts as a table; labels: criterion -> what the chart beside it calls it."""
    shown = contest.summary.drop(columns="in words")
    parts = [text.partition(": ") for text in shown["minus runner-up"]]
    shown["minus runner-up"] = [labels.get(name, name) + "".join(rest) for name, *rest in parts]
    shown["best"] = [labels.get(name, name) for name in shown["best"]]
    wide = st.column_config.TextColumn(width=_WIDE)
    columns = {name: wide for name in map(str, shown) if name.startswith("minus ")}
    columns["minus runner-up"] = st.column_config.TextColumn(width=_WIDER)
    st.dataframe(
        shown,
        hide_index=True,
        height="content",
        key="criteria-verdicts",
        row_height=32,
        column_config=columns,
    )
