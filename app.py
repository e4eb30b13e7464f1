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
        st.Page(
            "pruneviz/ui/pages/sensitivity.py", title="Sensitivity", icon=":material/monitoring:"
        ),
        st.Page(
            "pruneviz/ui/pages/criteria.py", title="Criteria", icon=":material/compare_arrows:"
        ),
        st.Page("pruneviz/ui/pages/devices.py", title="Small devices", icon=":material/memory:"),
        st.Page("pruneviz/ui/pages/history.py", title="History", icon=":material/history:"),
        st.Page("pruneviz/ui/pages/export.py", title="Export", icon=":material/inventory_2:"),
    ],
    position="top",
).run()
