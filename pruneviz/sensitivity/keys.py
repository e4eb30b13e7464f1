"""By which key is a measurement remembered?"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from pruneviz.measuring.bench import Bench
from pruneviz.plan import Plan


def key_of(bench: Bench, kind: str, scheme: int, *what: object) -> str:
    """32 hex digits of all that a measurement depends on: weights, samples and code of the network,
    and `what`, plain values and plans. scheme: another one where the same would come out
    differently.
    """
    says = [kind, scheme, bench.identity, *(_plain(one) for one in what)]
    return hashlib.sha256(json.dumps(says, sort_keys=True).encode()).hexdigest()[:32]


def _plain(what: object) -> object:
    """A plan as a dict, without the seed where nothing is random."""
    if not isinstance(what, Plan):
        return what
    return replace(what, seed=what.seed if what.criterion == "random" else 0).as_dict()
