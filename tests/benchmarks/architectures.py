"""Which architectures open, and does pruning hold on them? Prints the README's table."""

from __future__ import annotations

import sys
import time

import torch

import pruneviz as pv
from pruneviz.network.forward_pass import call
from pruneviz.network.replica import apply_masks, replica, state
from tests.benchmarks.rows import print_rows
from tests.zoo import LARGE, SMALL, made

SAMPLES, TOLERANCE = 3, 1e-5
HEAD = (
    "| architecture | layers | parameters | sliders reach | never pruned, mostly | "
    "masked − exported: magnitude | Wanda | undo | processor seconds |\n"
    "|---|---:|---:|---:|---|---:|---:|---|---:|"
)


def row(name: str) -> str:
    """One line of the table; raises where anything that it says does not hold."""
    start = time.process_time()
    model, data = made(name)
    bench = pv.open(model, data)
    before = bench.fingerprint
    dense = answers(bench, pv.Plan())
    reached = int(bench.layers["params"].sum())
    never = int(bench.never["params"].sum())
    total = bench.counts(pv.Plan()).params
    assert reached + never == total, f"{reached} + {never} are not {total}"
    words = [check(bench, criterion) for criterion in ("magnitude", "wanda")]
    assert torch.equal(answers(bench, pv.Plan()), dense), "undo is not exact"
    assert pv.open(model, data).fingerprint == before, "the dense weights were written to"
    seconds = time.process_time() - start
    return (
        f"| {name} | {len(bench.layer_of)} | {total:,} | {reached / total:.1%} | "
        f"{mostly(bench)} | {words[0]} | {words[1]} | exact | {seconds:.1f} |"
    )


def mostly(bench: pv.Workbench) -> str:
    """How many parameters no slider reaches, and the reason of most of them."""
    by_reason = bench.never.groupby("reason")["params"].sum()
    return f"{by_reason.sum():,}: {by_reason.idxmax()}" if len(by_reason) else "none"


def check(bench: pv.Workbench, criterion: str) -> str:
    """Prune every layer that can be by half; counts, forward pass and exported copy must hold."""
    seen = [n for n in bench.layer_of if n in bench.survey.order]
    refused = bench.cannot(pv.Plan(criterion))
    layers = {n: bench.layer_of[n] for n in seen if n not in refused}
    layers = {n: layer for n, layer in layers.items() if layer.kind != "embedding"}
    plan = pv.Plan(criterion, sparsity=dict.fromkeys(layers, 0.5))
    pruned = bench.prune(plan)
    for name, layer in layers.items():
        got = int((~pruned.masks[name]).sum())
        assert got == round(0.5 * layer.size), f"{name}: {got} of {layer.size} cut"
    cut, cost = sum(round(0.5 * x.size) for x in layers.values()), bench.counts(plan)
    assert cost.params_kept + cut == cost.params
    outputs = answers(bench, plan)
    assert bool(torch.isfinite(outputs).all()), "answers are not finite"
    with torch.inference_mode():
        baked = call(pruned.model.eval(), bench.source.validation.first(SAMPLES).inputs)
    difference = float((baked - outputs).abs().max() / outputs.abs().max().clamp(min=1e-12))
    assert difference < TOLERANCE, f"masked and exported differ by {difference:.1e}"
    assert bench.evaluate(plan, SAMPLES).n == SAMPLES
    return f"{difference:.0e}" if difference else "0"


def answers(bench: pv.Workbench, plan: pv.Plan) -> torch.Tensor:
    """What the network answers to the first samples under a plan."""
    model, masks = bench.source.model, bench.prune(plan).parameter_masks
    with torch.inference_mode():
        inputs = bench.source.validation.first(SAMPLES).inputs
        return call(replica(model), inputs, apply_masks(state(model), masks))


def main() -> None:
    """Print a row for each architecture, or for those named on the command line."""
    print_rows(HEAD, row, sys.argv[1:] or (*LARGE, *SMALL))


if __name__ == "__main__":
    main()
