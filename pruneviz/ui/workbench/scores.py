"""Which of a network's outputs is scored, and as what?"""

from __future__ import annotations

import streamlit as st

from pruneviz.ui.session import Session, networks
from pruneviz.ui.session.score_source import ScoreSource, scoring_of
from pruneviz.ui.text import plain

_USUAL = "the usual"


def ask_scores(session: Session) -> str:
    """A choice of the output that is scored and of what it is measured by, where there is one.

    Returns the name under which the network stands that is scored so.
    """
    bench = session.bench
    now = scoring_of(bench)
    output, task = now.output, now.task
    names = list(bench.survey.outputs)
    if len(names) > 1:
        output = _ask(
            session, "Score from output", names, output,
            f"{bench.task.label} is taken from it. “{_USUAL}”: the main output, or without "
            "targets the mean over all of them.",
        )  # fmt: skip
    if bench.tasks:
        task = _ask(
            session, "Measured by", list(bench.tasks), task,
            f"What outputs and targets mean, of the readings that fit them. “{_USUAL}”: what is "
            "inferred from them; agreement, closeness and cosine compare with the dense network.",
        )  # fmt: skip
    source = ScoreSource(output, task)
    return session.name if source == now else networks.scored_name_of(session.name, source)


def _ask(session: Session, title: str, names: list[str], now: str | None, tip: str) -> str | None:
    options = [_USUAL, *names]
    choice = st.selectbox(
        plain(title),
        options,
        index=options.index(now) if now in names else 0,
        # A choice that cannot be had moves the session, and what stands is shown anew.
        key=f"{title}-{session.name}-{session.moves}",
        help=plain(tip),
    )
    return None if choice == _USUAL else choice
