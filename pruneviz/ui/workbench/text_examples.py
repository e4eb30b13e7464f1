"""What does a language model write now, and which words go first?"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from html import escape
from typing import TypeVar

import streamlit as st
from torch import Tensor

from pruneviz.glossary import TERMS, help_on
from pruneviz.measuring.continuation import Continuation, Surprise, Token, passage
from pruneviz.storage.cache import Cache
from pruneviz.storage.faults import public
from pruneviz.ui.boundary import part
from pruneviz.ui.session import Session
from pruneviz.ui.text import plain
from pruneviz.workbench import Workbench

_COUNT, _KEPT, _LONGEST = 32, 16, 2_000
_GREEDY, _SAMPLED = "likeliest word", "drawn with dice"
_WORST = 6.0  # nats: e⁻⁶ is one in four hundred; more is as red
_GRAVE = "rgba(217, 119, 43, {:.2f})"
T = TypeVar("T")


@part
def text_examples(session: Session) -> None:
    """A text that dense and pruned network go on with, and the loss of each word of another."""
    bench = session.bench
    language = bench.source.language
    assert language is not None
    first, how, number = st.columns([5, 2, 1], vertical_alignment="bottom")
    given = language.prompts or (_first_words(bench),)
    beginning = first.selectbox(
        "Beginning", given, key="prompt", help="Both networks go on from it."
    )
    own = first.text_input(
        "Or your own", "", key="own-prompt", max_chars=_LONGEST, help=help_on("continuation")
    )
    prompt = own.strip() or beginning
    choice = how.segmented_control(
        "Next word",
        (_GREEDY, _SAMPLED),
        default=_GREEDY,
        key="next-word",
        help="The likeliest word each time, or one drawn by its probability, with the same dice "
        "for both networks, so that they differ only where their answers do.",
    )
    seed = int(
        number.number_input(
            "Seed", 0, 999, 0, key="dice", disabled=choice != _SAMPLED, help=help_on("seed")
        )
    )
    if bench.slow and not st.button("Write", key="write", help="This network answers slowly here."):
        return
    _continue(session, prompt, 1.0 if choice == _SAMPLED else 0.0, seed)
    _strip(session)


def _continue(session: Session, prompt: str, temperature: float, seed: int) -> None:
    bench, plan = session.bench, session.settled

    def make() -> Continuation | str:
        try:
            return bench.continuation(plan, prompt, _COUNT, temperature, seed)
        except ValueError as error:
            return public(error)

    text = _once((bench.identity, plan, prompt, temperature, seed), make)
    if isinstance(text, str):
        st.warning(f"Nothing can be written: {plain(text)}.")
        return
    rows = (("dense", text.dense), ("pruned", text.pruned))
    st.html(
        "".join(
            f"<p data-testid='{name}-text'><b>{name}</b>: <span style='opacity:0.75'>"
            f"{escape(text.prompt)}</span>{_words_with_marks(tokens)}</p>"
            for name, tokens in rows
        )
    )
    wrong = len([token for token in text.pruned if token.differs])
    st.caption(
        f"{int(wrong)} of {len(text.pruned)} words of the pruned network are not the dense one's "
        "(marked)." if wrong else "Both write the same.",
        help=TERMS["continuation"].as_markdown(),
    )  # fmt: skip


def _strip(session: Session) -> None:
    bench, plan = session.bench, session.settled
    sample = int(
        st.number_input(
            "Passage: validation sample", 0, len(bench.source.validation) - 1, 0, key="passage",
            help="Which text of the validation data stands below, coloured by loss.", width=240,
        )
    )  # fmt: skip
    found: Surprise = _once(
        (bench.identity, plan, sample),
        lambda: bench.surprise(plan, passage(bench, sample)),
    )
    for name, losses in (("dense", found.dense), ("pruned", found.pruned)):
        words = _words_on_colour(found.pieces, losses)
        st.html(f"<p data-testid='{name}-loss' style='line-height:1.9'><b>{name}</b>: {words}</p>")
    st.caption(
        "Darker: less expected there. Hover over a word for its loss in nats.",
        help=TERMS["surprise"].as_markdown(),
    )


def _words_with_marks(tokens: Sequence[Token]) -> str:
    return "".join(
        f"<mark>{escape(token.text)}</mark>" if token.differs else escape(token.text)
        for token in tokens
    )


def _words_on_colour(pieces: Sequence[str], losses: Tensor) -> str:
    spans = []
    for piece, loss in zip(pieces, losses.tolist(), strict=True):
        shade = _GRAVE.format(0.75 * min(loss, _WORST) / _WORST)
        room = " " if piece.startswith(" ") else ""
        spans.append(
            f"{room}<span style='background:{shade};border-radius:3px;padding:1px 2px' "
            f"title='{loss:.2f} nats'>{escape(piece.strip())}</span>"
        )
    return "".join(spans)


def _first_words(bench: Workbench) -> str:
    """The beginning of the first validation sample."""
    language = bench.source.language
    assert language is not None
    tokens = passage(bench, 0)
    return "".join(language.pieces(tokens)[: max(2, len(tokens) // 4)]).strip()


def _once(key: Hashable, make: Callable[[], T]) -> T:
    """What this visitor has seen already is not computed again when the page is drawn."""
    cache: Cache[T] = st.session_state.setdefault("texts", Cache(_KEPT))
    return cache.get_or(key, make)
