"""How is a training watched while it goes on?"""

from __future__ import annotations

import base64
from html import escape

import numpy as np
import pandas as pd
import streamlit as st

from pruneviz import figures
from pruneviz.glossary import help_on
from pruneviz.report.pictures import png
from pruneviz.ui.text import as_sentence, code, plain
from pruneviz.ui.train.training_view import Picture, TrainingSnapshot, along, gap_words
from pruneviz.ui.train.training_work import TrainingWork
from pruneviz.ui.wording import duration

_CHART = {"displayModeBar": False, "scrollZoom": False}
_MOST, _TALL = 400, 260
_INKS = {"light": "#31333f", "dark": "#e4e6ea"}
_HELP = {
    "loss": "In evaluation mode, at the end of each epoch, on the first training samples and on "
    "all validation samples.",
    "score": "Measured as the loss is. The band is the 95 % interval of the validation. The gap "
    "between the two lines is overfitting: samples that are memorised.",
    "left": "Parameters that are not cut. Memory shrinks only where units are removed for real.",
}
_KINDS = {
    "cut": "cut",
    "silent": "cut for its activity",
    "rewired": "rewired",
    "removed": "removed for real",
    "rewound": "set back",
}


def progress(work: TrainingWork) -> None:
    """How far it is, how long it will still take, and how to stop it."""
    job = work.job
    if job is None:
        return
    time_left = "" if work.left is None or work.paused else f" · {duration(work.left)} left"
    bar, hold, stop = st.columns([8, 1.3, 1.3], vertical_alignment="center")
    words = job.label or "making ready"
    label = plain(f"{words[:1].upper()}{words[1:]}")
    bar.progress(min(1.0, job.done), f"{label} · {job.done:.0%}{time_left}")
    if work.paused:
        if hold.button("Resume", key="train-resume", width="stretch", icon=":material/play_arrow:"):
            work.go_on()
    elif hold.button("Pause", key="train-pause", width="stretch", icon=":material/pause:"):
        work.pause()
    if stop.button("Cancel", key="train-cancel", width="stretch"):
        job.cancel()


def charts(work: TrainingWork) -> None:
    """All that moves while it trains, as far as it has come."""
    snapshot = work.watching.snapshot
    if snapshot is None or snapshot.table.empty:
        st.caption("The first numbers come as soon as the network is measured.")
        return
    for note in snapshot.notes:
        st.warning(as_sentence(note))
    _curves(work, snapshot)
    _layers(work, snapshot)
    if work.training.method == "lottery" and not work.running:
        _tickets(work, snapshot)
    _events(snapshot)


def _curves(work: TrainingWork, snapshot: TrainingSnapshot) -> None:
    task = work.session.bench.task
    rows, stretches = along(snapshot.table, snapshot.size)
    last = rows.iloc[-1]
    drawn = {
        "loss": ("Loss", f"loss, {task.loss_label}"),
        "score": (task.label, task.scale.axis(task.word)),
        "left": ("Sparsity", "parameters, %"),
    }
    for column, (kind, (title, label)) in zip(
        st.columns(3, gap="medium"), drawn.items(), strict=True
    ):
        with column:
            st.markdown(f"**{plain(title)}**", help=_HELP[kind])
            if work.running:
                drawing = figures.moving_course(
                    kind, rows, stretches, label=label, ink=_ink(), scale=task.scale
                )
                st.html(_as_image(kind, "svg+xml", drawing.svg.encode(), drawing.words))
            else:
                figure = figures.course(kind, rows, stretches, label=label, scale=task.scale)
                st.plotly_chart(figure, key=f"train-{kind}", config=_CHART)
    words = plain(gap_words(rows, task.label, task.scale))
    cut = f"{100 * last['sparsity']:.1f} % cut, {int(last['params']):,} parameters left"
    pace = "" if not last["seconds"] else f" {last['seconds']:.2g} s an epoch."
    st.caption(f"Epoch {int(last['at'])}. {words}. {cut}.{pace}")


