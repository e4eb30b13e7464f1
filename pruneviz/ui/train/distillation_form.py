"""How much is to be learnt from the dense network?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pruneviz.training import Training
from pruneviz.ui.text import plain

_SHARE = (
    "How much the dense network's answers count in the loss; the rest is the targets'. "
    "Distillation: Hinton 2015, arXiv:1503.02531."
)
_TEMPERATURE = (
    "Answers are divided by it before softmax: the higher, the more the classes that are not the "
    "largest count."
)

_FEATURES = (
    "How much the distance between the inner values of both networks adds to the loss: the mean "
    "squared error as a share of the dense values' mean square. FitNets: Romero 2015, "
    "arXiv:1412.6550."
)
_LAYERS = (
    "The modules whose output is compared. Without a choice: those that hold residual blocks; in "
    "a network without any, each layer before the answers."
)


def ask_distillation(wish: Training, modules: Sequence[str], *, blind: bool) -> dict[str, Any]:
    """The settings `distill`, `temperature` and those of features.

    modules: of which the output can be compared; blind: whether there are no targets.
    """
    if blind:
        st.caption("This data has no targets: it learns from the dense network's answers alone.")
    columns = iter(st.columns([3, 3, 3, 7], vertical_alignment="bottom"))
    percent = next(columns).number_input(
        "Learn from dense (%)", 0.0, 100.0, 100 * wish.distill, 10.0, "%g",
        key="train_distill_alone" if blind else "train_distill", disabled=blind, help=_SHARE,
    )  # fmt: skip
    settings: dict[str, Any] = {"distill": percent / 100}
    if percent:
        settings["temperature"] = next(columns).number_input(
            "Temperature", 0.1, 100.0, wish.temperature, 0.5, "%g", key="train_temperature",
            help=_TEMPERATURE,
        )  # fmt: skip
    settings["features"] = next(columns).number_input(
        "Learn inner values", 0.0, None, wish.features, 0.5, "%g", key="train_features",
        help=_FEATURES,
    )  # fmt: skip
    if settings["features"]:
        chosen = next(columns).multiselect(
            "Compared at", modules, [name for name in wish.feature_layers if name in modules],
            key="train_feature_layers", format_func=plain, help=_LAYERS,
            placeholder="residual blocks, or each layer",
        )  # fmt: skip
        settings["feature_layers"] = tuple(chosen)
    return settings
