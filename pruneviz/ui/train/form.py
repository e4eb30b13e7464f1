"""How does a person say how a network is to be trained?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from pruneviz.glossary import help_on
from pruneviz.plan import WIDTHS, Plan
from pruneviz.storage.faults import public
from pruneviz.training import METHODS, Training
from pruneviz.training.augmentation import AUGMENTATIONS, check_augmentation
from pruneviz.training.methods import find_method
from pruneviz.training.samples import training_data
from pruneviz.training.settings import OPTIMIZERS, PRECISIONS, SCHEDULES, STARTS
from pruneviz.ui.text import plain
from pruneviz.ui.train.class_limit import check_length
from pruneviz.ui.train.distillation_form import ask_distillation
from pruneviz.ui.train.training_work import TrainingWork
from pruneviz.ui.train.words import HELP

_STARTS = {"trained": "the weights it has", "new": "new weights"}


@dataclass(frozen=True)
class Form:
    """What the widgets begin with. most: training samples there are; plan: to be trained; blind:
    whether there are no targets; modules: of the network, by their paths.
    """

    wish: Training
    most: int
    plan: Plan
    blind: bool = False
    modules: tuple[str, ...] = ()


def ask(work: TrainingWork, plan: Plan) -> Training | None:
    """The training asked for; None where it cannot be, and says why.

    What a method does not use is not asked, and stays as usual.
    """
    bench = work.session.bench
    try:
        data = training_data(bench, Training(distill=1.0))
        blind = data.targets is None or bench.task.against_dense
    except ValueError as error:
        st.info(plain(_error_text(error)))
        return None
    wish = replace(work.wish, distill=1.0) if blind else work.wish
    modules = tuple(name for name, _ in bench.source.model.named_modules() if name)
    form = Form(wish, len(data), plan, blind, modules)
    settings = _first_row(form)
    method = METHODS[settings["method"]]
    st.caption(f"**{method.label}**. {method.meaning} {_source(method.source)}")
    settings |= _second_row(form)
    settings |= _own(form, method.name)
    settings |= ask_distillation(form.wish, form.modules, blind=form.blind)
    settings |= _more(form, settings)
    choices = {n: v for n, v in settings.items() if n != "method" or not plan.is_dense}
    try:
        training = Training(**settings)
        work.wish = replace(work.wish, **choices)
        find_method(training, plan)
        check_augmentation(training.augmentation, data)
        check_length(training)
    except ValueError as error:
        st.warning(plain(_error_text(error)))
        return None
    return training


def _removes(method: str, plan: Plan) -> bool:
    return method != "dense" and plan.granularity in WIDTHS


def _first_row(form: Form) -> dict[str, Any]:
    wish = form.wish
    columns = st.columns([5, 2, 2, 3, 3], vertical_alignment="bottom")
    usual = wish.method
    if form.plan.is_dense:
        usual = "dense"
    method = columns[0].selectbox(
        "Method",
        [*METHODS],
        index=[*METHODS].index(usual),
        key="train_method",
        format_func=lambda name: METHODS[name].label,
        help="\n\n".join(
            f"**{one.label}**: {one.meaning} {_source(one.source)}" for one in METHODS.values()
        ),
    )
    epochs = columns[1].number_input(
        "Epochs", 1, 10_000, wish.epochs, 1, key="train_epochs", help=HELP["epochs"]
    )
    rate = columns[2].number_input(
        "Learning rate", 0.0, None, wish.learning_rate, 0.0005, "%g", key="train_learning_rate",
        help=HELP["learning_rate"],
    )  # fmt: skip
    usual_start = Training(method=method).start
    start = columns[3].selectbox(
        "Start from", STARTS, key=f"train_start_{usual_start}",
        index=STARTS.index(wish.start if method == wish.method else usual_start),
        format_func=_STARTS.__getitem__, help=HELP["start"],
    )  # fmt: skip
    samples = columns[4].number_input(
        f"Training samples, of {form.most:,}", 1, form.most, min(wish.samples or form.most,
        form.most), 100, key="train_samples", help=HELP["samples"],
    )  # fmt: skip
    return {
        "method": method,
        "epochs": int(epochs),
        "learning_rate": float(rate),
        "start": start,
        "samples": None if samples == form.most else int(samples),
    }


def _second_row(form: Form) -> dict[str, Any]:
    wish = form.wish
    columns = st.columns([3, 3, 2, 5, 2], vertical_alignment="bottom")
    optimizer = columns[0].selectbox(
        "Optimiser", OPTIMIZERS, index=OPTIMIZERS.index(wish.optimizer), key="train_optimizer",
        help=help_on("optimizer"),
    )  # fmt: skip
    schedule = columns[1].selectbox(
        "Schedule", SCHEDULES, index=SCHEDULES.index(wish.schedule), key="train_schedule",
        help=HELP["schedule"],
    )  # fmt: skip
    batch = columns[2].number_input(
        "Batch", 1, 65_536, wish.batch, 16, key="train_batch", help=help_on("batch")
    )
    ways = [*AUGMENTATIONS]
    augmentation = columns[3].selectbox(
        "Augmentation", ways, index=ways.index(wish.augmentation), key="train_augmentation",
        format_func=lambda name: AUGMENTATIONS[name].label, help=help_on("augmentation"),
    )  # fmt: skip
    seed = columns[4].number_input(
        "Seed", 0, 2**31 - 1, wish.seed, 1, key="train_seed", help=help_on("seed")
    )
    return {
        "optimizer": optimizer,
        "schedule": schedule,
        "batch": int(batch),
        "augmentation": augmentation,
        "seed": int(seed),
    }


def _own(form: Form, method: str) -> dict[str, Any]:
    """What this method alone asks, as far as one must know of it."""
    asks, settings = _ASKS.get(method, ()), dict[str, Any]()
    removes = _removes(method, form.plan)
    if not asks and not removes:
        return settings
    columns = st.columns(4, vertical_alignment="bottom")
    for column, ask_one in zip(columns, asks, strict=False):
        with column:
            settings |= ask_one(form)
    if removes:
        settings["remove"] = columns[len(asks)].toggle(
            "Remove units for real", form.wish.remove, key="train_remove", help=HELP["remove"]
        )
    return settings


def _more(form: Form, choices: dict[str, Any]) -> dict[str, Any]:
    """What is as usual mostly."""
    wish, method = form.wish, METHODS[choices["method"]]
    settings = dict[str, Any]()
    with st.expander("More settings"):
        columns = st.columns(4, vertical_alignment="bottom")
        settings["weight_decay"] = columns[0].number_input(
            "Weight decay", 0.0, None, wish.weight_decay, 0.0005, "%g", key="train_weight_decay",
            help=help_on("weight_decay"),
        )  # fmt: skip
        settings["precision"] = columns[1].selectbox(
            "Precision", PRECISIONS, index=PRECISIONS.index(wish.precision), key="train_precision",
            help=help_on("precision"),
        )  # fmt: skip
        if choices["optimizer"] == "sgd":
            settings["momentum"] = columns[2].number_input(
                "Momentum", 0.0, 1.0, wish.momentum, 0.05, "%g", key="train_momentum",
                help=help_on("momentum"),
            )  # fmt: skip
        if any(leg.changes for leg in method.legs(wish)):
            settings["every"] = columns[3].number_input(
                "Change masks every (steps)", 1, 100_000, wish.every, 10, key="train_every",
                help=HELP["every"],
            )  # fmt: skip
        if method.listen is not None:
            settings["memory"] = columns[2].number_input(
                "Memory of activity", 0.0, 1.0, wish.memory, 0.01, "%g", key="train_memory",
                help=HELP["memory"],
            )  # fmt: skip
    return settings


def _ask_rounds(form: Form) -> dict[str, Any]:
    return {
        "rounds": st.number_input(
            "Rounds", 1, 100, form.wish.rounds, 1, key="train_rounds", help=HELP["rounds"]
        )
    }


def _ask_rewind(form: Form) -> dict[str, Any]:
    return {
        "rewind": st.number_input(
            "Rewind to epoch", 0, None, form.wish.rewind, 1, key="train_rewind",
            help=HELP["rewind"],
        )
    }  # fmt: skip


def _ask_controls(form: Form) -> dict[str, Any]:
    return {
        "controls": st.toggle(
            "With controls", form.wish.controls, key="train_controls", help=HELP["controls"]
        )
    }


def _ask_span(form: Form) -> dict[str, Any]:
    begin, end = st.slider(
        "Cuts between, % of the training", 0, 100,
        (round(100 * form.wish.begin), round(100 * form.wish.end)), 5, key="train_span",
        help=HELP["cut"],
    )  # fmt: skip
    return {"begin": begin / 100, "end": end / 100}


def _ask_end(form: Form) -> dict[str, Any]:
    end = st.slider(
        "Penalty until, % of the training", 5, 100, round(100 * form.wish.end), 5,
        key="train_end", help=HELP["end"],
    )  # fmt: skip
    return {"end": end / 100}


def _ask_drop(form: Form) -> dict[str, Any]:
    return {
        "drop": st.number_input(
            "Rewired at first", 0.0, 1.0, form.wish.drop, 0.05, "%g", key="train_drop",
            help=HELP["drop"],
        )
    }  # fmt: skip


def _ask_strength(form: Form) -> dict[str, Any]:
    return {
        "strength": st.number_input(
            "Strength of the penalty", 0.0, None, form.wish.strength, 1e-4, "%g",
            key="train_strength", help=HELP["strength"],
        )
    }  # fmt: skip


def _ask_silent(form: Form) -> dict[str, Any]:
    percent = st.number_input(
        "Silent from (%)", 0.0, 100.0, 100 * form.wish.silent, 5.0, "%g", key="train_silent",
        help=HELP["silent"],
    )  # fmt: skip
    return {"silent": percent / 100}


_ASKS: dict[str, tuple[Callable[[Form], dict[str, Any]], ...]] = {
    "iterative": (_ask_rounds,),
    "gradual": (_ask_span,),
    "activity": (_ask_span, _ask_silent),
    "lottery": (_ask_rounds, _ask_rewind, _ask_controls),
    "set": (_ask_span, _ask_drop),
    "rigl": (_ask_span, _ask_drop),
    "l1": (_ask_end, _ask_strength),
    "slimming": (_ask_end, _ask_strength),
}


def _source(source: str) -> str:
    return f"*{source}*" if source else ""


def _error_text(error: ValueError) -> str:
    words = public(error).replace("learning_rate", "learning rate")
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."
