"""What does the person ask for above the board?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pruneviz.glossary import TERMS, Term, criterion_term, granularity_term
from pruneviz.plan import UNITS, Plan, pattern
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.pruning.granularity import GRANULARITIES
from pruneviz.storage.faults import public
from pruneviz.ui.session.hand import loss_text, valid_pins
from pruneviz.ui.workbench import choices, more, repairs

PATTERN = "N:M"
_PATTERNS = ("2:4", "1:4", "3:4", "1:2", "4:8")
_MODEL = "ask_model"
# Widths in pixels: what does not fit a narrow screen goes to the next line, with its words whole.
ICONS = 199
_NETWORK, _SEED, _PATTERN = 160, 95, 100
_CONTROLS = {"criterion": 195, "granularity": 195, "scope": 236, "scores": 162, "aggregate": 205}
_BUTTONS = {"repair": 118, "last": 118, "more": 105}
_MORE = 400
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


def are_clicked(plan: Plan) -> bool:
    """Whether somebody has chosen something since the widgets were read last."""
    return bool(choices.clicks(_values(plan)))


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
        more.OTHER: None,
        **repairs.values(plan),
    }


def ask_plan(
    plan: Plan, below: Callable[[], None] = lambda: None, last: Callable[[], None] = lambda: None
) -> tuple[Plan, str | None]:
    """The plan with what the widgets say now, and a sentence if one choice had to give way.

    below: draws what else belongs below the repairs; last: at the end of the row.
    """
    choices.complete(_values(plan))
    places = _places(more.in_row(plan))
    with places["granularity"]:
        granularity, refused = _ask_granularity(plan.granularity)
    with places["criterion"]:
        criterion, others, note = _ask_criterion(granularity, plan.criterion)
    with places["other"]:
        criterion = (more.ask_other(others) if others else None) or criterion
    with places["scope"]:
        scope = _ask_scope(granularity)
    with places["scores"]:
        relative = _ask_scores()
    with places["aggregate"]:
        aggregate = repairs.ask_aggregate(granularity)
    with places["repair"]:
        repair, gone = repairs.ask_repair(granularity, below)
    with places["last"]:
        last()
    choices.see(_values(plan))
    random = choices.value(_NAMES["criterion"]) == "random"
    new = replace(
        plan,
        criterion=criterion,
        granularity=granularity,
        scope=scope,
        relative=relative,
        seed=int(choices.value(_NAMES["seed"])) if random else plan.seed,
        pinned=valid_pins(plan, granularity),
        aggregate=aggregate,
        repair=repair,
    )
    notes = (refused or note, gone, loss_text(plan, new), _pattern_note(plan, new))
    return new, " ".join(text for text in notes if text) or None


def _places(in_row: set[str]) -> dict[str, DeltaGenerator]:
    """Where each control stands: in the row, or under More what was never used.

    An N:M and a seed need room of their own.
    """
    widths = _CONTROLS | _BUTTONS
    widths["granularity"] += _PATTERN if choices.value(_NAMES["kind"]) == PATTERN else 0
    widths["criterion"] += _SEED if choices.value(_NAMES["criterion"]) == "random" else 0
    away = [name for name in ("scope", "scores", "aggregate") if name not in in_row]
    places = {
        name: st.container(width=widths[name], key=f"control-{name}")
        for name in widths
        if name not in away
    }
    with places["more"], st.popover("More", width="stretch", key="more"):
        box = st.container(width=_MORE)
    return places | {name: box.container() for name in ("other", *away)}


def _pattern_note(plan: Plan, new: Plan) -> str | None:
    fresh = pattern(new.granularity) and not pattern(plan.granularity)
    return "Few runtimes still use N:M patterns: see the “?” beside Granularity." if fresh else None


def _ask_granularity(before: str) -> tuple[str, str | None]:
    kind = choices.value(_NAMES["kind"])
    names = {name: name for name in ("weight", *UNITS)} | {PATTERN: "2:4"}
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
        help=_help(TERMS["granularity"], granularity_term(names[kind])),
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


def _ask_criterion(granularity: str, before: str) -> tuple[str, list[str], str | None]:
    """(the choice, the criteria that are not in the list, a sentence if it had to give way)."""
    allowed = [name for name, c in CRITERIA.items() if c.allows(granularity)]
    note = None
    if choices.value(_NAMES["criterion"]) not in allowed:
        note = (
            f"{CRITERIA[before].label} is not defined for this granularity; "
            f"{CRITERIA[allowed[0]].label} is used instead."
        )
        choices.put(_NAMES["criterion"], allowed[0])
    listed, others = more.split(allowed, choices.value(_NAMES["criterion"]))
    random = choices.value(_NAMES["criterion"]) == "random"
    left, right = st.columns([_CONTROLS["criterion"], _SEED], gap="small") if random else (st, st)
    choice = left.selectbox(
        "Criterion",
        listed,
        index=_place(_NAMES["criterion"], listed),
        key=choices.key(_NAMES["criterion"]),
        format_func=lambda name: CRITERIA[name].label,
        help=_help(TERMS["criterion"], criterion_term(choices.value(_NAMES["criterion"]))),
    )
    if random:
        right.number_input(
            "Seed",
            min_value=0,
            value=choices.value(_NAMES["seed"]),
            key=choices.key(_NAMES["seed"]),
            help="Another seed, another random ranking.",
        )
    return choice, others, note


def _ask_scope(granularity: str) -> str:
    inside_groups = pattern(granularity) is not None
    if inside_groups:
        choices.put(_NAMES["scope"], "layer")
    words = {"layer": "Per layer", "global": "Global", "alike": "Alike"}
    why = "\n\nN:M weights compete inside their own group only." if inside_groups else ""
    scope = st.segmented_control(
        "Scope",
        list(words),
        default=choices.value(_NAMES["scope"]),
        key=choices.key(_NAMES["scope"]),
        required=True,
        format_func=words.__getitem__,
        disabled=inside_groups,
        help=_help(TERMS["layer"], TERMS["global"], TERMS["alike"]) + why,
    )
    return scope or "layer"


def _ask_scores() -> bool:
    words = {"raw": "Raw", "relative": "Relative"}
    scores = st.segmented_control(
        "Scores",
        list(words),
        default=choices.value(_NAMES["scores"]),
        key=choices.key(_NAMES["scores"]),
        required=True,
        format_func=words.__getitem__,
        help=_help(TERMS["raw"], TERMS["relative"]),
    )
    return bool(scores == "relative")


def _help(*terms: Term) -> str:
    return "\n\n---\n".join(term.as_markdown() for term in terms)
