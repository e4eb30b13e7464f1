"""How does a file come in through each of the doors?"""

from __future__ import annotations

import contextlib
import importlib
from pathlib import Path

from click.testing import CliRunner

import pruneviz as pv
from pruneviz.cli import main
from pruneviz.history import History, ModelVersion
from pruneviz.plan import Plan
from pruneviz.recipes import recipe_dropped
from pruneviz.sources.upload import open_upload
from pruneviz.storage.faults import public, sentence
from tests import optional


def library(kind: str, given: str, *more: str) -> str:
    """What Python code would be told."""
    try:
        return _in_python(kind, Path(given), given)
    except (ValueError, OSError) as error:
        return sentence(error)


def command_line(kind: str, given: str, *more: str) -> str:
    """What stands in the terminal; a trace is raised, so that it shows."""
    folder = f"hf:{Path(given).parent}"
    words = {
        "weights": ["layers", given, "--arch", "sample:lenet5"],
        "data": ["cost", "lenet5", "--data", given],
        "table": ["cost", "lenet5", "--data", given],
        "folder": ["layers", folder],
        "recipe": ["replay", given],
        "history": ["settings"],
        "onnx": ["layers", given],
        "words": ["layers", given],
    }[kind]
    found = CliRunner().invoke(main, words)
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.output.strip().splitlines()[-1] if found.exit_code else ""


def upload(kind: str, given: str, *more: str) -> str:
    """What the browser would show."""
    path = Path(given)
    try:
        if kind == "weights":
            open_upload(path.read_bytes(), path.name, "sample:lenet5")
        elif kind == "data":
            open_upload(None, "", "sample:lenet5", path.read_bytes(), path.name)
        elif kind == "recipe":
            recipe_dropped(path.read_bytes(), path.name)
        else:
            open_upload(None, "", f"hf:{path.parent}" if kind == "folder" else given)
    except Exception as error:
        return public(error)
    return ""


def _in_python(kind: str, path: Path, words: str) -> str:
    if kind == "weights":
        pv.open(str(path), arch="sample:lenet5")
    elif kind in ("data", "table"):
        pv.open("lenet5", str(path))
    elif kind == "folder":
        pv.open(f"hf:{path.parent}")
    elif kind == "recipe":
        recipe_dropped(path.read_bytes(), path.name)
    elif kind == "history":
        history = History(path.parent)
        history.visit(ModelVersion("a", "b", "c"), Plan())
        return history.complaint or ""
    else:
        pv.open(words)
    return ""


optional._define_operators()
for _name in ("transformers", "timm", "onnx"):
    with contextlib.suppress(ImportError, RuntimeError):
        importlib.import_module(_name)
DOORS = {"library": library, "command line": command_line, "upload": upload}
