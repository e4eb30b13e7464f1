"""What is in a zip of pictures?"""

from __future__ import annotations

import stat
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from pruneviz import limits
from pruneviz.sources.data.folders import read_folder
from pruneviz.sources.data.labels import LABELS
from pruneviz.sources.data.pictures import SUFFIXES
from pruneviz.sources.data.samples import DataRequest, RawData

_SHOWN = 100  # characters of a name
_SYSTEM = ("__MACOSX", "Thumbs.db", "desktop.ini")  # what systems put beside pictures
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)


def read_archive(path: Path, request: DataRequest) -> RawData:
    """Pictures of a zip, laid out as `read_folder` takes them; one folder around all is left out.

    ValueError: a damaged or encrypted archive, entries that are no pictures, that lead out of the
    archive, or unfold to more than the bounds allow. Nothing is written but pictures and labels,
    into a folder that is gone afterwards.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                for entry in _entries(archive, path.name):
                    archive.extract(entry, folder)
        except limits.OverLimit:
            raise
        except _BROKEN as error:
            raise ValueError(f"{path.name} cannot be read as a zip: {_reason(error)}") from None
        return read_folder(_inner(Path(folder)), request)


def _entries(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """The pictures and labels of an archive, looked at before anything is unfolded.

    An entry never unfolds to more than the archive's directory says: zipfile stops there.
    """
    entries = [entry for entry in archive.infolist() if not _is_beside(entry)]
    limits.check("files", len(entries), f"{name} holds")
    limits.check("data_bytes", sum(entry.file_size for entry in entries), f"{name} unfolds to")
    for entry in entries:
        where = repr(entry.filename[:_SHOWN])
        if _leads_out(entry):
            raise ValueError(f"{name} is refused: {where} in it leads out of the archive")
        if entry.flag_bits & 1:
            raise ValueError(f"{name} is encrypted: save it without a password")
        if not _is_wanted(entry):
            raise ValueError(
                f"{name} holds {where}, which is no picture ({', '.join(SUFFIXES)}); take it out. "
                f"Labels stand in {' or '.join(LABELS)}, or in the names of folders"
            )
    if not entries:
        raise ValueError(f"{name} holds no pictures ({', '.join(SUFFIXES)})")
    return entries


def _is_beside(entry: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(entry.filename).parts
    return entry.is_dir() or any(part in _SYSTEM or _is_hidden(part) for part in parts)


def _is_hidden(part: str) -> bool:
    return part.startswith(".") and not part.startswith("..")


def _leads_out(entry: zipfile.ZipInfo) -> bool:
    name = entry.filename
    path = PurePosixPath(name.replace("\\", "/"))
    link = stat.S_ISLNK(entry.external_attr >> 16)
    return link or path.is_absolute() or ".." in path.parts or name[1:2] == ":"


def _is_wanted(entry: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(entry.filename)
    return path.suffix.lower() in SUFFIXES or path.name.lower() in LABELS


def _inner(folder: Path) -> Path:
    """The folder inside, where it is alone and holds classes or labels: archives often have one."""
    inside = list(folder.iterdir())
    if len(inside) != 1 or not inside[0].is_dir():
        return folder
    below = list(inside[0].iterdir())
    whole = any(each.is_dir() or each.name.lower() in LABELS for each in below)
    return inside[0] if whole else folder


def _reason(error: Exception) -> str:
    text = (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
    return text.strip().splitlines()[0][:_SHOWN].rstrip(".")
