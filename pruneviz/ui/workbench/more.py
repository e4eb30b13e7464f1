"""Which choices stand under More until a plan uses them?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import streamlit as st

from pruneviz.plan import Plan
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.ui.workbench import choices

FIRST = ("magnitude", "wanda", "taylor", "random")  # criteria that always stand in the list
OTHER = "ask_other"
_USED = "choices_used"


def in_row(plan: Plan) -> set[str]:
    """The choices that a plan of this tab has used, so that they stay where one sees them."""
    seen: set[str] = st.session_state.setdefault(_USED, set())
    differs = {
        "scope": plan.scope != "layer",
        "scores": plan.relative,
        "aggregate": plan.aggregate != Plan().aggregate,
    }
    seen |= {name for name, differ in differs.items() if differ}
    return seen


def use(names: Iterable[str]) -> None:
    """Let these choices, and these criteria, stand where one sees them from now on."""
    st.session_state.setdefault(_USED, set()).update(names)


def split(allowed: Sequence[str], chosen: str) -> tuple[list[str], list[str]]:
    """(the criteria in the list, those under More); the chosen one is in the list."""
    used = [name for name in allowed if name in st.session_state.get(_USED, ())]
    first = [name for name in (*FIRST, *used, chosen) if name in allowed]
    return list(dict.fromkeys(first)), [name for name in allowed if name not in first]


def ask_other(others: Sequence[str]) -> str | None:
    """A criterion of those that are not in the list, once one is clicked."""
    chosen: str | None = st.pills(
        "Other criteria",
        others,
        key=choices.key(OTHER),
        format_func=lambda name: CRITERIA[name].label,
        help="\n\n".join(f"**{CRITERIA[name].label}**: {_sentence(name)}" for name in others),
    )
    return chosen


def _sentence(name: str) -> str:
    return " ".join(CRITERIA[name].meaning.split())
