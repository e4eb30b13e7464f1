"""What of a training is on the screen while it goes on?"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from pruneviz.scale import SHARE, Scale
from pruneviz.training import Moment
from pruneviz.training.run import events_of
from pruneviz.ui.board import scene

_OFTEN, _SHARE = 0.6, 20  # seconds between two looks; what they may cost is a part of training


@dataclass(frozen=True)
class Picture:
    """The weights of a layer as a matrix, NaN where cut; every nth row and column of a big one.

    rows, columns: their places; labels: what they are. words: what the picture leaves out.
    """

    layer: str
    cells: NDArray[np.float32]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    labels: tuple[str, str]
    words: str


@dataclass(frozen=True)
class TrainingSnapshot:
    """One look. table, events, notes: as in `Trained`. size: parameters at the very beginning.

    levels: layer -> fraction of the weights it had then that is gone.
    """

    table: pd.DataFrame
    events: pd.DataFrame
    size: int
    levels: Mapping[str, float]
    notes: tuple[str, ...]
    picture: Picture


class TrainingView:
    """What a training shows to one page; looks are taken in the training's thread.

    layer: that the picture is of; may be changed at any time. snapshot: the last look.
    """

    def __init__(self, layer: str) -> None:
        self.layer = layer
        self.snapshot: TrainingSnapshot | None = None
        self._moment: Moment | None = None
        self._next = 0.0

    def watch(self, moment: Moment) -> None:
        """Take note of a moment."""
        new = self._moment is None or len(moment.rows) != len(self._moment.rows)
        self._moment = moment
        if new or time.monotonic() >= self._next:
            self._look(moment)

    def step(self) -> None:
        """Look again if it is time to, or another layer was chosen."""
        moment, snapshot = self._moment, self.snapshot
        if moment is None or snapshot is None:
            return
        if time.monotonic() >= self._next or snapshot.picture.layer != self.layer:
            self._look(moment)

    def rest(self) -> None:
        """A last look, after the training has ended."""
        if self._moment is not None:
            self._look(self._moment)

    def _look(self, moment: Moment) -> None:
        began = time.monotonic()
        run = moment.run
        self.snapshot = TrainingSnapshot(
            moment.table,
            events_of(run.events),
            run.size,
            _cut_fractions(moment),
            tuple(run.notes),
            picture_of(moment, self.layer),
        )
        now = time.monotonic()
        self._next = now + max(_OFTEN, _SHARE * (now - began))


def _cut_fractions(moment: Moment) -> dict[str, float]:
    now, before = moment.run.structure.layers, moment.run.bench.layer_of
    return {
        name: 1 - (1 - level) * now[name].size / before[name].size
        for name, level in moment.levels.items()
    }


def picture_of(moment: Moment, name: str) -> Picture:
    """The weights of a layer at a moment, at most as many as the workbench draws."""
    layer = moment.run.structure.layers[name]
    rows, columns = scene.drawn_cells(layer)
    weight = moment.weight(name).flatten(1)
    cells = weight[torch.from_numpy(rows)][:, torch.from_numpy(columns)]
    words = [scene.note(layer.units, len(rows), weight.shape[1], len(columns))]
    before = moment.run.bench.layer_of[name].units
    if layer.units < before:
        words.append(f"{layer.units:,} of {before:,} {layer.unit_word}s are still there")
    labels = (layer.unit_word, "input" if layer.flat else "weight")
    return Picture(name, cells.numpy(), rows, columns, labels, "; ".join(filter(None, words)))


def along(table: pd.DataFrame, first: int) -> tuple[pd.DataFrame, dict[str, int]]:
    """(rows that are no controls; stretch -> epoch from the very beginning at which it begins).

    table: of `Trained`; first: parameters at the beginning. With the columns `at`: epochs from
    the beginning; `left`, `size_left`: fractions of the parameters that are left, and held.
    """
    own = table[~table["aside"].astype(bool)]
    lengths = own.groupby("leg", sort=False)["epoch"].max()
    begins = dict(zip(lengths.index, [0, *lengths.cumsum()][: len(lengths)], strict=True))
    rows = own.assign(
        at=own["epoch"] + own["leg"].map(begins),
        left=own["params"] / first,
        size_left=own["size"] / first,
    )
    return rows, begins


def gap_words(table: pd.DataFrame, word: str, scale: Scale = SHARE) -> str:
    """The gap between training and validation at the end of the last epoch, in words."""
    last = table.iloc[-1]
    text = scale.score_text
    if math.isnan(last["gap"]):
        return f"{word}: validation {text(last['accuracy'])}; samples that train have no targets"
    words = f"{word}: training {text(last['train_accuracy'])}, validation {text(last['accuracy'])}"
    gap = scale.change_text(last["gap"]).removeprefix("+")
    return f"{words}: no gap" if last["gap"] <= 0 else f"{words}: a gap of {gap}"
