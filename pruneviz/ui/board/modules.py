"""How do the board's ES modules become the one module that Streamlit takes?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

__all__ = ["one_module"]

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) (\w+))", re.MULTILINE)
_DEFAULT = re.compile(r"^export default (?=function (\w+))", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def one_module(folder: Path, entry: str) -> str:
    """The module `entry` of a folder with all that it imports, as the text of one ES module.

    Each file becomes a function that is called once and returns what the file exports, so its
    other names stay its own. The board's files need no more of ES modules than `import { a, b }
    from "./file.js"` and `export` before a function, a constant or a class; `entry` alone has an
    `export default function`.

    Raises
    ------
    ValueError
        Where a file has another kind of import or export, asks for what its neighbour does not
        export, or where files import each other in a circle.
    FileNotFoundError
        Where a file that is imported is not there.
    """
    sources = _module_texts(folder, entry)
    needs = {name: [m[2] for m in _IMPORT.finditer(text)] for name, text in sources.items()}
    try:
        order = list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        circle = " → ".join(f"{name}.js" for name in reversed(error.args[1]))
        raise ValueError(f"these modules import each other in a circle: {circle}") from error
    exports = {name: _EXPORT.findall(text) for name, text in sources.items()}
    parts = [_wrap(name, sources[name], exports) for name in order]
    main = _DEFAULT.search(sources[entry])
    if main is None:
        raise ValueError(f"{entry}.js has no `export default function`")
    return "\n".join([*parts, f"export default ${entry}.{main[1]};\n"])


def _module_texts(folder: Path, entry: str) -> dict[str, str]:
    """File name -> text of a module and all that it imports."""
    sources: dict[str, str] = {}
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name not in sources:
            sources[name] = (folder / f"{name}.js").read_text("utf-8")
            waiting += [found[2] for found in _IMPORT.finditer(sources[name])]
    return sources


def _wrap(name: str, text: str, exports: Mapping[str, list[str]]) -> str:
    for found in _IMPORT.finditer(text):
        for wanted in _names(found[1]):
            if wanted not in exports[found[2]]:
                raise ValueError(f"{name}.js imports {wanted!r}, which {found[2]}.js lacks")
    default = _DEFAULT.findall(text)
    text = _IMPORT.sub(lambda m: f"const {{{m[1]}}} = ${m[2]};\n", text)
    text = _DEFAULT.sub("", _EXPORT.sub("", text))
    if other := _OTHER.search(text):
        raise ValueError(f"{name}.js: this kind of line cannot be joined: {other[0]}")
    given = ", ".join([*exports[name], *default])
    return f"const ${name} = (() => {{ {text}return {{ {given} }};\n}})();"


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
