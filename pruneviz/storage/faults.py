"""What is said of an error that nobody foresaw, and where does its trace stand?"""

from __future__ import annotations

import contextlib
import logging
import re
import secrets
import time
import traceback
from pathlib import Path

from pruneviz.storage.home import home

_OURS = Path(__file__).parents[1]
FILE = "faults.log"
_BOUND = 2**20  # bytes; then the log is begun anew, and the last one kept beside it
_LONGEST = 160
# Where files lie is nobody's business in a browser, and says nothing that the trace does not.
_PATH = re.compile(r"(?:[A-Za-z]:\\|~|(?<![\w.])/)[^\s'\",;:()]*[/\\][^\s'\",;:()]*")
_LOG = logging.getLogger(__name__)


def sentence(error: BaseException) -> str:
    """What a person reads of `error`: our own refusal as it is; of any other error a sentence with
    a number, under which the log holds the full trace.
    """
    if is_refusal(error):
        return str(error)
    lines = _PATH.sub("…", str(error)).strip().splitlines()
    words = lines[0][:_LONGEST] if lines else ""
    kind = type(error).__name__
    what = f"{kind}: {words}" if words else kind
    return f"something went wrong that was not foreseen ({what}); fault {_note(error)} in the log"


def public(error: BaseException) -> str:
    """`sentence` for a browser: also our own words say nothing there of where files lie."""
    return _PATH.sub("…", sentence(error))


def is_refusal(error: BaseException) -> bool:
    """Whether it is a ValueError that our own code raised, whose words are made for people.

    Those of a library name its own arguments, or places on the disk.
    """
    if not isinstance(error, ValueError):
        return False
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is None or Path(trace.tb_frame.f_code.co_filename).is_relative_to(_OURS)


def log_file() -> Path:
    """Where the traces stand."""
    return home() / FILE


def _note(error: BaseException) -> str:
    """The number under which the trace of `error` stands in the log from now on."""
    number = secrets.token_hex(3)
    trace = "".join(traceback.format_exception(error))
    entry = f"fault {number}, {time.strftime('%FT%T%z')}\n{trace}\n"
    path = log_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_size > _BOUND:
                path.replace(path.with_suffix(".log.1"))
        with path.open("a", encoding="utf-8", errors="backslashreplace") as log:
            log.write(entry)
    except OSError:  # a full disk, a home that is read only: those who watch the server see it
        _LOG.error("%s", entry)
    return number
