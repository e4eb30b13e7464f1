"""How does a training look, once it rests?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from pruneviz.figures.style import BLUE, GREEN, GREY, MANY, ORANGE, finish, foreign
from pruneviz.scale import SHARE, Scale

_NAMED = 6  # stretches; the names of more would lie on each other
_HEIGHT = 250
_TOP = {"l": 8, "r": 8, "t": 34, "b": 8}
_LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
_KINDS = {
    "ticket": ("ticket", BLUE, "solid"),
    "new": ("new weights", ORANGE, "dash"),
    "random": ("random mask", GREY, "dot"),
}


@dataclass(frozen=True)
class Line:
    """A column of `Trained.table` as a line; dash: of Plotly's."""

    column: str
    name: str
    colour: str
    dash: str = "solid"


@dataclass(frozen=True)
class Course:
    """Lines by epoch. band: the columns of an interval, or none. times: of what is shown.

    score: whether they are scores, which have a unit of their own. range: of the axis, None: as
    the lines need it.
    """

    lines: tuple[Line, ...]
    band: tuple[str, str] | None = None
    times: float = 1.0
    score: bool = False
    range: tuple[float, float] | None = None

    def factor(self, scale: Scale) -> float:
        """What its numbers are multiplied by where scores are told in `scale`."""
        return scale.factor if self.score else self.times


@dataclass(frozen=True)
class RunLines:
    """A training as `runs` draws it. rows: as of `course`; before: kind of COURSES -> the value of
    the network that it began with.
    """

    name: str
    rows: pd.DataFrame
    before: Mapping[str, float]


COURSES = {
    "loss": Course(
        (
            Line("train_loss", "training", ORANGE),
            Line("validation_loss", "validation", BLUE),
        )
    ),
    "score": Course(
        (Line("train_accuracy", "training", ORANGE), Line("accuracy", "validation", BLUE)),
        band=("low", "high"),
        score=True,
    ),
    "left": Course(
        (Line("size_left", "held in memory", GREY, "dot"), Line("left", "left", GREEN)),
        times=100,
        range=(0, 104),
    ),
}


