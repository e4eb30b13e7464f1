"""Which validation sample is looked at?"""

from __future__ import annotations

import streamlit as st

from pruneviz.ui.text import plain
from pruneviz.workbench import Workbench


def ask_sample(bench: Workbench, tip: str) -> int:
    """A field for its number; all that look at one share it."""
    last = len(bench.source.validation) - 1
    label = "Validation sample"
    return int(st.number_input(label, 0, last, 0, key="sample", help=plain(tip), width=220))
