"""What did a plan answer to each sample, now or before?"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pruneviz.measuring.bench import Bench
from pruneviz.plan import Plan
from pruneviz.sensitivity.keys import key_of
from pruneviz.storage.measurement_store import Memory

_SCHEME = 2  # to be raised where an answer would come out differently
_PIECE = 1.0  # seconds of measuring before somebody may cancel it


@dataclass(frozen=True, eq=False)
class Answers:
    """Of one plan: scores float32 [n], and how much each of them counts (None: the same)."""

    scores: Tensor
    weight: Tensor | None


def measure(bench: Bench, memory: Memory, plan: Plan, n: int, tick: Callable[[], None]) -> Answers:
    """`plan` on the first n samples, remembered; `tick` is called about every second and may raise.

    ValueError where the plan cannot be made is remembered too.
    """
    tick()
    step = bench.block * max(1, int(_PIECE / bench.seconds_per_sample / bench.block))
    key = key_of(bench, "answers", _SCHEME, plan, n)
    try:
        for count in range(step, n, step):
            bench.evaluate(plan, count)
            tick()
        result = bench.evaluate(plan, n)
    except ValueError as error:
        memory.put(key, json.dumps({"why": str(error)}))
        raise
    weight = None if result.weight is None else _pack(result.weight)
    memory.put(key, json.dumps({"scores": _pack(result.scores), "weight": weight}))
    return Answers(result.scores, result.weight)


def recall(bench: Bench, memory: Memory, plan: Plan, n: int) -> Answers | None:
    """What `measure` found before, or None; ValueError as it raised."""
    text = memory.get(key_of(bench, "answers", _SCHEME, plan, n))
    if text is None:
        return None
    try:
        values = json.loads(text)
        why = values.get("why")
        if why is None:
            weight = None if values["weight"] is None else _unpack(values["weight"], n)
            return Answers(_unpack(values["scores"], n), weight)
    except (ValueError, TypeError, KeyError, AttributeError):  # what is damaged is measured again
        return None
    raise ValueError(why)


def _pack(values: Tensor) -> dict[str, str]:
    """A bit for each where they are right or wrong, else as float32."""
    plain = values.cpu().float().numpy()
    if bool(np.isin(plain, (0.0, 1.0)).all()):
        return {"bits": base64.b64encode(np.packbits(plain.astype(bool)).tobytes()).decode()}
    return {"floats": base64.b64encode(plain.astype("<f4").tobytes()).decode()}


def _unpack(values: dict[str, str], n: int) -> Tensor:
    if "bits" in values:
        raw = np.frombuffer(base64.b64decode(values["bits"]), np.uint8)
        scores = np.unpackbits(raw, count=n).astype(np.float32)
    else:
        scores = np.frombuffer(base64.b64decode(values["floats"]), "<f4").astype(np.float32)
    if len(scores) != n:
        raise ValueError(f"{len(scores)} scores were kept for {n} samples")
    return torch.from_numpy(scores)
