"""What does a newcomer do in the first minute?"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pruneviz.ui.boundary import part
from pruneviz.ui.session import Session
from pruneviz.ui.workbench.live import tab

PAYS = "Flipped examples"  # the tab that shows who pays
WRITES = "Examples"  # the same of a language model: what it writes
_KEY = "welcome"

_HTML = """
<section class="welcome" data-testid="welcome" aria-label="First steps" hidden>
  <p><strong>pruneviz</strong> cuts connections and neurons out of a trained network, and measures
  at once what that costs.</p>
  <ol>
    <li data-step="drag">Drag a slider to the right</li>
    <li data-step="pays">See who pays: <button type="button" class="tab"></button>, below</li>
    <li data-step="undo">Undo</li>
  </ol>
  <button type="button" class="dismiss" aria-label="Do not show the first steps again">✕</button>
</section>
"""
_FILE = Path(__file__)
_component = st.components.v2.component(
    "pruneviz.welcome",
    html=_HTML,
    css=_FILE.with_suffix(".css").read_text("utf-8"),
    js=_FILE.with_suffix(".js").read_text("utf-8"),
)


@part
def welcome(session: Session) -> None:
    """Say what this is, with three steps that tick themselves off, to a browser that is new."""
    with st.container(key=_KEY):  # which is hidden where they were seen before
        pays = PAYS if session.bench.source.language is None else WRITES
        _component(data={"done": sorted(_done(session)), "pays": pays}, key=f"{_KEY}-steps")


def _done(session: Session) -> set[str]:
    done: set[str] = st.session_state.setdefault("welcome_done", set())
    cut = not session.settled.is_dense
    if cut:
        done.add("drag")
    if cut and tab() in (PAYS, WRITES):
        done.add("pays")
    if session.at < len(session.steps) - 1:
        done.add("undo")
    return done
