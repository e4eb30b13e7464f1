"""How do the settled numbers stand on the page?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeGuard

import numpy as np
import pandas as pd
import streamlit as st
import torch
from numpy.typing import NDArray
from torch import Tensor

from pruneviz import figures, limits
from pruneviz.glossary import TERMS
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan
from pruneviz.ui.boundary import part
from pruneviz.ui.text import code, plain
from pruneviz.ui.workbench import attention
from pruneviz.ui.workbench.sample import ask_sample
from pruneviz.workbench import Workbench

_SHOWN_FLIPS, _SHOWN_FILTERS = 12, 64
_WIDTH = 420
_WAITING = "Nothing has been measured yet: the first numbers are on their way."


@part
def per_class(result: Evaluation | None, *, dense: bool) -> None:
    """Who pays: the change of each class."""
    if result is None:
        st.caption(_WAITING)
        return
    if not result.per_class:
        word = plain(result.task.word)
        st.caption(f"There are no classes to tell apart: this network is measured by {word}.")
        return
    if dense:
        st.caption("Nothing is cut yet. Drag a slider and see which class pays.")
        return
    st.caption(
        f"Pruned minus dense, measured on {result.n:,} validation samples, with 95 % intervals.",
        help=TERMS["classes"].as_markdown(),
    )
    classes = result.by_class
    figure = figures.per_class(classes.before, classes.now, classes.intervals, classes.word)
    st.plotly_chart(figure, key="per_class")


@part
def show_flips(bench: Workbench, result: Evaluation | None) -> None:
    """The samples whose answer changed, as pictures; what broke comes first."""
    if result is None:
        st.caption(_WAITING)
        return
    if bool((result.dense_predicted < 0).all()):
        st.caption(
            f"No answer here is one class; the network is measured by {plain(result.task.word)}."
        )
        return
    changed = (result.predicted != result.dense_predicted).nonzero().flatten()
    if not len(changed):
        st.caption(f"No answer changed on {result.n:,} samples. Cut more to see what breaks.")
        return
    targets = _class_labels(bench, result)
    words = f"{len(changed):,} of {result.n:,} answers changed"
    if targets is None:
        order = changed.tolist()
    else:
        lost = result.dense_predicted[changed] == targets[changed]
        order = [*changed[lost].tolist(), *changed[~lost].tolist()]
        words += f", {int(lost.sum()):,} of them from right to wrong"
    st.caption(f"{words}. Below each: dense → now.", help=TERMS["flipped"].as_markdown())
    shown = order[:_SHOWN_FLIPS]
    captions = [caption(bench.source.classes, result, targets, i) for i in shown]
    inputs = bench.source.validation.inputs
    if _are_pictures(inputs):
        st.image(
            [_as_image(inputs[i]) for i in shown], [plain(each) for each in captions], width=72
        )
    else:
        st.dataframe(pd.DataFrame({"sample": shown, "answer": captions}), hide_index=True)


def _class_labels(bench: Workbench, result: Evaluation) -> Tensor | None:
    """The class of each sample, where there is one."""
    targets = bench.source.validation.targets
    if targets is None or targets.ndim != 1 or targets.is_floating_point():
        return None
    return targets[: result.n].cpu()


def caption(classes: Sequence[str], result: Evaluation, targets: Tensor | None, sample: int) -> str:
    """The dense answer and the answer now; what is right, where the dense one was not."""

    def name(number: Tensor) -> str:
        place = int(number)
        return classes[place] if 0 <= place < len(classes) else "–" if place < 0 else str(place)

    dense = result.dense_predicted[sample]
    change = f"{name(dense)} → {name(result.predicted[sample])}"
    if targets is None or bool(dense == targets[sample]):
        return change
    return f"{change} (is {name(targets[sample])})"


@part
def filters_and_maps(bench: Workbench, plan: Plan, focus: str, result: Evaluation | None) -> None:
    """For a convolution: its filters as they are cut, a chosen sample and what they make of it."""
    layer = bench.layer_of[focus]
    if layer.kind != "conv2d" and attention.show_heads(bench, plan, focus):
        return
    st.caption(
        f"Filters and feature maps of {code(focus)}",
        help="Left: the filters (mean over input channels); weights that are cut are zero in it, "
        "and blank where no channel has any left. Right: their activations for one validation "
        "sample in the pruned network. A filter that was cut whole is blank.",
    )
    if layer.kind != "conv2d":
        st.caption(
            f"{code(focus)} is a {plain(layer.kind)} layer. Focus a convolution to see its "
            "filters, or a projection of an attention to see where its heads look."
        )
        return
    number, picture = st.columns([1, 3], vertical_alignment="bottom")
    with number:
        sample = ask_sample(bench, "Which validation sample the maps on the right are made from.")
    with picture:
        _show_sample(bench, result, sample)
    if layer.units > _SHOWN_FILTERS:
        st.caption(f"The first {_SHOWN_FILTERS} of {layer.units:,} filters.")
    left, right = st.columns(2)
    mask = bench.masks(plan).masks[focus][:_SHOWN_FILTERS]
    weight = bench.weight(focus)[:_SHOWN_FILTERS].double()
    filters = (weight * mask).mean(1).masked_fill(~mask.any(1), torch.nan).cpu().numpy()
    kept, limit = mask.flatten(1).any(1).cpu().numpy(), float(weight.mean(1).abs().max())
    left.plotly_chart(figures.mosaic(filters, kept, signed=True, limit=limit), key="filters")
    # A repair that is still at work is not made a second time for a picture.
    shown = plan if bench.samples_measured(plan) else replace(plan, repair=())
    maps = bench.feature_maps(shown, focus, sample)[:_SHOWN_FILTERS].double().cpu().numpy()
    right.plotly_chart(figures.mosaic(maps, kept, signed=False), key="maps")


def _show_sample(bench: Workbench, result: Evaluation | None, sample: int) -> None:
    """The sample as a picture, where it is one, with its class and both answers."""
    inputs = bench.source.validation.inputs
    if not _are_pictures(inputs):
        return
    words = f"sample {sample:,}"
    if result is not None and sample < result.n and int(result.dense_predicted[sample]) >= 0:
        targets = _class_labels(bench, result)
        words = caption(bench.source.classes, result, targets, sample)
    st.image(_as_image(inputs[sample]), plain(words), width=72)


def _are_pictures(inputs: object) -> TypeGuard[Tensor]:
    return isinstance(inputs, Tensor) and inputs.ndim == 4 and inputs.shape[1] in (1, 3)


@part
def about(bench: Workbench, ask: Callable[[], str]) -> str:
    """Where the network and its data came from, in the words of those who read them.

    Returns what `ask`, which is drawn in it, does.
    """
    box = st.popover("About", help="About this model and data", width="stretch")
    with box, st.container(width=_WIDTH):
        st.markdown("**About this model and data**")
        st.markdown("\n".join(f"- {plain(note)}" for note in bench.notes) or "Nothing was noted.")
        name = ask()
        _never(bench)
        _bounds()
    return name


def _bounds() -> None:
    """What this server takes, and why no more."""
    with st.expander("Bounds of this server"):
        st.caption("Whoever runs the server can change them with environment variables.")
        rows = pd.DataFrame(limits.table())[["name", "value", "unit", "variable", "reason"]]
        st.dataframe(rows, hide_index=True, height=240, key="bounds")


def _never(bench: Workbench) -> None:
    table = bench.never
    if table.empty:
        return
    st.markdown(f"**Never pruned**: {int(table['params'].sum()):,} parameters")
    st.dataframe(table, hide_index=True, height=min(35 * (len(table) + 1), 240))


def _as_image(picture: Tensor) -> NDArray[np.float32]:
    values: NDArray[np.float32] = picture.float().cpu().numpy()
    low, high = float(values.min()), float(values.max())
    return np.moveaxis((values - np.float32(low)) / np.float32(high - low or 1.0), 0, -1)
