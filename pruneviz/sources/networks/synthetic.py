"""What can a network be fed when there is no data?"""

from __future__ import annotations

import inspect

import torch
from torch import Tensor, nn

from pruneviz.data import Inputs
from pruneviz.sources.spec import InputSpec

_LENGTH = 64


def synthetic(spec: InputSpec, model: nn.Module, n: int = 64, seed: int = 0) -> Inputs:
    """Made-up inputs of the kind a network takes, the same for the same seed.

    Images: standard normal noise, float32 [n, channels, height, width], as normalised images
    are spread. Tokens: uniform ids below the vocabulary, int64 [n, length] of at most 64, with an
    attention mask of ones; they end as the network's own configuration ends a sequence.
    They say how outputs change, not how good answers are. ValueError where spec states too little.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    generator = torch.Generator().manual_seed(seed)
    if spec.kind == "image" and spec.size is not None:
        return torch.randn(n, spec.channels, *spec.size, generator=generator)
    if spec.kind == "tokens" and spec.vocab is not None:
        return _tokens(spec, spec.vocab, model, n, generator)
    raise ValueError(
        f"what {type(model).__name__} takes is not known, so no inputs can be made up; "
        "pass data, with or without targets"
    )


def _tokens(
    spec: InputSpec, vocab: int, model: nn.Module, n: int, generator: torch.Generator
) -> dict[str, Tensor]:
    length = min(spec.length or _LENGTH, _LENGTH)
    ids = torch.randint(vocab, (n, length), generator=generator)
    config = getattr(model, "config", None)
    ends, pads = (_id(config, key, vocab) for key in ("eos_token_id", "pad_token_id"))
    plain = next(i for i in range(vocab) if i not in (ends, pads)) if vocab > 2 else 0
    ids[(ids == ends) | (ids == pads)] = plain
    if ends >= 0:
        ids[:, -1] = ends
    names = spec.keys or tuple(inspect.signature(model.forward).parameters)[:1]
    tensors = {
        "attention_mask": torch.ones(n, length, dtype=torch.int64),
        "token_type_ids": torch.zeros(n, length, dtype=torch.int64),
        "decoder_input_ids": ids.roll(1, dims=1),
    }
    return {name: tensors.get(name, ids) for name in names}


def _id(config: object, key: str, vocab: int) -> int:
    """A special id of the configuration; -1, which is no id, where it has none."""
    value = getattr(config, key, None)
    value = value[0] if isinstance(value, list) and value else value
    return value if isinstance(value, int) and 0 <= value < vocab else -1
