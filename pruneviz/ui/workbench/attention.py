"""Where do the heads of the attention in focus look, and which of them are cut?"""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import streamlit as st
from torch import Tensor

from pruneviz import figures
from pruneviz.plan import Plan
from pruneviz.storage.cache import Cache
from pruneviz.storage.faults import public
from pruneviz.ui.text import as_sentence, code, plain
from pruneviz.ui.workbench.sample import ask_sample
from pruneviz.workbench import Workbench, units

_SHOWN, _KEPT, _LONGEST = 16, 16, 128


def show_heads(bench: Workbench, plan: Plan, focus: str) -> bool:
    """The maps of all heads, those that are cut told apart; whether there are any to show."""
    group = units.groups_for(bench, Plan("l2", "head")).of(focus)
    if group is None or group.word != "head":
        return False
    sample = ask_sample(bench, "Which validation sample the heads look at.")
    maps = _maps(bench, focus, sample)
    if isinstance(maps, str):
        st.caption(as_sentence(maps))
        return True
    gone = _cut_heads(bench, plan, focus)
    cut = (
        f"cut in the plan: {', '.join(map(str, gone))}" if gone else "none is cut whole in the plan"
    )
    st.caption(
        f"Where the {len(maps)} heads of {code(focus)} look in the dense network, head 0 first; "
        f"{plain(cut)}.",
        help="One picture a head: rows are positions that look, columns those that are looked at "
        "(of a vision transformer the class token first, then the patches line by line); brighter "
        "is more, and each row adds up to 1. Beside it the same heads as the plan leaves them: a "
        "head that is cut is blank there.",
    )
    left, right = st.columns(2)
    pictures = maps[:_SHOWN, :_LONGEST, :_LONGEST].double().cpu().numpy()
    every = np.ones(len(pictures), dtype=bool)
    left.plotly_chart(figures.mosaic(pictures, every, signed=False), key="heads-dense")
    now = _maps(bench, focus, sample, plan)
    if isinstance(now, Tensor) and now.shape == maps.shape:
        kept = np.array([number not in gone for number in range(len(pictures))])
        after = now[:_SHOWN, :_LONGEST, :_LONGEST].double().cpu().numpy()
        right.plotly_chart(figures.mosaic(after, kept, signed=False), key="heads-pruned")
    return True


def _cut_heads(bench: Workbench, plan: Plan, focus: str) -> list[int]:
    """The heads of which no weight of this layer's group is left."""
    group = units.groups_for(bench, Plan("l2", "head")).of(focus)
    assert group is not None
    masks, gone = bench.masks(plan).masks, []
    for head in range(group.units):
        rows = [masks[name].flatten(1)[group.rows[name] == head] for name in group.layers]
        if not any(bool(part.any()) for part in rows):
            gone.append(head)
    return gone


def _maps(bench: Workbench, focus: str, sample: int, plan: Plan | None = None) -> Tensor | str:
    cache: Cache[Tensor | str] = st.session_state.setdefault("heads", Cache(_KEPT))
    key: Hashable = (bench.identity, focus, sample, plan)

    def make() -> Tensor | str:
        try:
            return bench.attention_maps(focus, sample, Plan() if plan is None else plan)
        except ValueError as error:
            return public(error)

    return cache.get_or(key, make)
