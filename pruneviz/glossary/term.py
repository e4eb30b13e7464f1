"""What does an explanation consist of, and how does it look?"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from pruneviz.glossary.typeset import typeset


@dataclass(frozen=True)
class Term:
    """A word of the field: what it means in plain words, its formula with symbols, its source."""

    title: str
    text: str
    formula: str = ""
    source: str = ""

    def as_dict(self) -> dict[str, str]:
        """Plain values, for the browser."""
        return asdict(self)

    def as_markdown(self) -> str:
        """The term as a tooltip shows it."""
        parts = [f"**{self.title}.** {self.text}"]
        if self.formula:
            parts.append(typeset(self.formula))
        if self.source:
            parts.append(f"*{self.source}*")
        return "\n\n".join(parts)
