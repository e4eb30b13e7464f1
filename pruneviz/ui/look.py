"""How close together do things stand on every page?"""

from __future__ import annotations

import streamlit as st

# Streamlit leaves six rem free above a page; the four questions are to stand on one screen. The
# header then lies just above the first row and must let clicks through beside its own buttons.
_STYLE = """
.stMainBlockContainer { padding: 2.7rem 2.5rem 2rem; }
.stAppHeader { min-height: 2.4rem; height: 2.4rem; }
.stAppHeader, .stAppHeader * { pointer-events: none; }
.stAppHeader :is(a, button), .stAppHeader :is(a, button) * { pointer-events: auto; }
:has(> .st-key-owner) { display: none; } /* it keeps a cookie, and shows nothing */
:has(> :is(.st-key-navigation, .st-key-skip)) { position: absolute; } /* no room below */
.st-key-navigation { position: fixed; inset: 0 5.5rem auto 1.5rem; width: auto; height: 2.4rem;
  z-index: 1000000; justify-content: center; overflow: auto hidden; scrollbar-width: none; }
.st-key-navigation a { padding: 0.1rem 0.5rem; white-space: nowrap; }
.st-key-navigation p { font-size: 0.875rem; }
@media (max-width: 940px) {
  .st-key-navigation a > :first-child:not(:only-child) { display: none; } /* the icons */
  .st-key-navigation .stHorizontalBlock { flex-wrap: nowrap; gap: 0; }
  .st-key-navigation { inset: 0 3rem auto 0.75rem; }
  /* What stands side by side goes to the next line before its words are cut. */
  .stHorizontalBlock:has(> .stColumn) { flex-wrap: wrap; }
  .stColumn:not(.st-key-controls *) { min-width: min(100%, 9.5rem); }
}
@media (max-width: 860px) { /* a lesson stands above its board, whose words it would cut */
  .stHorizontalBlock:has(> .stColumn > * > * > .st-key-lesson) > .stColumn { min-width: 100%; }
}
.stColumn:has(.stPageLink, [data-variant=segmented_control]) { min-width: fit-content; }
@media (max-width: 1100px) {
  .stHorizontalBlock:has(> * .st-key-history-choice) { flex-wrap: wrap; } /* plans' long names */
  .stHorizontalBlock:has(> * .st-key-history-choice) > .stColumn { min-width: 100%; }
}
/* No word is cut: what is longer than its place goes on in the next line. */
.stMarkdownEllipsis, .stMarkdownEllipsis p, .stMetric label * { white-space: normal !important;
  overflow: visible !important; text-overflow: clip !important; }
:is(.stButton, .stDownloadButton, .stFormSubmitButton) button { height: auto; }
.stPageLink a * { white-space: nowrap; overflow: visible; }
.stButtonGroup [role=radiogroup] { flex-wrap: wrap; mask: none; overflow: visible; }
.stButtonGroup [data-variant=segmented_control] { min-height: 2.5rem; } /* as fields are */
[data-testid=stStatusWidget] { display: none; } /* the board says itself what is at work */
/* Streamlit's own are too faint to read: 4.2 and 3.6 on the light page, 2.3 on the dark accent. */
[data-testid=stCaptionContainer] { opacity: 0.78; }
.stButtonGroup :is([data-testid=stWidgetLabel], [data-testid=stWidgetLabel] :is(div, p)) {
  color: inherit !important; opacity: 1; } /* also of what is disabled */
.stPlotlyChart :is([class*=axislayer], [class*=title], .annotation, .legendtext, .colorbar) text,
.stPlotlyChart text.legendtext { fill: light-dark(#454b52, #e6e9ea) !important; }
/* What a list holds goes on in the next line, as words do. */
.stMultiSelect [role=group] { height: auto; max-height: none; }
[data-testid=stMultiSelectTagsContainer] { flex-wrap: wrap; mask: none; overflow: visible;
  padding-block: 0.25rem; flex: 1 1 0; min-width: 0; }
/* Streamlit's own rings are fainter than 3:1, and a link has none. Inside of what clips. */
:focus-visible:not(input, textarea), label:has(> span > :focus-visible),
.stSlider div:has(> div > :focus-visible) { --ring: light-dark(#1f6f8b, #5cb8d6);
  outline: 2px solid var(--ring) !important; outline-offset: 2px; border-radius: 4px; }
:is(a, main, canvas, summary, .dvn-scroller, [role=tab], [role=tabpanel]):focus-visible {
  outline-offset: -2px; }
.stElementToolbar:has(:focus-visible) { opacity: 1; }
/* Bold here: marks in a label would be read aloud. */
[class*=st-key-export_] label p { font-weight: 600; }
:is([kind=primary], [kind=primaryFormSubmit]):enabled, [data-tag] {
  color: light-dark(#fff, #14181c); }
"""


def tight() -> None:
    """Use the room of the screen; to be called first on a page."""
    st.html(f"<style>{_STYLE}</style>")
