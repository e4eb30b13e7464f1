"""How is a table with one row a network printed, whatever fails?"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable


def print_rows(head: str, row: Callable[[str], str], names: Iterable[str]) -> None:
    """Print a Markdown table; a row that fails stands in it with its reason, and is counted."""
    print(head)
    failed, columns = 0, head.splitlines()[0].count("|") - 1
    for name in names:
        try:
            print(row(name), flush=True)
        except Exception as error:
            failed += 1
            reason = (str(error) or type(error).__name__).splitlines()[0]
            print(f"| {name} | {reason} |" + " — |" * (columns - 2), flush=True)
            traceback.print_exc(limit=-3)
    print(f"{failed} failed", file=sys.stderr)
