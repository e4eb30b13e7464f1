"""Is an optional library there, and the network that it downloads from?"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import urllib.error
import urllib.request
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType

from packaging.version import Version

_SECONDS = 5
# Since when a library loads weights without running code; as pyproject.toml asks for.
_SINCE = {"timm": "1.0.26", "transformers": "4.57", "onnx": "1.21"}


def library(name: str) -> ModuleType:
    """The library, imported; ValueError with the reason when it is missing or its import fails."""
    _refuse_old(name)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = (error.name or name).split(".")[0]
        if missing == name:
            raise ValueError(f"{name} is not installed: pip install {name}") from error
        raise ValueError(
            f"{name} is installed, but it needs {missing}: pip install {missing}"
        ) from error
    # A torchvision built for another torch raises RuntimeError while it is imported.
    except Exception as error:
        raise ValueError(broken(name, error)) from error


def broken(name: str, error: BaseException) -> str:
    """The sentence on a library that is there and cannot be imported, with the cure."""
    what = error_line(error)
    if "torchvision" not in what:
        return f"{name} is installed, but importing it fails ({what}); install it again"
    return (
        f"{name} is installed, but importing it fails ({what}): install builds of torch and "
        f"torchvision that belong together ({_builds()}), both with one command: pip install "
        "--force-reinstall torch torchvision, with the same --index-url"
    )


def _builds() -> str:
    here = []
    for name in ("torch", "torchvision"):
        with contextlib.suppress(PackageNotFoundError):
            here.append(f"{name} {version(name)}")
    return " and ".join(here) + " are installed"


def _refuse_old(name: str) -> None:
    """ValueError for a library that is older than this program may use, whoever installed it."""
    if name not in _SINCE:
        return
    with contextlib.suppress(PackageNotFoundError):
        here = version(name)
        if Version(here) < Version(_SINCE[name]):
            raise ValueError(
                f"{name} {here} is installed, and older ones than {_SINCE[name]} may run code "
                f"that is in a file of weights: pip install --upgrade {name}"
            )


def error_line(error: BaseException) -> str:
    """The first line of an error, or of what it was raised from, for a sentence in brackets."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:160]}" if text else type(error).__name__


def reach(host: str, needed_by: str) -> None:
    """ValueError within seconds when the network, or this host on it, cannot be reached."""
    try:
        urllib.request.urlopen(f"https://{host}/", timeout=_SECONDS).close()
    except urllib.error.HTTPError:
        return  # it answered
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{needed_by} is installed, but {host} cannot be reached: "
            "download the weights and pass their file"
        ) from error


def unknown(name: str, prefix: str, names: Iterable[str]) -> ValueError:
    """The error for a name that a library does not know, with the names near to it."""
    near = difflib.get_close_matches(name, list(names), n=5, cutoff=0.5)
    hint = f"; near to it: {', '.join(near)}" if near else ""
    return ValueError(f"{prefix} has no model {name!r}{hint}")
