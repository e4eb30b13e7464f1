"""How does a page show work in the background, and let somebody stop it?"""

from __future__ import annotations

import streamlit as st

from pruneviz.background import Job
from pruneviz.ui.text import plain
from pruneviz.ui.wording import duration


def job_bar(
    job: Job, key: str, *, of: str = "", left: float | None = None, width: float = 6.0
) -> None:
    """How far a job is, with a button that cancels it.

    key: of the button. of: what else is to be told of it, in front. left: seconds until it has
    ended, where that can be told. width: of the bar, in buttons.
    """
    bar, stop = st.columns([width, 1], vertical_alignment="center")
    time_left = "" if left is None else f" · {duration(left)} left"
    words = f"{plain(of)}{plain(job.words)} · {job.done:.0%}{time_left}"
    bar.progress(min(1.0, job.done), words)
    if stop.button("Cancel", key=key, width="stretch"):
        job.cancel()
