"""What does one hostile case do at the library, the command line and the upload?"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.hostile.corpus import Case, cases, mark

DOORS = ("library", "command line", "upload")
_SECONDS = 300
# One process for each: its peak is its own, and what it does to itself harms nobody. One process
# loads the libraries; the others are forked from it.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.hostile.doors"])


@dataclass(frozen=True)
class Ran:
    """mib: more memory at the peak than before. said: the sentence, "" where it was taken."""

    case: str
    door: str
    said: str
    mib: float
    seconds: float
    code: bool
    trace: bool


def laid(case: Case, folder: Path) -> list[Path]:
    """The files of a case, written into a folder."""
    for name, data in case.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return [folder / name for name in case.files]


def run(case: Case, door: str, folder: Path) -> Ran:
    """One case at one door, in a process of its own."""
    words = [str(path) for path in laid(case, folder)] or [case.words]
    home = folder if case.kind == "history" else folder / "home"
    out = folder / "said.json"
    process = _FORKS.Process(target=_measured, args=(door, case.kind, words, home, out))
    process.start()
    process.join(_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
    found = {"said": f"exit code {process.exitcode}", "trace": True, "seconds": 0.0, "mib": 0.0}
    if out.exists():
        found = json.loads(out.read_text("utf-8"))
    ran = mark(folder.parent).exists() or mark(folder).exists()
    return Ran(case.name, door, found["said"], found["mib"], found["seconds"], ran, found["trace"])


def _measured(door: str, kind: str, words: list[str], home: Path, out: Path) -> None:
    from tests.hostile import doors

    os.environ["PRUNEVIZ_HOME"] = str(home)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before, start, trace = _peak(), time.monotonic(), False
    try:
        said = doors.DOORS[door](kind, *words)
    except BaseException as error:  # it is what is looked for
        said, trace = f"{type(error).__name__}: {error}", True
    found = {
        "said": said, "trace": trace, "seconds": time.monotonic() - start,
        "mib": (_peak() - before) / 1024,
    }  # fmt: skip
    out.write_text(json.dumps(found), "utf-8")


def _peak() -> int:
    """KiB of memory at the peak, on Linux."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) if found else 0


def doors_of(case: Case) -> tuple[str, ...]:
    """The doors that a case can come through."""
    return DOORS if case.kind in ("weights", "data", "recipe", "words", "folder") else DOORS[:2]


def corpus_table(names: Iterable[str] = ()) -> str:
    """The table of the manual: every case, the dearest of its doors, and what was said."""
    rows = []
    wanted = set(names)
    with tempfile.TemporaryDirectory() as at:
        for number, case in enumerate(cases(Path(at))):
            if wanted and case.name not in wanted:
                continue
            ran = []
            for door in doors_of(case):
                folder = Path(at, f"{number}-{DOORS.index(door)}")
                folder.mkdir()
                ran.append(run(case, door, folder))
            said = next((one.said for one in ran if one.said), "taken")
            said = re.sub(r"/\S+/", "…/", said).replace("|", "\\|").splitlines()[0][:110]
            rows.append(
                f"| {case.name} | {len(ran)} | {sum(one.code for one in ran)} | "
                f"{sum(one.trace for one in ran)} | {max(one.mib for one in ran):,.0f} | "
                f"{max(one.seconds for one in ran):.1f} | {said} |"
            )
            print(rows[-1], file=sys.stderr, flush=True)
    head = "| case | doors | code run | traces | MiB at the peak | seconds | what is said |\n"
    return head + "|---|---:|---:|---:|---:|---:|---|\n" + "\n".join(rows)
