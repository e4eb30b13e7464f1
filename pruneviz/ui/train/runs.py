"""How do the trainings of a session look beside each other?"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from pruneviz import figures
from pruneviz.figures import RunLines
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.training import METHODS, Trained
from pruneviz.ui.boundary import part
from pruneviz.ui.text import plain
from pruneviz.ui.train.training_view import along, gap_words

MOST = 12
_SHOWN = 4
_KEY = "train_runs"
_CHART = {"displayModeBar": False, "scrollZoom": False}
_MARKS = "Solid: validation; dashed: training samples; dotted: before anything was cut or trained."
_HELP = (
    "Dotted is the network that was really trained. Where the dashed line leaves the solid one, "
    "the network overfits: it learns samples by heart. A saved training is added by *Open again*."
)


@dataclass(frozen=True)
class TrainingRun:
    """A training that has ended. rows: its epochs, as `along` gives them; before: measured of what
    it began with, uncut and untrained. network: what was trained.
    """

    network: str
    words: str
    rows: pd.DataFrame
    before: Evaluation

    def lines(self, number: int) -> RunLines:
        """Its lines under a number."""
        before = {"score": self.before.accuracy, "loss": self.before.loss}
        return RunLines(f"{number} {self.words}", self.rows, before)


def run_of(network: str, trained: Trained, before: Evaluation, size: int) -> TrainingRun:
    """The run of a training that has ended; size: parameters that it began with."""
    rows, _ = along(trained.table, size)
    method, last = METHODS[trained.training.method].label.partition(":")[0], rows.iloc[-1]
    cut = f", {100 * last['sparsity']:.1f} % cut" if last["sparsity"] else ""
    start = ", new weights" if trained.training.start == "new" else ""
    return TrainingRun(network, f"{method}{cut}{start}", rows, before)


@part
def overlay(runs: list[TrainingRun]) -> None:
    """Loss and score of the runs that are chosen, on the same axes."""
    if len(runs) < 2:
        return
    task = runs[-1].before.task
    st.markdown("**Compare runs**", help=_HELP)
    names = {number: f"{number} {one.words} ({one.network})" for number, one in enumerate(runs, 1)}
    usual = [*names][-_SHOWN:]
    choice = st.multiselect(
        "Runs", [*names], usual, key=f"{_KEY}_{len(runs)}", format_func=names.__getitem__,
        label_visibility="collapsed", placeholder="choose runs to see here",
    )  # fmt: skip
    chosen = {number: runs[number - 1] for number in choice}
    if not chosen:
        return
    st.caption(_MARKS)
    lines = [one.lines(number) for number, one in chosen.items()]
    labels = {"loss": f"loss, {task.loss_label}", "score": task.scale.axis(task.word)}
    for column, (kind, label) in zip(st.columns(2, gap="medium"), labels.items(), strict=True):
        figure = figures.runs(kind, lines, label=label, scale=task.scale)
        column.plotly_chart(figure, key=f"train-runs-{kind}", config=_CHART)
    for number, one in chosen.items():
        st.caption(plain(f"{number} {one.words}. {gap_words(one.rows, task.label, task.scale)}."))
