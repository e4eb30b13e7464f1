"""What does a plan take on a device, and what does it score in the numbers that are counted?"""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pruneviz.allocation.devices import Need, size
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.ui.allocate.device_fit_work import DeviceFitWork, measure_rounded
from pruneviz.ui.session import jobs
from pruneviz.ui.text import as_sentence, plain

_ROUNDED = (
    "Of the file that the page Export writes as ONNX, 8 bits: the same plan on the same validation "
    "samples, weights and activations rounded by ONNX Runtime. A device's own runtime may round "
    "otherwise."
)


def totals(work: DeviceFitWork, need: Need, weights: str) -> None:
    """Parameters, weights, activations and accuracy of the plan settled on, side by side."""
    session = work.session
    bench, plan = session.bench, session.settled
    result, counts = jobs.so_far(bench, plan), bench.counts(plan)
    columns = st.columns(4)
    columns[0].metric("Parameters left", f"{counts.params_shrunk:,}", f"of {counts.params:,}",
                      delta_color="off", delta_arrow="off")  # fmt: skip
    columns[1].metric(
        "Weights", size(need.weights), plain(weights), delta_color="off", delta_arrow="off"
    )
    columns[2].metric("Activations at their peak", size(need.activations), "one sample",
                      delta_color="off", delta_arrow="off")  # fmt: skip
    if result is not None:
        _accuracy(columns[3], work, result, weights)


def _accuracy(place: DeltaGenerator, work: DeviceFitWork, result: Evaluation, weights: str) -> None:
    """The accuracy of the numbers that are counted, where they were measured; else of float32."""
    plan, task = work.session.settled, work.session.bench.task
    rounded = work.rounded.get(plan) if weights == "int8" else None
    shown, kind = (rounded, "int8") if isinstance(rounded, Evaluation) else (result, "fp32")
    words = f"measured on {shown.n:,}; {task.interval_text(shown.low, shown.high)}"
    place.metric(f"{plain(task.label)} as {plain(kind)}", plain(task.score_text(shown.accuracy)),
                 plain(words), delta_color="off", delta_arrow="off")  # fmt: skip
    if isinstance(rounded, Evaluation):
        place.caption(f"Against fp32: {plain(rounded.words)}.", help=_ROUNDED)
        return
    if weights == "fp32":
        return
    why = f" It can't be: {rounded}" if isinstance(rounded, str) else ""
    place.caption(as_sentence(f"As {weights}: not measured.{why}"))
    if weights != "int8" or why or work.running:
        return
    if place.button("Measure as int8", key="devices-int8", help=_ROUNDED):
        measure_rounded(work)
        st.rerun()
