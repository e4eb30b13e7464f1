"""How does a plan become files that are proved, or stay as it was?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from pruneviz.export.files import check_free, disk_trouble, in_words, pack_zip, place, staging
from pruneviz.export.formats import DEFAULT, FORMATS, check_formats
from pruneviz.export.subject import Subject, subject_of
from pruneviz.measuring.bench import Bench
from pruneviz.measuring.reasons import reason
from pruneviz.memory import trim
from pruneviz.plan import Plan
from pruneviz.progress import Progress, silent

SUMMARY = "export.json"


@dataclass(frozen=True)
class FormatResult:
    """What became of one format.

    file: the main one, "" where there is none; bytes: of it, with weights beside it. files: all.
    difference: the largest between the answers of what was read back and those on the screen,
    relative to the largest answer; None where nothing answers. words: what was proved, or why
    there is nothing.
    """

    format: str
    file: str
    files: tuple[str, ...]
    bytes: int
    difference: float | None
    words: str

    @property
    def failed(self) -> bool:
        """Whether it could not be made."""
        return not self.file


@dataclass(frozen=True)
class ExportResult:
    """folder: where the files are. archive: the zip with all of them, if it was wanted. notes:
    sentences on what of the plan is in no file: units that can only be masked, repairs left out.
    """

    folder: Path
    written: tuple[FormatResult, ...]
    archive: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> dict[str, str]:
        """Format -> why it could not be made."""
        return {one.format: one.words for one in self.written if one.failed}

    @property
    def table(self) -> pd.DataFrame:
        """One row a format: format, file, bytes, difference (NaN where nothing answers), words."""
        columns = ["format", "file", "bytes", "difference", "words"]
        table = pd.DataFrame([asdict(one) for one in self.written])[columns]
        return table.astype({"difference": float})

    def as_dict(self) -> dict[str, object]:
        """Plain values, as JSON can hold them."""
        rows = [asdict(one) | {"failed": one.failed} for one in self.written]
        return {
            "folder": str(self.folder),
            "archive": self.archive,
            "notes": list(self.notes),
            "written": rows,
        }


def export(
    bench: Bench,
    plan: Plan,
    folder: str | Path,
    formats: Iterable[str] = DEFAULT,
    progress: Progress = silent,
    *,
    overwrite: bool = False,
    archive: bool = False,
) -> ExportResult:
    """Write `plan` into `folder` in these formats (of FORMATS), each read back and compared.

    A format that cannot be made has its reason in the result, the others still come; a file that
    answers otherwise is never written. Files get their names when all are ready: what stops it
    before (also `progress`, which may raise) leaves the folder as it was. A summary, export.json,
    lies beside them; archive: also all in one zip.
    Raises ValueError for a format that is not there or a plan that does not fit, FileExistsError
    where files are there and `overwrite` is not said, OSError in a sentence for a full or closed
    disk.
    """
    names, folder = check_formats(formats), Path(folder).expanduser()
    zip_name = f"{stem(bench.source.name)}.zip" if archive else None
    forms = [FORMATS[name] for name in names]
    files = [name for form in forms for name in (*form.files, *form.beside)]
    with in_words(folder):
        check_free(
            folder, [*files, SUMMARY, *([zip_name] if zip_name else [])], overwrite=overwrite
        )
    progress("pruning", 0.0)
    watch = _Watch(progress, len(names))
    subject = subject_of(bench, plan, watch.report)
    results = []
    with staging(folder) as stage:
        for at, name in enumerate(names):
            watch.label, watch.place = FORMATS[name].label, at
            watch.report(0.0)
            results.append(_one(name, subject, stage, folder, watch))
            trim()
        ready = [name for one in results for name in one.files]
        if ready:
            _summary(subject, results, stage)
            ready.append(SUMMARY)
        if ready and zip_name:
            pack_zip(stage, zip_name, ready, lambda done: progress("zip", done))
            ready.insert(0, zip_name)  # the summary comes last: it vouches for the others
        progress("in place", 1.0)
        check_free(folder, ready, overwrite=overwrite)
        place(stage, folder, ready)
    notes = (*subject.pruned.stay.values(), *subject.pruned.notes)
    return ExportResult(folder, tuple(results), zip_name if ready else None, notes)


@dataclass
class _Watch:
    """Tells how far the formats are; stopped: what `progress` raised to stop it all."""

    progress: Progress
    formats: int
    label: str = ""
    place: int = 0
    stopped: BaseException | None = None

    def report(self, done: float) -> None:
        try:
            self.progress(self.label, (self.place + min(done, 1.0)) / self.formats)
        except BaseException as error:
            self.stopped = error
            raise


def _one(name: str, subject: Subject, stage: Path, folder: Path, watch: _Watch) -> FormatResult:
    form = FORMATS[name]
    try:
        form.write(subject, stage)
        subject.report(0.5)
        proof = form.prove(subject, stage)
    except Exception as error:  # exporters raise whatever they like; the other formats still come
        if watch.stopped is not None:
            raise watch.stopped from None
        trouble = disk_trouble(error, folder)
        if trouble is not None:
            raise trouble from None
        for file in (*form.files, *form.beside):
            (stage / file).unlink(missing_ok=True)
        return FormatResult(name, "", (), 0, None, reason(error))
    files = form.files_in(stage)
    main = (files[0], *files[len(form.files) :])
    size = sum((stage / file).stat().st_size for file in main)
    return FormatResult(name, files[0], files, size, proof.difference, proof.words)


def _summary(subject: Subject, results: list[FormatResult], stage: Path) -> None:
    """What lies beside it, and how it was proved."""
    rows = [
        asdict(one) | {"sha256": {file: _digest(stage / file) for file in one.files}}
        for one in results
    ]
    content = {
        "pruneviz": version("pruneviz"),
        "network": subject.bench.source.name,
        "weights": subject.bench.fingerprint,
        "plan": subject.plan.as_dict(),
        "samples": subject.samples,
        "masked_only": subject.pruned.stay,
        "formats": rows,
    }
    (stage / SUMMARY).write_text(f"{json.dumps(content, indent=1)}\n", "utf-8")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stem(name: str) -> str:
    """A network's name as part of a file's."""
    plain = "".join(char if char.isalnum() or char in "._-" else "-" for char in name)
    return plain.strip(".-") or "network"
