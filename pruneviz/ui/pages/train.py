"""How is a network trained, and pruned while it trains?"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pruneviz.pruning.labels import label
from pruneviz.training.checkpoints import StoredTraining
from pruneviz.training.samples import samples_text
from pruneviz.ui.boundary import fragment, part
from pruneviz.ui.chrome import heading, wait_for_choice
from pruneviz.ui.look import tight
from pruneviz.ui.session import Session
from pruneviz.ui.text import as_sentence, plain
from pruneviz.ui.train.form import ask
from pruneviz.ui.train.live import charts, progress
from pruneviz.ui.train.result import lineage, result
from pruneviz.ui.train.runs import overlay
from pruneviz.ui.train.training_work import (
    TrainingWork,
    at_work,
    begin,
    delete,
    epochs_of,
    kept_trainings,
    take,
    take_over,
    words_of,
)
from pruneviz.ui.workbench import address
from pruneviz.ui.workbench.live import listen
from pruneviz.ui.workbench.live import measure as measure_accuracy

_TICK = 1.0
_DOOMED = "train_doomed"
_SHOWN = 8


def main() -> None:
    """The page from top to bottom."""
    tight()
    session = address.here()
    listen(session)
    work = TrainingWork.of(session)
    take(work)
    heading(
        session,
        "Train",
        _on_screen(session),
        "Trains a copy: the network on the workbench stays as it is. What is cut on the way is the "
        "plan on the workbench; what was cut stays exactly zero at every step.",
    )
    if session.next_change is not None:
        wait_for_choice(session)
        return
    busy = work.running
    if not busy:
        _form(work)
    fragment(_live, run_every=_TICK if busy else None)(work, busy)
    if not busy:
        _show_kept(work)
        lineage(session)
    measure_accuracy(session)


def _on_screen(session: Session) -> str:
    bench, plan = session.bench, session.settled
    counts = bench.counts(plan)
    words = "nothing is cut" if plan.is_dense else label(plan)
    return f"{words} · {counts.params_kept:,} of {counts.params:,} parameters kept"


@part
def _form(work: TrainingWork) -> None:
    plan = work.session.settled
    training = ask(work, plan)
    left, right = st.columns([1, 6], vertical_alignment="center")
    click = left.button(
        "Train",
        key="train-begin",
        type="primary",
        icon=":material/play_arrow:",
        disabled=training is None,
        width="stretch",
    )
    if click and training is not None:
        begin(work, plan, training)
        st.rerun()
    if plan.is_dense:
        right.caption(
            "Nothing is cut: only *Dense* can train this plan. For the other methods move "
            "sliders on the workbench first: they set how much is cut in the end."
        )
    if training is not None:
        st.caption(as_sentence(samples_text(work.session.bench, training)))
    if training is not None and not plan.is_dense:
        epochs = epochs_of(training)
        right.caption(
            f"{epochs:,} epoch{'' if epochs == 1 else 's'} in all. You may go to other pages "
            "meanwhile; each epoch is kept, also if this computer stops."
        )


def _live(work: TrainingWork, busy: bool) -> None:
    """All that changes while it trains, and what came of it."""
    if busy and not work.running:
        st.rerun()
    if work.running:
        st.caption(plain(f"{words_of(work.training)} — {label(work.plan)}"))
        progress(work)
    if work.message and not work.running:
        st.warning(plain(work.message))
    if work.result is not None and not work.running:
        if work.plan != work.session.settled:
            st.info(f"This was trained with an earlier plan: {plain(label(work.plan))}.")
        result(work)
    if work.running or work.watching.snapshot is not None:
        charts(work)
    if not work.running:
        overlay(work.runs)


@part
def _show_kept(work: TrainingWork) -> None:
    """What is kept of trainings of this network, to go on with."""
    trainings = kept_trainings(work)
    if not trainings:
        return
    unfinished = sum(one.done < 1 for one in trainings)
    words = f"Saved trainings of this network: {len(trainings)}"
    words += f", {unfinished} of them unfinished" if unfinished else ""
    with st.expander(plain(words), expanded=unfinished > 0 and work.result is None):
        for one in trainings[:_SHOWN]:
            _offer(work, one)
        if len(trainings) > _SHOWN:
            st.caption(f"The last {_SHOWN} of {len(trainings)}.")


def _offer(work: TrainingWork, one: StoredTraining) -> None:
    name = one.folder.name
    epochs = epochs_of(one.training)
    here = round(one.done * epochs)
    words, go, gone = st.columns([7, 2.4, 1.3], vertical_alignment="center")
    when = datetime.fromtimestamp(one.changed, ZoneInfo(st.context.timezone or "UTC"))
    what = plain(f"{words_of(one.training)} — {label(one.plan)}")
    words.markdown(f"{what}  \n:small[{when:%d %b, %H:%M}]")
    if at_work(one):
        _take_over(work, one, go)
        return
    text = "Open again" if one.done >= 1 else f"Resume (epoch {here:d} of {epochs:d})"
    if go.button(text, key=f"train-again-{name}", width="stretch"):
        begin(work, one.plan, one.training)
        st.rerun()
    if st.session_state.get(_DOOMED) != name:
        if gone.button("Delete …", key=f"train-delete-{name}", width="stretch"):
            st.session_state[_DOOMED] = name
            st.rerun()
    elif gone.button("For good", key=f"train-delete-yes-{name}", width="stretch"):
        delete(one)
        del st.session_state[_DOOMED]
        st.rerun()


def _take_over(work: TrainingWork, one: StoredTraining, place: DeltaGenerator) -> None:
    """Of a training that goes on elsewhere: that it does, and how to have it here."""
    st.caption("Running: started in another tab, or before this page was reloaded.")
    if place.button(
        "Continue here",
        key=f"train-over-{one.folder.name}",
        width="stretch",
        help="Stops it there and continues on this page from its last full epoch.",
    ):
        if take_over(work, one):
            st.rerun()
        st.warning("It cannot be taken over: a command line or another server is running it.")


part(main)()
