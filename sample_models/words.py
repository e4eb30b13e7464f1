"""Which words does the little language have?"""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

FILE = Path(__file__).parent / "data" / "words.txt"
QUOTES = (("“", "”"), ("‘", "’"), ("«", "»"))
PAD, START, END = "<pad>", "<start>", "<end>"


def _lists() -> dict[str, list[str]]:
    parser = ConfigParser(delimiters="=", interpolation=None, comment_prefixes="#")
    parser.read_string(f"[words]\n{FILE.read_text(encoding='utf-8')}")
    return {name: words.split() for name, words in parser["words"].items()}


_WORDS = _lists()
WOMEN, MEN, FAMILIES = _WORDS["women"], _WORDS["men"], _WORDS["families"]
PLACES, CONTAINERS = _WORDS["places"], _WORDS["containers"]
THINGS, BEINGS = _WORDS["things"], _WORDS["beings"]
OPPOSITES = [(one, other) for one, other in (pair.split(":") for pair in _WORDS["opposites"])]
STATES, MOVES, DEEDS, HABITS = (_WORDS[name] for name in ("states", "moves", "deeds", "habits"))
DAYS, MONTHS, NUMBERS = (_WORDS[name] for name in ("days", "months", "numbers"))
HIDES, GAINS, LOSSES, SPEAKS = (_WORDS[name] for name in ("hides", "gains", "losses", "speaks"))


def plural(noun: str) -> str:
    """Of a noun of THINGS or BEINGS, all of which are regular."""
    if noun.endswith(("s", "x", "ch", "sh")) or noun == "potato":
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


def article(noun: str) -> str:
    """A or an."""
    return "an" if noun[0] in "aeiou" else "a"


def vocabulary() -> tuple[str, ...]:
    """Every word that a story may hold; a word's number is its place."""
    nouns = [*THINGS, *BEINGS]
    lists = (
        WOMEN, MEN, FAMILIES, PLACES, CONTAINERS, nouns, map(plural, nouns),
        [word for pair in OPPOSITES for word in pair], STATES, MOVES, DEEDS, HABITS, DAYS, MONTHS,
        NUMBERS, HIDES, GAINS, LOSSES, SPEAKS, [mark for pair in QUOTES for mark in pair],
        _WORDS["glue"],
    )  # fmt: skip
    return (PAD, START, END, *dict.fromkeys(word for each in lists for word in each))
