"""How does the plan on the screen become files?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import streamlit as st

from pruneviz.export import DEFAULT, FORMATS
from pruneviz.pruning.labels import label
from pruneviz.ui.boundary import part, ticking
from pruneviz.ui.chrome import follow, heading
from pruneviz.ui.export.banner import banner, offer_finished
from pruneviz.ui.export.export_work import (
    ExportWork,
    archive_of,
    begin,
    size,
    table,
    take,
    unfit,
)
from pruneviz.ui.export.report_work import offer_report
from pruneviz.ui.look import tight
from pruneviz.ui.session import Session
from pruneviz.ui.text import as_sentence, plain
from pruneviz.ui.workbench import address
from pruneviz.ui.workbench.live import listen
from pruneviz.ui.workbench.live import measure as measure_accuracy

_REMEMBERED, _OPEN = "export_formats", "export_more"
_FIRST = ("safetensors", "onnx", "recipe")
_TICK = 0.4


def main() -> None:
    """The page from top to bottom."""
    tight()
    session = address.here()
    listen(session)
    work = ExportWork.of(session)
    take(work)
    heading(
        session, "Export", "Export the network below; every file is checked before it is offered."
    )
    if session.next_change is not None:
        _wait(work)
        return
    banner(session)
    offer_finished(session, work.trainings)
    names = _ask(session)
    if work.running:
        _wait(work)
    else:
        _button(work, names)
    _show_result(work)
    st.divider()
    offer_report(session)
    measure_accuracy(session)


def _ask(session: Session) -> tuple[str, ...]:
    """The formats that are wanted, of those that this plan can leave in."""
    missing = unfit(session.settled, session.bench.source.model)
    # Where units are cut, the network without them is what one came for.
    shrunk = () if "shrunk" in missing else ("shrunk",)
    first, usual = (*_FIRST, *shrunk), (*DEFAULT, *shrunk)
    others = [name for name in FORMATS if name not in first]
    ticked = _switches(first, usual, missing)
    # It stays open where something in it was ticked, also once nothing is any more.
    st.session_state[_OPEN] = st.session_state.get(_OPEN, False) or any(map(_is_ticked, others))
    with st.expander("More formats", expanded=st.session_state[_OPEN]):
        ticked |= _switches(others, usual, missing)
    return tuple(name for name in FORMATS if ticked[name] and name not in missing)


def _switches(
    names: Sequence[str], usual: Collection[str], missing: Mapping[str, str]
) -> dict[str, bool]:
    """Format -> whether it is ticked: as usual for this plan, until somebody chose otherwise."""
    ticked = dict[str, bool]()
    for place, name in enumerate(names):
        if place % len(_FIRST) == 0:
            columns = st.columns(len(_FIRST))
        form, key, reason = FORMATS[name], f"export_{name}", missing.get(name)
        st.session_state[key] = _is_ticked(name, name in usual)
        with columns[place % len(_FIRST)], st.container(gap=None):
            ticked[name] = st.checkbox(plain(form.label), key=key, disabled=reason is not None)
            st.caption(plain(reason or form.meaning))
        _choices()[name] = ticked[name], name in usual
    return ticked


def _is_ticked(name: str, usual: bool = False) -> bool:
    """Whether a format is chosen: as it stands, else as it stood when it was drawn last."""
    value, usual_then = _choices().get(name, (usual, usual))
    value = bool(st.session_state.get(f"export_{name}", value))  # forgotten where it is not drawn
    return usual if value == usual_then else value


def _choices() -> dict[str, tuple[bool, bool]]:
    """Format -> whether it was ticked when it was drawn last, and whether that was usual then."""
    choices: dict[str, tuple[bool, bool]] = st.session_state.setdefault(_REMEMBERED, {})
    return choices


def _button(work: ExportWork, names: tuple[str, ...]) -> None:
    left, right = st.columns([1, 4], vertical_alignment="center")
    count = f"{len(names)} format{'' if len(names) == 1 else 's'}"
    if left.button(
        f"Export {count}",
        key="export-begin",
        type="primary",
        icon=":material/inventory_2:",
        disabled=not names,
        width="stretch",
    ):
        begin(work, names)
        st.rerun()
    right.caption(
        "Each file is read back, and its answers are compared with those on the screen, before "
        "it counts as written."
        if names
        else "Choose a format."
    )


def _wait(work: ExportWork) -> None:
    @ticking(_TICK)
    def watch() -> None:
        session, job = work.session, work.job
        if session.next_change is not None:
            if listen(session) or session.next_change is None:
                st.rerun()
            st.progress(0.0, "Preparing the units …")
            return
        follow(job, "export-cancel")

    watch()


@part
def _show_result(work: ExportWork) -> None:
    if work.message is not None:
        st.warning(plain(work.message))
        return
    result = work.result
    if result is None:
        if not work.running:
            st.caption("Nothing is exported yet.")
        return
    if work.plan is not None and work.plan != work.session.settled:
        before = plain(label(work.plan))
        st.info(
            f"These files are of an earlier plan ({before}), not of the one on the screen. "
            "Export again to get that one."
        )
    for note in result.notes:
        st.info(as_sentence(note))
    for name, reason in result.failed.items():
        st.error(f"{FORMATS[name].label} was not written: {plain(reason)}")
    st.dataframe(
        table(result),
        hide_index=True,
        height="content",
        key="exported",
        row_height=32,
        column_config={
            "size": st.column_config.TextColumn(alignment="right"),
            "largest difference": st.column_config.TextColumn(
                alignment="right",
                help="Between the answers of the file, read back, and those on the screen, "
                "relative to the largest answer. Up to 1e-4 is rounding.",
            ),
            "verdict": st.column_config.TextColumn(width=620),
        },
    )
    archive = archive_of(work)
    if archive is not None:
        st.download_button(
            f"Download {plain(archive.name)} ({size(archive.stat().st_size)})",
            archive.read_bytes,
            file_name=archive.name,
            mime="application/zip",
            key="export-download",
            icon=":material/download:",
            on_click="ignore",
        )


part(main)()
