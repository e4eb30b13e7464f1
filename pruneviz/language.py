"""How does text become what a language model takes, and back?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Language:
    """The words, or parts of words, of a language model by number: its tokens.

    encode(text): the tokens of a text; ValueError names what it has no token for. pieces(tokens):
    what each of them adds to the text; joined they are the text. length: the most tokens that the
    network takes. start: what stands before every text. end: tokens that end one. prompts: some
    beginnings to try.
    """

    encode: Callable[[str], list[int]]
    pieces: Callable[[Sequence[int]], list[str]]
    length: int
    start: tuple[int, ...] = ()
    end: frozenset[int] = frozenset()
    prompts: tuple[str, ...] = ()
