"""What follows when somebody gives a network as another tool left it?"""

from __future__ import annotations

import streamlit as st

from pruneviz.classroom import current_rules
from pruneviz.storage.faults import public
from pruneviz.ui.session import versions
from pruneviz.ui.text import plain

_ROUND = "version_round"


def ask_version(here: str, most: int) -> str | None:
    """A place for weights of the network `here`; the name of the version once it is open.

    most: MB of the file. What is refused is said in one sentence, and nothing of the session is
    lost.
    """
    # A new key for each file that was taken: else it would be read at every run.
    turn = st.session_state.setdefault(_ROUND, 0)
    file = st.file_uploader(
        plain(f"Or {here} as another tool pruned it"),
        None,  # any file: what can't be opened is told what it is, and what helps
        key=f"upload_version-{turn}",
        max_upload_size=most,
        help="Weights of the network on the screen, with zeros, with masks beside them "
        "(torch.nn.utils.prune) or narrower (Torch-Pruning). It becomes a network of its own in "
        "the list, a point of the chart, and a side in the history; its zeros are its plan.",
    )
    if file is None:
        return None
    try:
        with st.spinner("Opening what another tool left …"):
            name = _open(here, file.getvalue(), file.name)
    except Exception as error:  # whatever a file made a library raise
        st.error(plain(public(error)))
        return None
    st.session_state[_ROUND] = turn + 1
    return name


def _open(here: str, content: bytes, file: str) -> str:
    rules = current_rules()
    if rules is not None:
        rules.check_upload()
    already = versions.file_here(here, content)
    if already is not None:
        return already
    name = versions.open_file(here, content, file, f"{here} · {file}")
    try:
        versions.store_file(here, content, file, name)
    except OSError as error:
        st.toast(plain(f"{name} could not be kept, and ends with this tab: {public(error)}."))
    return name
