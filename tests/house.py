"""Which files, names and imports has the house?"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILES = sorted(path for path in (ROOT / "pruneviz").rglob("*.py"))


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, anywhere in it, by its full name."""
    here = module_of(path).split(".")
    package = here if path.name == "__init__.py" else here[:-1]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{name}.{alias.name}"
                yield inner if inner in MODULES else name


def outside(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


def inside(path: Path) -> set[str]:
    return {name for name in imports(path) if name.split(".")[0] == "pruneviz"}


def within(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def none(breaches: Iterable[str]) -> None:
    """A rule is one test, which says everything that breaks it."""
    said = list(breaches)
    assert not said, "\n".join(said)


def importers(library: str, room: str = "") -> Iterator[str]:
    """A complaint for each file that imports a library, save those within a room."""
    for path in FILES:
        if library in outside(path) and not (room and within(module_of(path), room)):
            yield f"{named(path)} imports {library}"
