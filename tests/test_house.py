"""Do the walls and floors of the house stand?"""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Iterator
from pathlib import Path

import pytest

from pruneviz.pruning.criteria import CRITERIA
from tests.house import FILES, MODULES, ROOT, importers, inside, named, none, outside, tree

TOP = {"README.md", "app.py", "pruneviz", "pyproject.toml", "sample_models", "tests"}
LINES, FUNCTION_LINES = 300, 50  # of a function without its docstring

# A class is a noun. Its last word is no participle, but for nouns of the field that look like one.
NOUNS = {"coupling", "drawing", "need", "ranking", "timing", "training"}
PUBLIC = {"Pruned", "Trained"}

# So is a function, or a verb; a property may say a state, and these are nouns or verbs.
ACTS = {
    *("beginning", "coupling", "cut", "embedding", "feed", "heading", "mapping", "matching"),
    *("need", "nothing", "opening", "padding", "ranked", "ranking", "scaling", "staging"),
    *("succeed", "ticking", "timing"),
}
IRREGULAR = {
    *("cut", "found", "gone", "given", "held", "kept", "known", "left", "lost", "made", "met"),
    *("said", "seen", "sent", "shown", "spent", "taken", "told", "written"),
}


# The floors, lowest first. An import leads to a lower floor, or stays within its own room.
FLOORS = (
    (
        "plan",
        "scale",
        "data",
        "outputs",
        "language",
        "storage",
        "cores",
        "memory",
        "limits",
        "progress",
        "gate",
    ),
    ("turns",),
    ("background",),
    ("tasks", "figures"),
    ("network",),
    ("pruning", "sources"),
    ("measuring", "glossary"),
    ("sensitivity",),
    ("allocation",),
    ("comparison", "training"),
    ("recipes", "history"),
    ("export",),
    ("workbench",),
    ("report", "lessons"),
    ("classroom",),
    ("face",),
    ("",),  # the public face
    ("options",),
    ("cli", "ui"),
    ("__main__",),
)


def floor(module: str) -> tuple[int, str]:
    """(number, room) of a module: the folder it lies in, or the file itself."""
    room = module.partition(".")[2].partition(".")[0]
    for number, rooms in enumerate(FLOORS):
        if room in rooms:
            return number, room
    pytest.fail(f"{module} stands on no floor: add {room!r} to FLOORS in tests/test_house.py")


# -- walls ---------------------------------------------------------------------------------


def test_only_ui_imports_streamlit() -> None:
    none(importers("streamlit", "pruneviz.ui"))


def test_only_figures_imports_plotly() -> None:
    none(importers("plotly", "pruneviz.figures"))


def test_only_tests_import_torch_pruning() -> None:
    none(importers("torch_pruning"))


def test_sample_models_are_reached_as_anybodys() -> None:
    none(importers("sample_models"))


@pytest.mark.parametrize("module", ["pruneviz.plan", "pruneviz.figures"])
def test_plan_and_figures_never_import_torch(module: str) -> None:
    if module not in MODULES:
        pytest.fail(f"{module} is not there yet")
    waiting, seen = [module], set()
    while waiting:
        name = waiting.pop()
        if name in seen or name == "pruneviz":
            continue
        seen.add(name)
        assert "torch" not in outside(MODULES[name]), f"{module} reaches torch through {name}"
        waiting += inside(MODULES[name])


def test_the_app_is_a_table_of_contents() -> None:
    app = ROOT / "app.py"
    assert app.exists(), "app.py is not there yet"
    tree = ast.parse(app.read_text(encoding="utf-8"))
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    assert not [node for node in ast.walk(tree) if isinstance(node, kinds)]
    assert outside(app) <= {"__future__", "streamlit", "pruneviz"}


# -- floors --------------------------------------------------------------------------------


def test_imports_only_run_downwards() -> None:
    none(upwards())


def upwards() -> Iterator[str]:
    for module, path in MODULES.items():
        here, room = floor(module)
        for name in inside(path):
            there, other = floor(name)
            if there >= here and other != room:
                yield f"{module} imports {name}, which is not below it"


def test_every_name_on_a_floor_is_there() -> None:
    rooms = [room for rooms in FLOORS for room in rooms]
    there = {module.partition(".")[2].partition(".")[0] for module in MODULES}
    none(f"{room} stands on a floor and is not there" for room in rooms if room not in there)
    assert len(set(rooms)) == len(rooms)


