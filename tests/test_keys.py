"""Is a measurement remembered by all that it depends on, and by nothing else?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from pruneviz.network.replica import code_fingerprint
from pruneviz.plan import Plan
from pruneviz.sensitivity.keys import key_of
from pruneviz.workbench import Workbench

Benches = Callable[[str], Workbench]
PLAN = Plan(sparsity={"fc1": 0.5})


def test_each_thing_it_depends_on_changes_it(benches: Benches) -> None:
    bench = benches("lenet5")
    keys = [
        key_of(bench, "point", 1, PLAN, 64),
        key_of(bench, "answers", 1, PLAN, 64),
        key_of(bench, "point", 2, PLAN, 64),
        key_of(bench, "point", 1, PLAN, 128),
        key_of(bench, "point", 1, replace(PLAN, repair=("recalibrate",)), 64),
        key_of(benches("lenet300"), "point", 1, PLAN, 64),
    ]
    assert len(set(keys)) == len(keys)
    assert keys[0] == key_of(bench, "point", 1, Plan(sparsity={"fc1": 0.5}), 64)


def test_a_seed_counts_only_where_something_is_random(benches: Benches) -> None:
    bench = benches("lenet5")
    same = [key_of(bench, "point", 1, replace(PLAN, seed=seed)) for seed in (0, 7)]
    other = [
        key_of(bench, "point", 1, replace(PLAN, seed=seed, criterion="random")) for seed in (0, 7)
    ]
    assert same[0] == same[1]
    assert other[0] != other[1]


def test_other_samples_or_other_code_are_another_network(benches: Benches) -> None:
    bench = benches("lenet5")
    fewer = replace(bench.source, validation=bench.source.validation.first(64))
    assert Workbench(fewer).identity != bench.identity

    def network(body: str) -> torch.nn.Module:
        kind = type("Own", (torch.nn.Linear,), {"__module__": body})
        module: torch.nn.Module = kind(2, 2)
        return module

    assert code_fingerprint(network("mine")) == code_fingerprint(network("mine"))
    assert code_fingerprint(network("mine")) != code_fingerprint(network("yours"))
