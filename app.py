"""Which pages does pruneviz have?"""

import streamlit as st

st.set_page_config(
    page_title="pruneviz", page_icon="✂️", layout="wide", initial_sidebar_state="collapsed"
)
st.navigation(
    [
        st.Page(
            "pruneviz/ui/pages/workbench.py",
            title="Workbench",
            icon=":material/tune:",
            default=True,
        ),
        st.Page("pruneviz/ui/pages/devices.py", title="Small devices", icon=":material/memory:"),
    ],
    position="top",
).run()
