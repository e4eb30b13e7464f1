"""Which worksheets were handed in?"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable

import streamlit as st

from pruneviz.classroom import Student
from pruneviz.lessons.worksheet import csv, read_worksheet, table
from pruneviz.ui.boundary import part
from pruneviz.ui.session import classmates

_NAME = 40


@part
def collection() -> None:
    """All that was handed in: one table, and the files themselves."""
    with st.expander("Worksheets", icon=":material/assignment_turned_in:"):
        pairs = classmates.register().sheets()
        if not pairs:
            st.caption("Nobody has handed in yet. Students press *Hand in* on the page Learn.")
            return
        files = files_of(pairs)
        frame = table([(name, read_worksheet(text.encode())) for name, text in files])
        # On the screen only what somebody has; in the file all columns.
        said = [column for column in frame if frame[column].replace("", None).notna().any()]
        st.dataframe(frame[said], hide_index=True, key="class-sheets", height=320)
        with st.container(horizontal=True, gap="small"):
            st.download_button(
                "Download the table (CSV)", csv(frame), "class.csv", "text/csv",
                key="class-csv", on_click="ignore",
            )  # fmt: skip
            st.download_button(
                f"Download all {len(files)} (zip)", lambda: archive(files), "worksheets.zip",
                "application/zip", key="class-zip", on_click="ignore",
            )  # fmt: skip


def files_of(pairs: Iterable[tuple[Student, str]]) -> list[tuple[str, str]]:
    """(name of a file, worksheet) of each, no two of the same name."""
    files: dict[str, str] = {}
    for student, sheet in pairs:
        base = re.sub(r"[^\w-]+", "_", student.name)[:_NAME].strip("_") or "student"
        name, number = f"{base}.html", 2
        while name.casefold() in (each.casefold() for each in files):
            name, number = f"{base}_{number}.html", number + 1
        files[name] = sheet
    return [*files.items()]


def archive(files: Iterable[tuple[str, str]]) -> bytes:
    """Files as a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, text in files:
            target.writestr(name, text)
    return buffer.getvalue()
