"""Which network is about to leave, and is there a better one that nobody took over yet?"""

from __future__ import annotations

import streamlit as st

from pruneviz.pruning.labels import label
from pruneviz.storage.faults import public
from pruneviz.training import METHODS
from pruneviz.training.checkpoints import StoredTraining
from pruneviz.training.steps import steps_of_past
from pruneviz.training.stored_versions import stored_versions
from pruneviz.ui.boundary import part
from pruneviz.ui.pages import PAGES
from pruneviz.ui.session import Session, cached, jobs
from pruneviz.ui.text import plain
from pruneviz.ui.train.result import take_finished
from pruneviz.ui.train.training_work import TrainingWork, kept_trainings, words_of
from pruneviz.ui.workbench import address
from pruneviz.ui.workbench.live import live_words


@part
def banner(session: Session) -> None:
    """What leaves: the network, how it was made, the plan, what is left of it, how well it
    answers.
    """
    with st.container(border=True, key="export-banner", gap=None):
        st.markdown(f"**{plain(session.name)}**{plain(_origin_text(session))}")
        live_words(session, lambda: st.markdown(plain(" · ".join(_facts(session)))))


def _origin_text(session: Session) -> str:
    bench = session.bench
    steps = steps_of_past(bench.source.past)
    if bench.parent is None or not steps:
        return ", as it was opened"
    return f", trained from {bench.parent.source.name} ({METHODS[steps[-1].training.method].label})"


def _facts(session: Session) -> list[str]:
    bench, plan = session.bench, session.settled
    counts = bench.counts(plan)
    cut = "nothing is cut" if plan.is_dense else label(plan)
    share = f"{100 * counts.params_kept / counts.params:.1f} %"
    facts = [cut, f"{counts.params_kept:,} of {counts.params:,} parameters kept ({share})"]
    result = jobs.so_far(bench, plan)
    if result is None:
        return [*facts, f"{bench.task.word} not measured yet"]
    task = bench.task
    interval = task.interval_text(result.low, result.high)
    score = f"{task.word} {task.score_text(result.accuracy)} ({interval}, on {result.n:,})"
    change = [] if bench.parent is None and plan.is_dense else [f"from dense: {result.words}"]
    return [*facts, score, *change]


@part
def offer_finished(session: Session, trainings: TrainingWork) -> None:
    """The last training of this network that has ended and is no version yet, to open it here."""
    taken = {version.training.folder for version in stored_versions(cached.training_folder())}
    ended = [one for one in kept_trainings(trainings) if one.done >= 1 and one.folder not in taken]
    if not ended:
        return
    left, right = st.columns([5, 1.4], vertical_alignment="center")
    left.info(plain(_offer_text(ended)))
    if right.button("Take it over", key="export-take", width="stretch"):
        try:
            with st.spinner("Opening what was trained …"):
                fresh = take_finished(session, ended[0])
        except (ValueError, OSError) as error:
            st.error(plain(f"{public(error)}."))
            return
        st.switch_page(PAGES["Export"][0], query_params=address.query(fresh))


def _offer_text(ended: list[StoredTraining]) -> str:
    last = ended[0]
    words = (
        f"A finished training of this network was not taken over: {words_of(last.training)} "
        f"— {label(last.plan)}. It is not what is exported now."
    )
    more = len(ended) - 1
    return words if not more else f"{words} {more} more on the page Train."
