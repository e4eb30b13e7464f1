"""How does a language model go on from a text, and which of its words surprise it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own abbreviation)
from torch import Tensor

from pruneviz.language import Language
from pruneviz.measuring.bench import Bench
from pruneviz.network.forward_pass import at_work, call
from pruneviz.network.replica import replica
from pruneviz.plan import Plan

_BESIDE = ("attention_mask", "token_type_ids", "position_ids")
Answer = Callable[[Sequence[int]], Tensor]


@dataclass(frozen=True)
class Token:
    """A piece of text that a network wrote; differs: whether the dense one wrote another there."""

    text: str
    differs: bool


@dataclass(frozen=True)
class Continuation:
    """What dense and pruned network write behind a text; equal pieces side by side are equal."""

    prompt: str
    dense: tuple[Token, ...]
    pruned: tuple[Token, ...]


@dataclass(frozen=True)
class Surprise:
    """How unlikely each piece of a text is: -log p in nats, given what stands before it.

    pieces: all but the first. dense, pruned: float64 [pieces].
    """

    pieces: tuple[str, ...]
    dense: Tensor
    pruned: Tensor


def continuation(
    bench: Bench, plan: Plan, prompt: str, count: int = 24, temperature: float = 0.0, seed: int = 0
) -> Continuation:
    """`count` tokens at most behind `prompt`, written by the dense network and under `plan`.

    temperature: 0 takes the likeliest token each time; above, a token is drawn from
    softmax(logits / temperature) with dice that `seed` throws, the same for both networks, so that
    they differ only where their answers do. ValueError names a word that there is no token for,
    and says where the network is no language model that can write.

    >>> bench = pv.open("writer")
    >>> bench.continuation(pv.Plan(), "Anna Berg met", 2).dense[0].differs
    False
    """
    language = language_of(bench)
    start = [*language.start, *language.encode(prompt)]
    if not start:
        raise ValueError("there is nothing to go on from: give a word or more")
    if count < 1 or temperature < 0:
        raise ValueError(
            f"count must be 1 or more and temperature 0 or more, got {count} and {temperature}"
        )
    dice = torch.rand(count, generator=torch.Generator().manual_seed(seed)).tolist()
    written = []
    for answer in _answers(bench, plan):
        tokens = list(start)
        for throw in dice:
            token = _next(answer(tokens[-language.length :]), temperature, throw)
            if token in language.end:
                break
            tokens.append(token)
        written.append(tokens)
    whole = language.pieces(start)
    sides = (_tokens(language, len(start), tokens, written[0]) for tokens in written)
    return Continuation("".join(whole), *sides)


def surprise(bench: Bench, plan: Plan, tokens: Sequence[int]) -> Surprise:
    """The loss of each token of a text but the first; see `Surprise`. ValueError as above."""
    language = language_of(bench)
    tokens = list(tokens)[: language.length]
    if len(tokens) < 2:
        raise ValueError("a text of one token surprises nobody: give two or more")
    losses = []
    for answer in _answers(bench, plan):
        logits = answer(tokens)[:-1].double()
        losses.append(F.cross_entropy(logits, torch.tensor(tokens[1:]), reduction="none"))
    return Surprise(tuple(language.pieces(tokens)[1:]), *losses)


def passage(bench: Bench, sample: int) -> list[int]:
    """The tokens of a validation sample, without what fills it up; ValueError as above."""
    language, data = language_of(bench), bench.source.validation
    if not 0 <= sample < len(data):
        raise ValueError(f"sample must be in 0..{len(data) - 1}, got {sample}")
    tensors = {name: tensor[sample] for name, tensor in data.tensors().items()}
    ids = tensors.get("input_ids", next(iter(tensors.values())))
    if "attention_mask" in tensors:
        ids = ids[tensors["attention_mask"] != 0]
    tokens = [int(token) for token in ids]
    while tokens and tokens[-1] in language.end:
        tokens.pop()
    return tokens


def language_of(bench: Bench) -> Language:
    """How the network's text is read; ValueError where it can't write any."""
    language = bench.source.language
    if language is None:
        raise ValueError(
            "this network writes no text: that takes a causal language model whose tokenizer is "
            "known (a Transformers folder that holds one, or tokenizer=)"
        )
    names = set(bench.source.validation.tensors())
    odd = sorted(names - {"", "input_ids", *_BESIDE})
    if odd:
        raise ValueError(
            f"this network takes {odd[0]!r} beside its tokens, so it can't write alone"
        )
    return language


def _answers(bench: Bench, plan: Plan) -> tuple[Answer, Answer]:
    """What the dense network, and that of the plan, say follows tokens: logits [tokens, words]."""
    network, names = replica(bench.original.source.model), bench.source.validation.tensors()

    def under(model: torch.nn.Module, tensors: Mapping[str, Tensor]) -> Answer:
        def answer(tokens: Sequence[int]) -> Tensor:
            ids = torch.tensor([list(tokens)])
            inputs = ids if "" in names else {name: _beside(name, ids) for name in names}
            with torch.inference_mode(), at_work("writing"):
                return call(model, inputs, tensors, bench.task.output)[0].float().cpu()

        return answer

    own = replica(bench.source.model)
    return under(network, {}), under(own, bench.prune(plan).tensors)


def _beside(name: str, ids: Tensor) -> Tensor:
    if name == "position_ids":
        return torch.arange(ids.shape[1])[None]
    rest = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    return rest.get(name, torch.zeros_like(ids))


def _next(logits: Tensor, temperature: float, throw: float) -> int:
    if temperature == 0:
        return int(logits[-1].argmax())
    share = torch.softmax(logits[-1].double() / temperature, 0).cumsum(0)
    return min(int(torch.searchsorted(share, throw * float(share[-1]))), len(share) - 1)


def _tokens(
    language: Language, start: int, tokens: Sequence[int], dense: Sequence[int]
) -> tuple[Token, ...]:
    texts = language.pieces(tokens)[start:]
    others = [*dense[start:], *[-1] * len(texts)]
    return tuple(
        Token(text, token != other)
        for text, token, other in zip(texts, tokens[start:], others, strict=False)
    )
