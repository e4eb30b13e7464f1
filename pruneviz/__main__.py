"""How does a command begin, and how does it end when it is told to stop?"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from pruneviz.cli import main


def run() -> None:
    """The command line. Ctrl-C, SIGTERM and a terminal that is closed end it as errors do: what
    was half done is taken away. Exits with 128 + the signal's number: 130, 143, 129.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        number = getattr(signal, name, None)
        # What whoever started this has it ignore (nohup, a shell's background) stays ignored.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)
    main(prog_name="pruneviz")


def _stop(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)  # who says it twice does not want to wait
    words = f"\nstopped ({signal.Signals(number).name}); every file that has its name is whole\n"
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, words.encode())
    raise SystemExit(128 + number)


if __name__ == "__main__":
    run()
