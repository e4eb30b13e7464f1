"""What does each word and number on the screen mean?"""

from __future__ import annotations

from pruneviz.glossary.settings import SETTINGS
from pruneviz.glossary.term import Term
from pruneviz.glossary.terms import TERMS
from pruneviz.plan import pattern
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.pruning.granularity import GRANULARITIES
from pruneviz.pruning.repair import REPAIRS

__all__ = (
    "SETTINGS",
    "TERMS",
    "Term",
    "all_terms",
    "as_page",
    "criterion_term",
    "granularity_term",
    "help_on",
    "repair_term",
)


def all_terms() -> dict[str, list[Term]]:
    """Every word that is explained, by what it belongs to, each list by the alphabet."""
    groups = {
        "Words and numbers": [*TERMS.values(), *SETTINGS.values()],
        "Criteria": map(criterion_term, CRITERIA),
        "Granularities": map(granularity_term, GRANULARITIES),
        "Repairs": map(repair_term, REPAIRS),
    }
    return {
        name: sorted(terms, key=lambda term: term.title.lower()) for name, terms in groups.items()
    }


def as_page() -> str:
    """All of them as a page of the manual, in Markdown."""
    parts = ["# Glossary"]
    for name, terms in all_terms().items():
        parts += [f"## {name}", *(term.as_markdown() for term in terms)]
    return "\n\n".join(parts)


def help_on(*names: str) -> str:
    """What these words mean, as the "?" of a widget shows it; names: of TERMS or SETTINGS."""
    terms = [TERMS[name] if name in TERMS else SETTINGS[name] for name in names]
    return "\n\n---\n".join(term.as_markdown() for term in terms)


def criterion_term(name: str) -> Term:
    """The criterion's own words: meaning, formula with its symbols, source."""
    criterion = CRITERIA[name]
    text = " ".join(criterion.meaning.split())
    return Term(
        criterion.label, text, f"{criterion.formula};  {criterion.symbols}", criterion.source
    )


def granularity_term(name: str) -> Term:
    """What the unit that is cut means; any N:M pattern has the words of the first."""
    granularity = GRANULARITIES["2:4" if pattern(name) else name]
    return Term(granularity.label, granularity.meaning, granularity.formula, granularity.source)


def repair_term(name: str) -> Term:
    """What a repair without training does: meaning, formula, source."""
    repair = REPAIRS[name]
    return Term(repair.label, repair.meaning, repair.formula, repair.source)
