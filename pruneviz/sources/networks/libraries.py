"""Is an optional library there, and the network that it downloads from?"""

from __future__ import annotations

import difflib
import importlib
import urllib.error
import urllib.request
from collections.abc import Iterable
from types import ModuleType

_SECONDS = 5


def library(name: str) -> ModuleType:
    """The library, imported; ValueError with the reason when it is missing or its import fails."""
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
        raise ValueError(
            f"{name} is installed, but importing it fails ({said(error)}); "
            "install builds of torch and torchvision that belong together"
        ) from error


def said(error: BaseException) -> str:
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


def unknown(name: str, prefix: str, known: Iterable[str]) -> ValueError:
    """The error for a name that a library does not know, with the names near to it."""
    near = difflib.get_close_matches(name, list(known), n=5, cutoff=0.5)
    hint = f"; near to it: {', '.join(near)}" if near else ""
    return ValueError(f"{prefix} has no model {name!r}{hint}")
