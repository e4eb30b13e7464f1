"""How does a command have a folder that is erased once it has ended, however that came about?"""

# Run as a script, in a process of its own beside the command: it takes 10 MB, and needs nothing
# of pruneviz.
from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile

PREFIX = "pruneviz-class-"


def main(variable: str, command: list[str]) -> int:
    """Run the command, pass on what asks it to end, erase the folder; its exit status.

    variable: of the environment, that tells the command where the folder is.
    """
    folder = tempfile.mkdtemp(prefix=PREFIX)
    processes: list[subprocess.Popen[bytes]] = []

    def pass_on(*_: object) -> None:
        for each in processes:
            each.terminate()

    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), pass_on)
    try:
        processes.append(subprocess.Popen(command, env={**os.environ, variable: folder}))
        return processes[0].wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], sys.argv[2:]))
