"""Which models do installed packages offer by name?"""

from __future__ import annotations

from importlib.metadata import entry_points

from pruneviz.sources import Source

GROUP = "pruneviz.models"


def registered_names() -> tuple[str, ...]:
    """Names of all models registered under the entry-point group, sorted."""
    return tuple(sorted(entry_points(group=GROUP).names))


def load_registered(name: str) -> Source:
    """The model registered under `name`; ValueError lists the names there are."""
    entries = list(entry_points(group=GROUP, name=name))
    if not entries:
        names = ", ".join(registered_names()) or "none (is pruneviz installed with pip?)"
        raise ValueError(f"unknown model {name!r}; registered are {names}")
    source = entries[0].load()()
    if not isinstance(source, Source):
        raise ValueError(
            f"model {name!r} is registered as {entries[0].value}, which returns "
            f"{type(source).__name__}, not a pruneviz.sources.Source"
        )
    return source
