"""What does the user's own code build?"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from torch import nn


def build_by_name(name: str, call: bool = True) -> object:
    """What `package.module:build` gives: the object of that name, called if it is a function.

    A network is given as it is. call=False gives the function itself.

    The module is looked for where Python looks, and in the folder one stands in, which stays on
    sys.path as with `python -m`. It runs the user's code: for the local command line and the
    library only, never for a name that came through a browser.
    Raises ValueError naming the module that is not there, the attribute that is not in it, or
    what went wrong when it was imported or called.
    """
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute or not all(part.isidentifier() for part in _parts(name)):
        raise ValueError(f"own code is named as package.module:function, got {name!r}")
    value: object = _module(module_name, name)
    for part in attribute.split("."):
        if not hasattr(value, part):
            raise ValueError(f"{name!r}: {module_name} has no {part!r}; check its spelling")
        value = getattr(value, part)
    if call and callable(value) and not isinstance(value, nn.Module):
        try:
            value = value()
        # Whatever the user's code raises, and sys.exit() too, is said in one sentence.
        except (Exception, SystemExit) as error:
            raise ValueError(
                f"{name!r}, called without arguments, raised {_error_text(error)}"
            ) from error
    if value is None:
        raise ValueError(f"{name!r} returned None; it must return what it builds")
    return value


def module_by_name(name: str) -> nn.Module:
    """As `build_by_name`, for a network; ValueError when it is none."""
    value = build_by_name(name)
    if not isinstance(value, nn.Module):
        raise ValueError(f"{name!r} gave {type(value).__name__}, not an nn.Module")
    return value


def _parts(name: str) -> list[str]:
    return name.replace(":", ".").split(".")


def _module(module_name: str, name: str) -> object:
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and f"{module_name}.".startswith(f"{error.name}."):
            raise ValueError(
                f"{name!r}: there is no module {error.name!r} in {here} or on Python's path"
            ) from error
        raise ValueError(
            f"{name!r}: importing {module_name} raised {_error_text(error)}"
        ) from error
    except (Exception, SystemExit) as error:
        raise ValueError(
            f"{name!r}: importing {module_name} raised {_error_text(error)}"
        ) from error


def _error_text(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
