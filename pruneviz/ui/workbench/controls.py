"""What does the person ask for above the board?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pruneviz.glossary import TERMS, criterion_term, granularity_term
from pruneviz.plan import Plan, pattern
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.pruning.granularity import GRANULARITIES
from pruneviz.storage.faults import public
from pruneviz.ui.session.hand import loss_text, valid_pins
from pruneviz.ui.workbench import choices, repairs

PATTERN = "N:M"
_PATTERNS = ("2:4", "1:4", "3:4", "1:2", "4:8")
_MODEL = "ask_model"
# Widths in pixels: what does not fit a narrow screen goes to the next line, with its words whole.
ICONS = 122
_NETWORK, _SEED, _PATTERN = 160, 95, 100
_CONTROLS = {"criterion": 178, "granularity": 195, "scope": 172, "scores": 162}
_BUTTONS = {"repair": 118, "last": 118}
_NAMES = {
    "criterion": "ask_criterion",
    "kind": "ask_granularity",
    "pattern": "ask_pattern",
    "scope": "ask_scope",
    "scores": "ask_scores",
    "seed": "ask_seed",
}


def ask_model(names: list[str]) -> str:
    """The network to work at, one of `names`."""
    return st.selectbox(
        "Network",
        names,
        index=_place(_MODEL, names),
        key=choices.key(_MODEL),
        width=_NETWORK,
        help="The sample networks are trained and bring their own digits: 1,000 for calibration, "
        "2,000 for validation. Your own: start the app with `-- --model … --data …`, or use the "
        "upload button. Any installed package can register more.",
    )


def _place(name: str, options: Iterable[str]) -> int:
    # What stands in session_state reaches a browser once, and a run that follows quickly can
    # swallow it; the browser then starts from the widget's default and sends that back. So each
    # widget has the same value as its default.
    return list(options).index(choices.value(name))


def are_drawn() -> bool:
    """Whether this browser shows the widgets; Streamlit forgets them on another page."""
    return choices.is_known(_MODEL)


def show(model: str, plan: Plan) -> None:
    """Set all widgets to what was reached in another way (undo, link, click)."""
    choices.replace_all({_MODEL: model, **_values(plan)})


def _values(plan: Plan) -> dict[str, object]:
    shape = pattern(plan.granularity)
    return {
        _NAMES["criterion"]: plan.criterion,
        _NAMES["kind"]: PATTERN if shape else plan.granularity,
        _NAMES["pattern"]: plan.granularity if shape else _PATTERNS[0],
        _NAMES["scope"]: plan.scope,
        _NAMES["scores"]: "relative" if plan.relative else "raw",
        _NAMES["seed"]: plan.seed,
        **repairs.values(plan),
    }


def ask_plan(
    plan: Plan, more: Callable[[], None] = lambda: None, last: Callable[[], None] = lambda: None
) -> tuple[Plan, str | None]:
    """The plan with what the widgets say now, and a sentence if one choice had to give way.

    more: draws what else belongs below the repairs; last: at the end of the row.
    """
    choices.complete(_values(plan))
    places = _places()
    with places["granularity"]:
        granularity, refused = _ask_granularity(plan.granularity)
    with places["criterion"]:
        criterion, note = _ask_criterion(granularity, plan.criterion)
    with places["scope"]:
        scope = _ask_scope(granularity)
    with places["scores"]:
        relative, seed = _ask_scores(criterion, plan)
    with places["repair"]:
        aggregate, repair, gone = repairs.ask_repair(granularity, more)
    with places["last"]:
        last()
    new = replace(
        plan,
        criterion=criterion,
        granularity=granularity,
        scope=scope,
        relative=relative,
        seed=seed,
        pinned=valid_pins(plan, granularity),
        aggregate=aggregate,
        repair=repair,
    )
    notes = [text for text in (refused or note, gone, loss_text(plan, new)) if text]
    return new, " ".join(notes) or None


def _places() -> dict[str, DeltaGenerator]:
    """Where each control stands; an N:M and a seed need room of their own."""
    widths = _CONTROLS | _BUTTONS
    widths["granularity"] += _PATTERN if choices.value(_NAMES["kind"]) == PATTERN else 0
    widths["scores"] += _SEED if choices.value(_NAMES["criterion"]) == "random" else 0
    return {name: st.container(width=width) for name, width in widths.items()}


def _pair(name: str, beside: int) -> list[DeltaGenerator]:
    return st.columns([_CONTROLS[name], beside], gap="small")


def _ask_granularity(before: str) -> tuple[str, str | None]:
    kind = choices.value(_NAMES["kind"])
    names = {"weight": "weight", "neuron": "neuron", "head": "head", PATTERN: "2:4"}
    left, right = (
        st.columns([_CONTROLS["granularity"], _PATTERN], gap="small")
        if kind == PATTERN
        else (st, st)
    )
    kind = left.selectbox(
        "Granularity",
        list(names),
        index=_place(_NAMES["kind"], names),
        key=choices.key(_NAMES["kind"]),
        format_func=lambda name: GRANULARITIES[names[name]].label,
        help=granularity_term(names[kind]).as_markdown(),
    )
    if kind != PATTERN:
        return kind, None
    patterns = dict.fromkeys((*_PATTERNS, choices.value(_NAMES["pattern"])))
    choice = right.selectbox(
        "N:M",
        patterns,
        index=_place(_NAMES["pattern"], patterns),
        key=choices.key(_NAMES["pattern"]),
        accept_new_options=True,
        help="Keep N of each M neighbouring inputs; type any other, such as 3:8.",
    )
    try:
        pattern(choice)
    except ValueError as error:
        return before, public(error)
    return choice, None


def _ask_criterion(granularity: str, before: str) -> tuple[str, str | None]:
    allowed = [name for name, c in CRITERIA.items() if c.allows(granularity)]
    note = None
    if choices.value(_NAMES["criterion"]) not in allowed:
        note = (
            f"{CRITERIA[before].label} is not defined for this granularity; "
            f"{CRITERIA[allowed[0]].label} stands in."
        )
        choices.put(_NAMES["criterion"], allowed[0])
    choice = st.selectbox(
        "Criterion",
        allowed,
        index=_place(_NAMES["criterion"], allowed),
        key=choices.key(_NAMES["criterion"]),
        format_func=lambda name: CRITERIA[name].label,
        help=criterion_term(choices.value(_NAMES["criterion"])).as_markdown(),
    )
    return choice, note


def _ask_scope(granularity: str) -> str:
    inside_groups = pattern(granularity) is not None
    if inside_groups:
        choices.put(_NAMES["scope"], "layer")
    words = {"layer": "Per layer", "global": "Global"}
    why = "\n\nN:M weights compete inside their own group only." if inside_groups else ""
    scope = st.segmented_control(
        "Scope",
        list(words),
        default=choices.value(_NAMES["scope"]),
        key=choices.key(_NAMES["scope"]),
        required=True,
        format_func=words.__getitem__,
        disabled=inside_groups,
        help=TERMS["layer"].as_markdown() + "\n\n---\n" + TERMS["global"].as_markdown() + why,
    )
    return scope or "layer"


def _ask_scores(criterion: str, plan: Plan) -> tuple[bool, int]:
    left, right = (
        st.columns([_CONTROLS["scores"], _SEED], gap="small") if criterion == "random" else (st, st)
    )
    words = {"raw": "Raw", "relative": "Relative"}
    scores = left.segmented_control(
        "Scores",
        list(words),
        default=choices.value(_NAMES["scores"]),
        key=choices.key(_NAMES["scores"]),
        required=True,
        format_func=words.__getitem__,
        help=TERMS["raw"].as_markdown() + "\n\n---\n" + TERMS["relative"].as_markdown(),
    )
    seed = plan.seed
    if criterion == "random":
        seed = int(
            right.number_input(
                "Seed",
                min_value=0,
                value=choices.value(_NAMES["seed"]),
                key=choices.key(_NAMES["seed"]),
                help="Another seed, another random ranking.",
            )
        )
    return scores == "relative", seed
