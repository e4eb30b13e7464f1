"""How does somebody open their own network in the browser?"""

from __future__ import annotations

from typing import Protocol

import streamlit as st

from pruneviz.classroom import current_rules
from pruneviz.limits import limit
from pruneviz.sources.few import few
from pruneviz.sources.upload import PictureFormat, open_upload
from pruneviz.storage.faults import public
from pruneviz.tasks import TASKS
from pruneviz.ui.session import networks, shelves
from pruneviz.ui.session.dropped_recipe import ask_recipe
from pruneviz.ui.session.dropped_version import ask_version
from pruneviz.ui.text import plain
from pruneviz.ui.workbench import picture_form
from pruneviz.workbench import Workbench


class _File(Protocol):
    name: str

    def getvalue(self) -> bytes: ...


_ROUND = "upload_round"
_WIDTH = 420
# What runs code, or lies in folders, is named by whoever starts the app.
_BY_START = """
A class is code, which no upload runs: start the app with it. `mine.py` has a function `network()`
that returns the trained model, and one `data()` for inputs and labels:

`streamlit run app.py -- --model mine:network --data mine:data`

In place of `mine:data` also a folder or a .zip of pictures:

`streamlit run app.py -- --model mine:network --data photos.zip --size 224`
"""


def ask_own(here: str) -> str | None:
    """A form for weights, architecture and data; the name of the network once it is open.

    Below it places for a recipe, and for what another tool made of the network on the screen,
    `here`: see `ask_recipe`, `ask_version`.

    What is refused is said in one sentence, and nothing of the session is lost.
    """
    rules = current_rules()
    if rules is not None and not rules.upload_mb:
        return None
    # A new key for each network that was opened: the form starts afresh, and lets the bytes go.
    turn = st.session_state.setdefault(_ROUND, 0)
    tip = "Open your own network, or a recipe"
    box = st.popover("Upload", help=tip, key=f"own-{turn}", width="stretch")
    most = max(1, limit("upload_bytes") // 2**20)  # MB, as Streamlit counts
    with box, st.container(width=_WIDTH):
        st.markdown("**Open your own network**")
        with st.form(f"upload-{turn}", border=False):
            arch = st.text_input(
                "Architecture",
                key=f"upload_arch-{turn}",
                placeholder="timm:resnet18, torchvision:resnet18, sample:lenet5",
                help="`sample:…`, `timm:…`, `torchvision:…` or `hf:…` (a name on the hub). Your "
                "own code, folders and .pt2 files are for the command line and Python, where "
                "nobody but you can name them.",
            )
            weights = _ask_weights(turn, most)
            data, train = _ask_data(turn, most)
            pictures = picture_form.ask(turn)
            task, ignore = _ask_measure(turn)
            click = st.form_submit_button("Open", type="primary", width="stretch")
        with st.expander("A class of your own"):
            st.markdown(_BY_START)
        ask_recipe(here)
        version = ask_version(here, most)
        if version is not None:
            st.session_state[_ROUND] = turn + 1  # closes the box
        if not click:
            return version
        try:
            with st.spinner("Opening the network …"):
                bench = _open((weights, data, train), arch, task, ignore, pictures())
        except Exception as error:  # whatever a file made a library raise
            st.error(plain(public(error)))
            return None
        st.session_state[_ROUND] = turn + 1
        return networks.keep(bench.name, bench)


def _ask_weights(turn: int, most: int) -> _File | None:
    return st.file_uploader(
        "Weights",
        None,  # any file: what can't be opened is told what it is, and what helps
        key=f"upload_weights-{turn}",
        max_upload_size=most,
        help=f"A state_dict in .safetensors, .pt, .pth or .bin, up to {most:,} MB. Files "
        "that would run code are refused. Without a file the architecture's own weights "
        "are taken: random, or the pretrained ones that its name includes.",
    )


def _ask_data(turn: int, most: int) -> tuple[_File | None, _File | None]:
    """What measures, and what to learn from; most: MB of each."""
    data = st.file_uploader(
        "Data (optional)",
        ["npz", "zip"],
        key=f"upload_data-{turn}",
        max_upload_size=most,
        help=f"An .npz with x (inputs) and y (labels), or a .zip of pictures, up to {most:,} MB. "
        "In the .zip each class has a folder, or `labels.csv` has a line of picture and label "
        "for each. Without data the pruned network is compared with the dense one on synthetic "
        "inputs.",
    )
    train = st.file_uploader(
        "Training data (optional)",
        ["npz", "zip"],
        key=f"upload_train-{turn}",
        max_upload_size=most,
        help="Another .npz or .zip, to learn from on the page Train. Without it a training "
        "learns from the 30 % of the data that also feed the criteria.",
    )
    return data, train


def _ask_measure(turn: int) -> tuple[str | None, int | None]:
    """What outputs and targets are, where the user says so, and the label that does not count."""
    task = st.selectbox(
        "Measured by",
        TASKS,
        index=None,
        placeholder="inferred from outputs and targets",
        key=f"upload_task-{turn}",
        help="What outputs and targets mean, where that is not inferred correctly; agreement, "
        "closeness and cosine compare with the dense network.",
    )
    ignore = st.number_input(
        "Label to ignore (optional)",
        value=None,
        step=1,
        format="%d",
        key=f"upload_ignore-{turn}",
        help="The target of pixels or tokens that do not count, such as 255.",
    )
    return task, ignore


def _open(
    files: tuple[_File | None, _File | None, _File | None],
    arch: str,
    task: str | None,
    ignore: int | None,
    pictures: PictureFormat,
) -> Workbench:
    """The workbench of weights, data and training data."""
    rules = current_rules()
    if rules is not None:
        rules.check_upload()
    weights, data, train = (None if file is None else file.getvalue() for file in files)
    names = ["" if file is None else file.name for file in files]
    sizes = (len(each or b"") for each in (weights, data, train))
    shelves.make(sum(sizes), "what you upload")
    source = open_upload(
        weights, names[0], arch, data, names[1], task, ignore, train, names[2], pictures
    )
    bench = Workbench(few(source))
    shelves.make(shelves.bytes_of(bench), bench.name)
    return bench
