"""How do files come into a folder whole or not at all?"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from pruneviz.progress import ShareDone

try:
    import fcntl
except ImportError:  # Windows; there an open file can't be deleted, which does as well
    fcntl = None  # type: ignore[assignment]

_PREFIX, _LOCK, _MOMENT = ".pruneviz-", "lock", 60
_PIECE = 2**22
_ALWAYS = (1980, 1, 1, 0, 0, 0)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextlib.contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """A place inside `folder` to make files ready in; it is gone afterwards, whatever happens.

    `folder` is made where it is missing. What an export that was killed has left is cleared away
    first. OSError says in a sentence why nothing can be written there.
    """
    with in_words(folder):
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)
        stage = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=folder))
    try:
        with in_words(folder), (stage / _LOCK).open("wb") as lock:
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Clear away the stages of processes that are no more; those at work hold a lock."""
    for stage in folder.glob(f"{_PREFIX}*"):
        if _is_abandoned(stage):
            shutil.rmtree(stage, ignore_errors=True)


def _is_abandoned(stage: Path) -> bool:
    try:
        with (stage / _LOCK).open("rb+") as lock:
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    except FileNotFoundError:  # killed before its lock, or this moment about to take it
        with contextlib.suppress(OSError):
            return time.time() - stage.stat().st_mtime > _MOMENT
        return False
    except OSError:
        return False


def check_free(folder: Path, names: Sequence[str], *, overwrite: bool) -> None:
    """FileExistsError naming what is there already and may not be written over."""
    there = [name for name in names if (folder / name).is_dir()]
    if there:
        raise FileExistsError(f"{there[0]} in {folder} is a folder; a file is to stand there")
    there = [name for name in names if (folder / name).exists()]
    if there and not overwrite:
        raise FileExistsError(
            f"{', '.join(there)} {'is' if len(there) == 1 else 'are'} in {folder} already; "
            "choose another folder, or write over with overwrite=True (--force)"
        )


def place(stage: Path, folder: Path, names: Sequence[str]) -> None:
    """Give files of the stage their names in `folder`, safe on the disk before that."""
    for name in names:
        _sync(stage / name)
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (stage / name).replace(folder / name)
    _sync(folder)


def copy_program(name: str, folder: Path) -> None:
    """Put one of the programs that stand alone beside the files that it reads."""
    program = Path(__file__).with_name("standalone") / name
    (folder / name).write_text(program.read_text("utf-8"), "utf-8")


def pack_zip(stage: Path, archive: str, names: Sequence[str], report: ShareDone) -> None:
    """All files of the stage in one archive beside them."""
    with ZipFile(stage / archive, "w") as file:
        for count, name in enumerate(names):
            report(count / len(names))
            info = ZipInfo.from_file(stage / name, name)
            info.date_time, info.compress_type = _ALWAYS, ZIP_DEFLATED  # same plan, same bytes
            with (stage / name).open("rb") as source, file.open(info, "w") as target:
                shutil.copyfileobj(source, target, _PIECE)


@contextlib.contextmanager
def in_words(folder: Path) -> Iterator[None]:
    """What goes wrong with the disk, as a sentence of `disk_trouble`."""
    try:
        yield
    except OSError as error:
        raise disk_trouble(error, folder) or error from None


def disk_trouble(error: BaseException | None, folder: Path) -> OSError | None:
    """The sentence on a full disk or a closed folder behind an error; None for all others."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return OSError(f"no room is left for files in {folder}; what was there is as it was")
        if isinstance(error, OSError) and error.errno in _CLOSED:
            return OSError(f"nothing may be written in {folder}: {error.strerror}; choose another")
        if isinstance(error, FileExistsError | NotADirectoryError) and error.errno is not None:
            return OSError(f"{folder} is no folder, or lies in a file; choose another")
        error = error.__cause__ or error.__context__
    return None


def _sync(path: Path) -> None:
    # A folder can't be synced on Windows, and need not be.
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