def _layers(work: TrainingWork, snapshot: TrainingSnapshot) -> None:
    watching, bench = work.watching, work.session.bench
    left, right = st.columns([3, 2], gap="medium")
    with left:
        names = [*bench.layer_of]
        watching.layer = st.selectbox(
            "Weights of", names, index=names.index(watching.layer), key="train_layer", width=320,
            help=help_on("one_layer"),
        )  # fmt: skip
        if not work.running and snapshot.picture.layer != watching.layer:
            watching.rest()
            snapshot = watching.snapshot or snapshot
        _picture(work, snapshot.picture)
    with right:
        st.markdown("**Sparsity of each layer**")
        own = work.plan.scope == "layer" and not work.training.remove
        targets = work.plan.sparsity if own and work.training.method != "dense" else {}
        if work.running:
            drawing = figures.moving_levels(snapshot.levels, targets, ink=_ink())
            st.html(_as_image("levels", "svg+xml", drawing.svg.encode(), drawing.words))
        else:
            st.plotly_chart(
                figures.levels(snapshot.levels, targets), key="train-levels", config=_CHART
            )


def _picture(work: TrainingWork, picture: Picture) -> None:
    limit = work.session.bench.limits[picture.layer]
    if work.running:
        cut = 100 * np.isnan(picture.cells).mean()
        words = f"Weights of {picture.layer}, {cut:.0f} % cut"
        st.html(_as_image("weights", "png", png(picture.cells, limit), words, _TALL))
    else:
        figure = figures.matrix(picture.cells, limit, picture.labels, picture.rows, picture.columns)
        st.plotly_chart(figure, key="train-picture", config=_CHART)
    left_out = f"; {plain(picture.words)}" if picture.words else ""
    st.caption(
        f"{code(picture.layer)}: rows are {plain(picture.labels[0])}s; blank is cut; blue is below "
        f"zero, brown above, up to ±{limit:.2g}, the largest before{left_out}."
    )


def _as_image(name: str, kind: str, content: bytes, words: str, height: int | None = None) -> str:
    """A picture that changes in place; height: in pixels, of one whose cells may be stretched."""
    data = base64.b64encode(content).decode()
    style = "width: 100%;"
    if height is not None:
        style += f" height: {height}px; image-rendering: pixelated; outline: 1px solid #8a8f9866;"
    return (
        f'<img data-chart="{name}" src="data:image/{kind};base64,{data}" alt="{escape(words)}" '
        f'style="{style}">'
    )


def _ink() -> str:
    """The colour of words on this page; pictures do not know it by themselves."""
    return _INKS.get(st.context.theme.type or "", "#7a7f88")


def _tickets(work: TrainingWork, snapshot: TrainingSnapshot) -> None:
    if not (snapshot.table["epoch"] > 0).any():
        return
    st.markdown("**Tickets**: at the end of each round, against what is left")
    task = work.session.bench.task
    figure = figures.tickets(snapshot.table, score=task.word, scale=task.scale)
    st.plotly_chart(figure, key="train-tickets", config=_CHART)
    if not work.training.controls:
        st.caption("Without controls nobody can tell a ticket from any other sparse network.")


def _events(snapshot: TrainingSnapshot) -> None:
    if snapshot.events.empty:
        return
    units = snapshot.events[snapshot.events["kind"] == "silent"]
    many = len(snapshot.events)
    changes = f"{many:,} change{'' if many == 1 else 's'}"
    with st.expander(f"What was cut, and when: {changes}", expanded=len(units) > 0):
        if len(units):
            counts = units.groupby("layer", sort=False).size()
            each = ", ".join(f"{count:,} of {code(layer)}" for layer, count in counts.items())
            st.markdown(f"Units cut for their activity: {each}.")
        st.dataframe(
            events_text(snapshot.events), hide_index=True, key="train-events", row_height=28,
            height=min(320, 40 + 28 * min(len(snapshot.events), _MOST)),
        )  # fmt: skip


def events_text(events: pd.DataFrame) -> pd.DataFrame:
    """Events as people read them, the latest first."""
    latest = events.iloc[::-1].head(_MOST)
    return pd.DataFrame(
        {
            "stretch": latest["leg"],
            "epoch": latest["epoch"] + 1,
            "step": latest["step"],
            "what": latest["kind"].map(_KINDS),
            "layer": latest["layer"].replace("", "all"),
            "unit": ["" if unit < 0 else str(unit) for unit in latest["unit"]],
            "number": latest["number"],
            "why": latest["words"],
        }
    )
