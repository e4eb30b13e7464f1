"""How does a command begin, and how does it end when it is told to stop?"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn


def run() -> None:
    """The command line. Ctrl-C, SIGTERM and a terminal that is closed end it as errors do: what
    was half done is taken away. Exits with 128 + the signal's number: 130, 143, 129.
    """
    _on_stop(_leave)
    from pruneviz.cli import main  # with torch: seconds

    _on_stop(_stop)
    main(prog_name="pruneviz")


def _on_stop(act: Callable[[int, FrameType | None], NoReturn]) -> None:
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        number = getattr(signal, name, None)
        # What whoever started this has it ignore (nohup, a shell's background) stays ignored.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, act)


def _leave(number: int, _: FrameType | None) -> NoReturn:
    """On the spot: nothing is begun, and libraries that are half loaded swallow what is raised."""
    _say(number, "nothing was begun")
    os._exit(128 + number)


def _stop(number: int, _: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_DFL)  # who says it twice does not want to wait
    _say(number, "every file that has its name is whole")
    raise SystemExit(128 + number)


def _say(number: int, what: str) -> None:
    words = f"\nstopped ({signal.Signals(number).name}); {what}\n"
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, words.encode())


if __name__ == "__main__":
    run()