def course(
    kind: str,
    rows: pd.DataFrame,
    stretches: Mapping[str, float],
    *,
    label: str,
    scale: Scale = SHARE,
) -> go.Figure:
    """Lines of COURSES by epoch.

    rows: of `Trained.table`, with the columns `at` (epochs from the very beginning), `left` and
    `size_left` (fractions of the first parameters). stretches: name -> epoch at which it begins.
    label: of the vertical axis. scale: the unit of scores.
    """
    what, figure, x = COURSES[kind], go.Figure(), rows["at"]
    factor = what.factor(scale)
    if what.band is not None:
        low, high = (factor * rows[column] for column in what.band)
        figure.add_scatter(
            x=[*x, *x[::-1]], y=[*high, *low[::-1]], opacity=0.25, fill="toself", mode="none",
            fillcolor=what.lines[-1].colour, name="95 %", hoverinfo="skip", showlegend=False,
        )  # fmt: skip
    for line in (each for each in what.lines if rows[each.column].notna().any()):
        figure.add_scatter(
            x=x, y=factor * rows[line.column], name=line.name, mode="lines+markers",
            line={"color": line.colour, "width": 2, "dash": line.dash}, marker={"size": 5},
            hovertemplate="epoch %{x}: %{y:.4g}<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    for name, begin in [*stretches.items()][1:]:
        title = {"text": foreign(name), "font": {"size": 10}, "textangle": -90}
        figure.add_vline(
            x=begin, line={"color": GREY, "dash": "dot", "width": 1},
            annotation=title if len(stretches) <= _NAMED else None,
        )  # fmt: skip
    figure.update_xaxes(title="epoch")
    figure.update_yaxes(title=foreign(label), range=what.range)
    if kind == "loss":
        figure.update_yaxes(rangemode="tozero")
    return _finish(figure)


def runs(kind: str, several: Sequence[RunLines], *, label: str, scale: Scale = SHARE) -> go.Figure:
    """The lines of COURSES of several trainings on the same axes, a colour each, with where each
    began as a dotted line.
    """
    what, figure = COURSES[kind], go.Figure()
    factor, last = what.factor(scale), max(float(one.rows["at"].iloc[-1]) for one in several)
    for place, one in enumerate(several):
        colour, name = MANY[place % len(MANY)], foreign(one.name)
        for line, dash in zip(what.lines, ("dash", "solid"), strict=True):
            figure.add_scatter(
                x=one.rows["at"], y=factor * one.rows[line.column], mode="lines+markers",
                name=name, legendgroup=str(place), showlegend=dash == "solid",
                line={"color": colour, "width": 2, "dash": dash}, marker={"size": 5},
                hovertemplate=f"{name}, {line.name}<br>epoch %{{x}}: %{{y:.4g}}<extra></extra>",
            )  # fmt: skip
        start = factor * one.before[kind]
        figure.add_scatter(
            x=[0, last], y=[start, start], mode="lines", showlegend=False, name=name,
            legendgroup=str(place), line={"color": colour, "width": 1, "dash": "dot"},
            hovertemplate=f"{name}, before: %{{y:.4g}}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="epoch")
    figure.update_yaxes(title=foreign(label))
    if kind == "loss":
        figure.update_yaxes(rangemode="tozero")
    return _finish(figure)


def levels(sparsity: Mapping[str, float], targets: Mapping[str, float]) -> go.Figure:
    """How much of each layer is cut now, in per cent, with a mark at what was asked for."""
    names = [*sparsity]
    shown = {name: foreign(name) for name in names}
    figure = go.Figure()
    figure.add_bar(
        x=[100 * sparsity[name] for name in names], y=[*shown.values()], orientation="h",
        name="cut", marker_color=BLUE, hovertemplate="%{y}: %{x:.1f} % cut<extra></extra>",
    )  # fmt: skip
    marked = [name for name in names if targets.get(name)]
    if marked:
        figure.add_scatter(
            x=[100 * targets[name] for name in marked], y=[shown[name] for name in marked],
            mode="markers", name="asked for",
            marker={"symbol": "line-ns", "size": 13, "line": {"width": 3, "color": ORANGE}},
            hovertemplate="%{y}: %{x:.1f} % asked for<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(range=[0, 102], ticksuffix=" %")
    figure.update_yaxes(type="category", autorange="reversed")
    return _finish(figure).update_layout(height=max(_HEIGHT, 70 + 22 * len(names)))


def tickets(rows: pd.DataFrame, *, score: str, scale: Scale = SHARE) -> go.Figure:
    """Score at the end of each stretch against weights left: the ticket, and its controls."""
    last = rows[rows["epoch"] > 0].groupby("leg", sort=False).last().reset_index()
    first = last[last["leg"] == "dense"]
    figure = go.Figure()
    for word, (name, colour, dash) in _KINDS.items():
        mine = last[last["leg"].str.startswith(word)]
        if mine.empty:
            continue
        mine = pd.concat([first, mine])
        figure.add_scatter(
            x=100 * (1 - mine["sparsity"]), y=scale.factor * mine["accuracy"], name=name,
            mode="lines+markers", line={"color": colour, "width": 2, "dash": dash},
            error_y={
                "type": "data", "thickness": 1, "width": 2,
                "array": scale.factor * (mine["high"] - mine["accuracy"]),
                "arrayminus": scale.factor * (mine["accuracy"] - mine["low"]),
            },
            text=mine["leg"].map(foreign),
            hovertemplate="%{text}: %{x:.3g} % left, %{y:.4g}"
            f"{' %' if scale.share else ''}<extra></extra>",
        )  # fmt: skip
    densities = [100 * (1 - gone) for gone in dict.fromkeys(last["sparsity"])]
    figure.update_xaxes(
        title="parameters left, %", type="log", autorange="reversed",
        tickvals=densities, ticktext=[f"{share:.3g}" for share in densities],
    )  # fmt: skip
    figure.update_yaxes(title=foreign(scale.axis(score)))
    return _finish(figure).update_layout(height=300)


def _finish(figure: go.Figure) -> go.Figure:
    return finish(figure, legend=True).update_layout(height=_HEIGHT, margin=_TOP, legend=_LEGEND)
