"""How does a table become a CSV file in which no spreadsheet finds a formula?"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

# With these a cell begins a formula (OWASP, "CSV injection"); the wide ones where East Asian signs
# are typed. An apostrophe before them makes it text.
_BEGINS = tuple("=+-@\t\n＝＋－＠")


def csv_text(table: pd.DataFrame, path: Path | None = None) -> str:
    """A table as CSV without its index, also written to `path`.

    Text that a spreadsheet would work out (`=1+1`, `@SUM(A1)`), in cells and headers, has an
    apostrophe before it; numbers stay as they are. OSError if `path` cannot be written.

    >>> csv_text(pd.DataFrame({"layer": ["=1+1", "conv"], "change": [-0.5, 0.5]}))
    "layer,change\\n'=1+1,-0.5\\nconv,0.5\\n"
    """
    harmless = table.copy()
    for name in table.select_dtypes(["object", "string"]):
        harmless[name] = table[name].map(_harmless)
    harmless = harmless.rename(columns=_harmless)
    text = str(harmless.to_csv(index=False))
    if path is not None:
        path.write_text(text, "utf-8")
    return text


def _harmless(value: object) -> object:
    if not isinstance(value, str) or _is_number(value):
        return value
    # Python's csv quotes no lone carriage return before 3.13: what follows would be a row.
    text = value.replace("\r", "\n")
    return f"'{text}" if text.lstrip(" ").startswith(_BEGINS) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and text == text.strip()
