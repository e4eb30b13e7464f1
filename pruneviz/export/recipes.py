"""How does the recipe of a plan come among its files?"""

from __future__ import annotations

from pathlib import Path

from pruneviz.export.proof import Proof
from pruneviz.export.subject import Subject
from pruneviz.recipes import from_yaml, recipe_of, script_of, to_yaml

NAME, SCRIPT = "recipe.yaml", "session.py"


def write_recipe(subject: Subject, folder: Path) -> None:
    """All that it takes to do it again, with what was measured on all validation samples: as a
    text for `pruneviz replay`, and as a program.
    """
    recipe = recipe_of(subject.bench, subject.plan, subject.bench.evaluate(subject.plan))
    (folder / NAME).write_text(to_yaml(recipe), "utf-8")
    (folder / SCRIPT).write_text(script_of(recipe), "utf-8")


def prove_recipe(subject: Subject, folder: Path) -> Proof:
    """Read back: its plan cuts the same masks; what it says is done again by `pruneviz replay`."""
    text = (folder / NAME).read_text("utf-8")
    recipe = from_yaml(text, NAME)
    here = subject.bench.masks(recipe.plan).checksum
    if recipe.masks != here:
        raise ValueError(f"the recipe read back cuts other masks ({here}, not {recipe.masks})")
    compile((folder / SCRIPT).read_text("utf-8"), SCRIPT, "exec")
    return Proof(None, f"{len(text.splitlines())} lines; pruneviz replay does it all again")
