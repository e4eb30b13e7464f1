"""Do docstrings tell the truth: are the fields there that they name, do their examples run?"""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

import pruneviz
from tests.cases import slow_but

ROOT = Path(pruneviz.__file__).parent
# "field: what it is" or "field, field: what they are", where a sentence begins
_FIELDS = re.compile(r"(?:^|(?<=[.;] ))([a-z_]\w*(?:, [a-z_]\w*)*): ")


def classes() -> Iterator[tuple[str, ast.ClassDef, set[str]]]:
    """Each class with the names it has, those of its bases in the same file among them."""
    for path in ROOT.rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text("utf-8")))
        known = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}
        for node in known.values():
            yield path.name, node, names(node, known)


def names(node: ast.ClassDef, known: dict[str, ast.ClassDef]) -> set[str]:
    found: set[str] = set()
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id in known:
            found |= names(known[base.id], known)
    for part in ast.walk(node):
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            found.add(part.target.id)
        elif isinstance(part, ast.Attribute):
            found.add(part.attr)
        elif isinstance(part, ast.FunctionDef):
            found |= {part.name, *(word.arg for word in part.args.args + part.args.kwonlyargs)}
    return found


def test_every_field_that_a_docstring_names_is_there() -> None:
    wrong, seen = [], 0
    for file, node, there in classes():
        for match in _FIELDS.finditer(" ".join((ast.get_docstring(node) or "").split())):
            named = match[1].split(", ")
            seen += len(named)
            wrong += [f"{file}: {node.name} has no {name!r}" for name in named if name not in there]
    assert not wrong, "\n".join(wrong)
    assert seen > 200, "the docstrings say it in another way now: this test reads nothing"


@pytest.mark.parametrize(
    "name",
    # A ledger exports to ONNX and times what it measures.
    slow_but(lambda name: name != "Cost", sorted(set(pruneviz.__all__) - {"CRITERIA"})),
)
def test_every_public_name_has_an_example_that_runs(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"pv": pruneviz, "torch": torch, "nn": nn}
    thing = getattr(pruneviz, name)
    text = thing.__doc__ or ""
    assert ">>> " in text, f"pruneviz.{name} shows no example in its docstring"
    example = doctest.DocTestParser().get_doctest(text, given, name, None, None)
    result = doctest.DocTestRunner(verbose=False).run(example)
    assert result.failed == 0, capsys.readouterr().out


def test_the_table_of_criteria_is_in_an_example() -> None:
    assert "pv.CRITERIA" in (pruneviz.criterion.__doc__ or "")
