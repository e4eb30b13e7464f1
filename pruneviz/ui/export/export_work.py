"""What has been exported in this session, and what is being?"""

from __future__ import annotations

import shutil
import tempfile
import weakref
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pandas as pd
from torch import nn

from pruneviz.background import Job
from pruneviz.export import FORMATS, ExportResult, FormatResult
from pruneviz.export.pretrained import why_none
from pruneviz.plan import UNITS, Plan
from pruneviz.progress import Progress
from pruneviz.ui.session.page_work import PageWork
from pruneviz.ui.train.training_work import TrainingWork

_SIZES = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


@dataclass
class ExportWork(PageWork):
    """The last export of a session: of `plan` in `formats`.

    place: the folder that holds its files until the next. trainings: of its network.
    """

    page: ClassVar[str] = "Export"

    plan: Plan | None = None
    formats: tuple[str, ...] = ()
    result: ExportResult | None = None
    place: Path | None = None
    trainings: TrainingWork = field(init=False)

    def __post_init__(self) -> None:
        self.trainings = TrainingWork(self.session)


def begin(work: ExportWork, formats: tuple[str, ...]) -> Job:
    """Start writing the plan settled on; files of the export before are gone then."""
    bench, plan = work.session.bench, work.session.settled
    before, place = work.place, Path(tempfile.mkdtemp(prefix="pruneviz-"))
    weakref.finalize(work, shutil.rmtree, place, ignore_errors=True)

    def run(report: Progress) -> None:
        if before is not None:
            shutil.rmtree(before, ignore_errors=True)
        work.result = bench.export(plan, place, formats, report, archive=True)

    work.plan, work.formats, work.place = plan, formats, place
    work.result, work.message, work.job = None, None, Job(run)
    return work.job


def take(work: ExportWork) -> None:
    """Take note of work that has ended."""
    job = work.take_ended()
    if job is None:
        return
    if job.error is not None:
        work.message = f"Nothing was exported: {job.error}"
    elif work.result is None:
        work.message = "Stopped: nothing was written."


def unfit(plan: Plan, network: nn.Module) -> dict[str, str]:
    """Format -> why it can't be made, as far as the plan and the network's class alone tell."""
    reasons = {}
    if plan.is_dense:
        reasons["shrunk"] = "Nothing is cut, so there is nothing to remove."
    elif plan.granularity not in UNITS:
        reasons["shrunk"] = "This plan cuts single weights: only whole units can be removed."
    if why_none(network):
        reasons["transformers"] = f"{why_none(network)}."
    return reasons


def archive_of(work: ExportWork) -> Path | None:
    """The zip of the last export, while it is there."""
    result = work.result
    path = None if result is None or result.archive is None else result.folder / result.archive
    return path if path is not None and zipfile.is_zipfile(path) else None


def table(result: ExportResult) -> pd.DataFrame:
    """What became of each format, as people read it: one row each, those that failed last."""
    rows = sorted(result.written, key=lambda one: one.failed)
    return pd.DataFrame(
        [
            {
                "format": FORMATS[one.format].label,
                "file": one.file or "–",
                "size": "–" if one.failed else size(one.bytes),
                "largest difference": _apart(one),
                "verdict": f"{'✗ not written: ' if one.failed else '✓ '}{one.words}",
            }
            for one in rows
        ]
    )


def size(count: int) -> str:
    """Bytes as people read them."""
    unit = next(((n, word) for n, word in _SIZES if count >= n), None)
    return f"{count:,} B" if unit is None else f"{count / unit[0]:,.1f} {unit[1]}"


def _apart(one: FormatResult) -> str:
    if one.difference is None:
        return "–"
    return "0, bit for bit" if one.difference == 0 else f"{one.difference:.0e}"
