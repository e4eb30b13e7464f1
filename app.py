"""Which pages does pruneviz have?"""

import streamlit as st

from pruneviz.ui.pages import FOLDER
from pruneviz.ui.session.recognition import recognise

st.set_page_config(
    page_title="pruneviz", page_icon="✂️", layout="wide", initial_sidebar_state="collapsed"
)
recognise()
st.navigation(
    [
        st.Page(
            FOLDER / "workbench.py",
            title="Workbench",
            icon=":material/tune:",
            default=True,
        ),
        st.Page(FOLDER / "sensitivity.py", title="Sensitivity", icon=":material/monitoring:"),
        st.Page(FOLDER / "criteria.py", title="Criteria", icon=":material/compare_arrows:"),
        st.Page(FOLDER / "devices.py", title="Small devices", icon=":material/memory:"),
        st.Page(FOLDER / "train.py", title="Train", icon=":material/model_training:"),
        st.Page(FOLDER / "history.py", title="History", icon=":material/history:"),
        st.Page(FOLDER / "export.py", title="Export", icon=":material/inventory_2:"),
        st.Page(FOLDER / "manual.py", title="Manual", icon=":material/menu_book:"),
    ],
    position="top",
).run()
