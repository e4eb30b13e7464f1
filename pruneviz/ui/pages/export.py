"""How does the plan on the screen become files?"""

from __future__ import annotations

import streamlit as st

from pruneviz.export import DEFAULT, FORMATS
from pruneviz.pruning.labels import label
from pruneviz.ui.boundary import part, ticking
from pruneviz.ui.chrome import follow, heading
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
from pruneviz.ui.session import Session, jobs
from pruneviz.ui.text import as_sentence, plain
from pruneviz.ui.workbench import address
from pruneviz.ui.workbench.live import listen
from pruneviz.ui.workbench.live import measure as measure_accuracy

_REMEMBERED = "export_formats"
_TICK, _COLUMNS = 0.4, 3


def main() -> None:
    """The page from top to bottom."""
    tight()
    session = address.here()
    listen(session)
    work = ExportWork.of(session)
    take(work)
    heading(session, "Export", _on_screen(session))
    if session.next_change is not None:
        _wait(work)
        return
    names = _ask(session)
    if work.running:
        _wait(work)
    else:
        _button(work, names)
    _show_result(work)
    st.divider()
    offer_report(session)
    measure_accuracy(session)


def _on_screen(session: Session) -> str:
    """The plan in a few words, and how well it answers."""
    bench, plan = session.bench, session.settled
    counts = bench.counts(plan)
    words = f"{label(plan)} · {counts.params_kept:,} of {counts.params:,} parameters kept"
    result = None if session.next_change is not None else jobs.so_far(bench, plan)
    if result is None:
        return words
    task = bench.task
    interval = task.interval_text(result.low, result.high)
    score = task.score_text(result.accuracy)
    return f"{words} · {task.word} {score} ({interval}, on {result.n:,})"


def _ask(session: Session) -> tuple[str, ...]:
    """The formats that are wanted, of those that this plan can leave in."""
    switches: dict[str, bool] = st.session_state.setdefault(
        _REMEMBERED, {name: name in DEFAULT for name in FORMATS}
    )
    missing = unfit(session.settled)
    for place, (name, form) in enumerate(FORMATS.items()):
        if place % _COLUMNS == 0:
            columns = st.columns(_COLUMNS)
        key, reason = f"export_{name}", missing.get(name)
        st.session_state.setdefault(key, switches[name])  # it forgets what was not drawn
        with columns[place % _COLUMNS], st.container(gap=None):
            switches[name] = st.checkbox(
                f"**{plain(form.label)}**", key=key, disabled=reason is not None
            )
            st.caption(plain(reason or form.meaning))
    return tuple(name for name in FORMATS if switches[name] and name not in missing)


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
            st.progress(0.0, "The units are being made ready …")
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
            f"These files are of a plan before ({before}), not of the one on the screen. Export "
            "again to have that."
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
            "verdict": st.column_config.TextColumn(width="large"),
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
