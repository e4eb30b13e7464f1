"""Which pages does the manual have?"""

from __future__ import annotations

import re
from pathlib import Path

from pruneviz.glossary import as_page

FOLDER = Path(__file__).parents[1] / "manual"
# In the order in which a newcomer meets them; what is not named here comes last.
_ORDER = (
    "workbench",
    "learn",
    "glossary",
    "criteria",
    "removing",
    "depth",
    "sensitivity",
    "allocation",
    "training",
    "cost",
)
_LINK = re.compile(r"\[([^\]]+)\]\((\w+)\.md(?:#[\w-]+)?\)")


def topics() -> dict[str, str]:
    """The text of every page of the manual by its address."""
    pages = {page.stem: page.read_text("utf-8") for page in sorted(FOLDER.glob("*.md"))}
    pages["glossary"] = as_page()
    first = [name for name in _ORDER if name in pages]
    return {name: pages[name] for name in dict.fromkeys((*first, *pages))}


def title(page: str) -> str:
    """The heading that a page begins with."""
    return page.partition("\n")[0].removeprefix("# ")


def app_text(page: str) -> str:
    """The page as the app shows it: links to others lead to their addresses."""
    return _LINK.sub(r"[\1](?topic=\2)", page)
