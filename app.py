"""Which pages does pruneviz have?"""

import streamlit as st

from pruneviz.gate import GATE
from pruneviz.ui import navigation
from pruneviz.ui.pages import WORKBENCH, offered_pages
from pruneviz.ui.session.recognition import recognise

st.set_page_config(
    page_title="pruneviz", page_icon="✂️", layout="wide", initial_sidebar_state="collapsed"
)
pages = [
    st.Page(page, title=title, icon=f":material/{icon}:", default=page == WORKBENCH)
    for title, (page, icon) in offered_pages().items()
]
page = st.navigation(pages, position="hidden")
recognise()  # what the browser answers draws the page anew that it knows of by then
with GATE.inside():
    navigation.show(page, pages)