def test_no_imports_go_in_circles() -> None:
    graph = {name: inside(path) & set(MODULES) - {name} for name, path in MODULES.items()}
    while graph:
        leaves = {name for name, needs in graph.items() if not needs & set(graph)}
        assert leaves, f"these import each other in a circle: {sorted(graph)}"
        graph = {name: needs for name, needs in graph.items() if name not in leaves}


# -- style ---------------------------------------------------------------------------------


def test_a_file_opens_with_one_sentence() -> None:
    none(openings())


def openings() -> Iterator[str]:
    for path in FILES:
        text = ast.get_docstring(tree(path)) or ""
        if not re.fullmatch(r"[A-Z`\"'][^\n]*[?.]", text):
            yield f"{named(path)} opens with {text!r}"
        elif re.search(r"[?!.]\s+[A-Z]", text):
            yield f"{named(path)} opens with two sentences, not one: {text!r}"


def test_a_file_is_no_longer_than_a_room() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    none(
        f"{named(path)} has {lines} lines: probably two rooms"
        for path, lines in lengths.items()
        if lines > LINES
    )


def test_no_two_test_files_share_a_name() -> None:
    """pytest knows the files of folders that are no packages by their names alone."""
    paths: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        paths.setdefault(path.name, []).append(named(path))
    none(" and ".join(each) for each in paths.values() if len(each) > 1)


def test_a_function_does_one_thing() -> None:
    none(long_functions())


def long_functions() -> Iterator[str]:
    for path in FILES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if ast.get_docstring(node) is not None:
                    length -= (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
                if length > FUNCTION_LINES:
                    yield f"{node.name} in {named(path)} has {length} lines"


def classes() -> Iterator[tuple[str, Path]]:
    for path in FILES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef):
                yield node.name, path


def test_no_two_classes_share_a_name() -> None:
    places: dict[str, list[str]] = {}
    for name, path in classes():
        places.setdefault(name, []).append(named(path))
    none(f"{name} is in {', '.join(files)}" for name, files in places.items() if len(files) > 1)


def test_a_class_is_a_noun() -> None:
    none(
        f"{name} in {named(path)} is a participle: call it by what it is"
        for name, path in classes()
        if name not in PUBLIC and is_participle(name)
    )


def is_participle(name: str) -> bool:
    last = re.findall(r"[A-Z][a-z0-9]*", name)[-1].lower()
    return last not in NOUNS and (last in IRREGULAR or last.endswith(("ed", "ing")))


def test_a_function_is_a_verb_or_a_noun() -> None:
    none(
        f"{name} in {named(path)} is a participle: call it by what it does or returns"
        for name, path in functions()
        if name not in ACTS and (name in IRREGULAR or re.fullmatch("[a-z]+(ed|ing)", name))
    )


def functions() -> Iterator[tuple[str, Path]]:
    """(name without underscores, file) of each that is no property."""
    for path in FILES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                marks = {ast.unparse(mark) for mark in node.decorator_list}
                if not marks & {"property", "cached_property"}:
                    yield node.name.strip("_"), path


def test_no_local_name_hides_one_of_its_file() -> None:
    none(hiding_names())


def hiding_names() -> Iterator[str]:
    for path in FILES:
        table = symtable.symtable(path.read_text(encoding="utf-8"), str(path), "exec")
        top = {each.get_name() for each in table.get_symbols() if each.is_local()} - {"_"}
        for scope in scopes(table):
            for symbol in scope.get_symbols() if scope.get_type() == "function" else ():
                if symbol.is_local() and symbol.get_name() in top:
                    yield f"{symbol.get_name()} in {scope.get_name()} of {named(path)}"


def scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from scopes(child)


def test_every_criterion_is_in_the_readme() -> None:
    readme = ROOT / "README.md"
    assert readme.exists(), "README.md is not there yet: it must list every criterion"
    rows = [line for line in readme.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    none(
        f"no row of README.md has `{name}`"
        for name in CRITERIA
        if not any(f"`{name}`" in row for row in rows)
    )


def test_the_top_level_is_as_it_was_agreed() -> None:
    made = ("build", "dist", "__pycache__")
    there = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    none(
        f"{name} stands at the top level: it belongs into a folder, or begins with a dot"
        for name in sorted(there - TOP)
        if name not in made and not name.endswith(".egg-info")
    )
    assert there >= TOP
