"""Which repairs does the person ask for?"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pruneviz.glossary import TERMS, repair_term
from pruneviz.plan import AGGREGATES, UNITS, Plan, repairs_for
from pruneviz.pruning.repair import REPAIRS
from pruneviz.ui.text import plain
from pruneviz.ui.workbench import choices

_NAMES = {name: f"ask_{name}" for name in REPAIRS}
_AGGREGATE = "ask_aggregate"
_WIDTH = 400
# By whether whole units are cut: why a repair is switched off, and what it is for.
_REASONS = {
    False: "mends what removed units leave behind",
    True: "makes up for single weights",
}
_ONLY = {
    False: "Only for granularities that cut whole units: neurons and heads.",
    True: "Only for granularities that cut single weights: weights and N:M patterns.",
}
_WORDS = {"mean": "Mean", "sum": "Sum", "max": "Largest"}


def values(plan: Plan) -> dict[str, object]:
    """What the widgets show for a plan, by their keys."""
    switches: dict[str, object] = {_NAMES[name]: name in plan.repair for name in REPAIRS}
    return switches | {_AGGREGATE: plan.aggregate}


def ask_repair(
    granularity: str, below: Callable[[], None] = lambda: None
) -> tuple[tuple[str, ...], str | None]:
    """The repairs as the switches say, and a sentence on what had to be switched off.

    below: draws what else belongs below the switches.
    """
    can = repairs_for(granularity)
    gone = [name for name in REPAIRS if name not in can and choices.value(_NAMES[name])]
    for name in gone:
        choices.put(_NAMES[name], False)
    on = sum(bool(choices.value(name)) for name in _NAMES.values())
    label = f"Repair: {on}" if on else "Repair"
    with st.popover(plain(label), width="stretch", key="repair"), st.container(width=_WIDTH):
        st.markdown("**Repair without training**")
        units = granularity in UNITS
        repair = tuple(name for name in REPAIRS if _switch(name, units, enabled=name in can))
        below()
    note = None
    if gone:
        labels = " and ".join(f"“{REPAIRS[name].label}”" for name in gone)
        note = f"{labels} {_REASONS[granularity in UNITS]}; switched off for {granularity}."
    return repair, note


def _switch(name: str, units: bool, *, enabled: bool) -> bool:
    why = "" if enabled else f"\n\n{_ONLY[units]}"
    return st.toggle(
        REPAIRS[name].label,
        value=bool(choices.value(_NAMES[name])),
        key=choices.key(_NAMES[name]),
        disabled=not enabled,
        help=repair_term(name).as_markdown() + why,
    )


def ask_aggregate(granularity: str) -> str:
    """How the scores of layers that are cut together make one."""
    units = granularity in UNITS
    why = "" if units else "\n\nSingle weights have no groups: each layer stands for itself."
    choice = st.segmented_control(
        "Group score",
        AGGREGATES,
        default=choices.value(_AGGREGATE),
        key=choices.key(_AGGREGATE),
        required=True,
        format_func=_WORDS.__getitem__,
        disabled=not units,
        help=TERMS["aggregate"].as_markdown() + why,
    )
    return choice or AGGREGATES[0]
