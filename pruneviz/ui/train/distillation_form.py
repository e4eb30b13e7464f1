"""How much is to be learnt from the dense network's answers?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from pruneviz.training import Training

_SHARE = (
    "How much the dense network's answers count in the loss; the rest is the targets'. "
    "Distillation: Hinton 2015, arXiv:1503.02531."
)
_TEMPERATURE = (
    "Answers are divided by it before softmax: the higher, the more the classes that are not the "
    "largest count."
)


def ask_distillation(wish: Training, *, blind: bool) -> dict[str, Any]:
    """The settings `distill` and `temperature`; blind: whether there are no targets."""
    if blind:
        st.caption("This data has no targets: it learns from the dense network's answers alone.")
    columns = st.columns(4, vertical_alignment="bottom")
    percent = columns[0].number_input(
        "Learn from dense (%)", 0.0, 100.0, 100 * wish.distill, 10.0, "%g",
        key="train_distill_alone" if blind else "train_distill", disabled=blind, help=_SHARE,
    )  # fmt: skip
    settings = {"distill": percent / 100}
    if percent:
        settings["temperature"] = columns[1].number_input(
            "Temperature", 0.1, 100.0, wish.temperature, 0.5, "%g", key="train_temperature",
            help=_TEMPERATURE,
        )  # fmt: skip
    return settings
