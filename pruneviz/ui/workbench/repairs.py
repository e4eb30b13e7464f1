"""Which repairs does the person ask for?"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pruneviz.glossary import TERMS, repair_term
from pruneviz.plan import AGGREGATES, UNITS, Plan
from pruneviz.pruning.repair import REPAIRS
from pruneviz.ui.text import plain
from pruneviz.ui.workbench import choices

_NAMES = {name: f"ask_{name}" for name in REPAIRS}
_AGGREGATE = "ask_aggregate"
_WIDTH = 400
_WORDS = {"mean": "Mean", "sum": "Sum", "max": "Largest"}


def values(plan: Plan) -> dict[str, object]:
    """What the widgets show for a plan, by their keys."""
    switches: dict[str, object] = {_NAMES[name]: name in plan.repair for name in REPAIRS}
    return switches | {_AGGREGATE: plan.aggregate}


def able(granularity: str) -> tuple[str, ...]:
    """The repairs there are for a granularity."""
    units = granularity in UNITS
    return tuple(name for name, repair in REPAIRS.items() if units or not repair.units_only)


def ask_repair(
    granularity: str, below: Callable[[], None] = lambda: None
) -> tuple[tuple[str, ...], str | None]:
    """The repairs as the switches say, and a sentence on what had to be switched off.

    below: draws what else belongs below the switches.
    """
    can = able(granularity)
    gone = [name for name in REPAIRS if name not in can and choices.value(_NAMES[name])]
    for name in gone:
        choices.put(_NAMES[name], False)
    on = sum(bool(choices.value(name)) for name in _NAMES.values())
    label = f"Repair: {on}" if on else "Repair"
    with st.popover(plain(label), width="stretch", key="repair"), st.container(width=_WIDTH):
        st.markdown("**Repair without training**")
        repair = tuple(name for name in REPAIRS if _switch(name, enabled=name in can))
        below()
    note = None
    if gone:
        labels = " and ".join(f"“{REPAIRS[name].label}”" for name in gone)
        note = f"{labels} mends what removed units leave behind; switched off for {granularity}."
    return repair, note


def _switch(name: str, *, enabled: bool) -> bool:
    why = "" if enabled else "\n\nOnly for granularities that cut whole units: neurons and heads."
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
