"""Which pages does the manual have?"""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "manual"
# In the order in which a newcomer meets them; what is not named here comes last.
_ORDER = ("workbench", "criteria", "removing", "sensitivity", "allocation", "training", "cost")
_LINK = re.compile(r"\[([^\]]+)\]\((\w+)\.md\)")


def topics() -> dict[str, Path]:
    """Every page of the manual by its address."""
    names = sorted(page.stem for page in FOLDER.glob("*.md"))
    first = [name for name in _ORDER if name in names]
    return {name: FOLDER / f"{name}.md" for name in dict.fromkeys((*first, *names))}


def title(page: Path) -> str:
    """The heading that a page begins with."""
    return page.read_text("utf-8").partition("\n")[0].removeprefix("# ")


def app_text(page: Path) -> str:
    """The page as the app shows it: links to others lead to their addresses."""
    return _LINK.sub(r"[\1](?topic=\2)", page.read_text("utf-8"))
