"""What do the commands share?"""

from __future__ import annotations

import json
import math
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import pandas as pd

from pruneviz.measuring.executor import VARIABLE, Workers, read_workers
from pruneviz.options import opening
from pruneviz.progress import CancelledError, Progress
from pruneviz.sources.opening import OpenRequest
from pruneviz.storage.spreadsheets import csv_text
from pruneviz.workbench import Workbench
from pruneviz.workbench.opening import open_workbench

STOPPED = 130  # as a shell counts a program that Ctrl-C has ended
# What ends a command that measures: Ctrl-C, a cancel, and a signal that `pruneviz.__main__` hears.
ENDS = (KeyboardInterrupt, CancelledError, SystemExit)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")


def _workers(_: click.Context, __: click.Parameter, text: str) -> Workers:
    try:
        return read_workers(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


workers_option = click.option(
    "--workers", callback=_workers, default="1", show_default=True, envvar=VARIABLE,
    metavar="N|ray[:ADDRESS]", help="Processes of this machine that measure at once, each with a "
                                    "copy of the network; or Ray, here or at an address.",
)  # fmt: skip


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """What `--csv` asks for; a ClickException names the file that cannot be written."""
    try:
        csv_text(table, path)
    except OSError as error:
        raise click.ClickException(f"--csv {str(path)!r} cannot be written: {error}") from None


def open_bench(values: dict[str, Any]) -> Workbench:
    """The workbench that the options of `opening_options` name; notes go to standard error."""
    with plain_errors():
        bench = open_workbench(what_to_open(values))
    click.get_current_context().call_on_close(bench.close)
    for note in bench.notes:
        click.echo(note, err=True)
    return bench


def what_to_open(values: dict[str, Any]) -> OpenRequest:
    """What the options of `opening_options` say; they are taken out of `values`."""
    try:
        return opening(values)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


@contextmanager
def plain_errors() -> Iterator[None]:
    """What is wrong as one sentence instead of a traceback; the line of progress is wiped."""
    try:
        yield
    except BrokenPipeError:  # nobody reads any more: not the fault of what was asked
        raise
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    finally:
        end_of_progress()


@contextmanager
def stoppable(kept: str) -> Iterator[None]:
    """The same, and whoever stops the command is told what is kept of its work."""
    try:
        with plain_errors():
            yield
    except ENDS as error:
        click.echo(f"Stopped: {kept}", err=True)
        raise SystemExit(exit_code(error)) from None


@contextmanager
def plain_warnings() -> Iterator[None]:
    """Warnings as sentences on standard error, without the line of code that they came from."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RuntimeWarning)
        try:
            yield
        finally:
            end_of_progress()
            for warning in caught:
                click.echo(f"Warning: {warning.message}.", err=True)


def print_json(value: object) -> None:
    """One line of JSON, as strict as JSON is."""
    click.echo(json.dumps(finite(value), ensure_ascii=False, allow_nan=False))


def finite(value: Any) -> Any:
    """The same value with None for every number that JSON has no word for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: finite(one) for name, one in value.items()}
    return [finite(one) for one in value] if isinstance(value, list | tuple) else value


def progress() -> Progress:
    """Tells on standard error what is being done, where somebody sits in front of it."""
    if not sys.stderr.isatty():
        return lambda label, done: None
    return lambda label, done: click.echo(f"\r\033[K{label} … {done:.0%}", nl=False, err=True)


def progress_with_time() -> Progress:
    """Progress with the time that is left, by the pace so far."""
    start, tell = time.monotonic(), progress()

    def say(label: str, done: float) -> None:
        took = time.monotonic() - start
        time_left = f", {took / done - took:.0f} s left" if done > 0 and took > 1 else ""
        tell(f"{label}{time_left}", done)

    return say


def end_of_progress() -> None:
    """Wipes the line that `progress` wrote."""
    if sys.stderr.isatty():
        click.echo("\r\033[K", nl=False, err=True)


def parse_levels(text: str | None, usual: tuple[float, ...]) -> tuple[float, ...]:
    """The sparsities of --levels, or the usual ones."""
    if text is None:
        return usual
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(
            f"takes sparsities such as 0.5,0.9, got {text!r}", param_hint="--levels"
        ) from None


def exit_code(error: BaseException) -> int:
    """What a command ends with that was stopped: 128 + the signal's number."""
    code = error.code if isinstance(error, SystemExit) else None
    return code if isinstance(code, int) else STOPPED
