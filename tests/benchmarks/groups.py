"""What can be removed from which architecture, beside torch_pruning? Prints the README's table."""

from __future__ import annotations

import math
import multiprocessing
import sys
import time
import warnings
from collections import Counter

import torch

import pruneviz as pv
from pruneviz.network.forward_pass import ForwardError, call
from pruneviz.network.likeness import difference
from tests.benchmarks.rows import print_rows
from tests.zoo import LARGE, SMALL, made

RATIOS, SAMPLES, TOLERANCE, PATIENCE = (0.1, 0.3, 0.5, 0.7), 3, 1e-5, 120
HEAD = (
    "| architecture | groups | removable | what must stay, mostly | left at 10 % | 30 % | 50 % "
    "| 70 % | largest difference | processor seconds | 30 % rounded up | torch_pruning at 30 % |\n"
    "|---|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|---|"
)


def row(name: str) -> str:
    """One line of the table; raises where a smaller network is not what the masked one is."""
    given, data = made(name)
    start = time.process_time()
    bench = pv.open(given, data)
    groups = bench.groups
    seconds = time.process_time() - start
    shares, worst = [], 0.0
    for ratio in RATIOS:
        share, apart = shrunk(bench, levels(bench, lambda n, r=ratio: r))
        shares.append(share)
        worst = max(worst, apart)
    assert shares == sorted(shares, reverse=True), f"parameters do not fall: {shares}"
    up, apart = shrunk(bench, levels(bench, lambda n: math.ceil(0.3 * n) / n))
    tried = [r for r in groups.fixed.values() if "trial" in r or "nn.Multihead" in r]
    answers = [n for n, reason in groups.fixed.items() if "answer" in reason]
    layers = {n: x for n, x in bench.layer_of.items() if x.rows is None}
    other = torch_pruning_at(name, 0.3, answers, layers)
    stays = Counter(short(reason) for reason in groups.fixed.values())
    mostly = f"{stays.most_common(1)[0][1]}: {stays.most_common(1)[0][0]}" if stays else "nothing"
    return (
        f"| {name} | {len(groups.groups) + len(tried)} | {len(groups.groups)} | {mostly} | "
        + " | ".join(f"{share:.3f}" for share in shares)
        + f" | {max(worst, apart):.0e} | {seconds:.1f} | {up:.3f} | {other} |"
    )


def levels(bench: pv.Workbench, level: object) -> pv.Plan:
    """Every group asked for a sparsity that depends on its number of units."""
    assert callable(level)
    asked = {}
    for name, group in bench.groups.groups.items():
        most = (group.units - 1) / group.units
        asked[name] = min(level(group.units), most)
    return pv.Plan("l2", "neuron", sparsity=asked)


def shrunk(bench: pv.Workbench, plan: pv.Plan) -> tuple[float, float]:
    """The share of parameters left, and how far the answers are from the masked network's."""
    pruned = bench.prune(plan)
    small = pruned.shrink().eval()
    counts = bench.counts(plan)
    left = sum(p.numel() for p in small.parameters())
    assert left == counts.params_shrunk == counts.params_kept, (left, counts)
    inputs = bench.source.validation.first(SAMPLES).inputs
    with torch.inference_mode():
        apart = difference(call(pruned.model.eval(), inputs), call(small, inputs))
    assert apart < TOLERANCE, f"masked and shrunk differ by {apart:.1e}"
    return left / counts.params, apart


def short(reason: str) -> str:
    """A reason without the parts that differ from layer to layer."""
    return reason.split(": ")[0] if "trial" in reason else reason.split(":")[0]


def torch_pruning_at(
    name: str, ratio: float, answers: list[str], layers: dict[str, pv.Layer]
) -> str:
    """The share of parameters that torch_pruning leaves with its defaults, or what it says.

    answers: layers whose outputs are the network's answer, which it is told to leave alone.

    In a process of its own: it can hang, and its mutable defaults leak between calls.
    """
    context = multiprocessing.get_context("spawn")
    inward, outward = context.Pipe(duplex=False)
    process = context.Process(target=_prune_there, args=(name, ratio, answers, layers, outward))
    process.start()
    outward.close()
    try:
        return str(inward.recv()) if inward.poll(PATIENCE) else f"hangs (over {PATIENCE} s)"
    except EOFError:
        return "dies"
    finally:
        process.kill()
        process.join()


def _prune_there(
    name: str, ratio: float, answers: list[str], layers: dict[str, pv.Layer], outward: object
) -> None:
    warnings.simplefilter("ignore")
    try:
        said = _prune_by_torch_pruning(name, ratio, answers, layers)
    except Exception as error:
        own = error.error if isinstance(error, ForwardError) else error
        said = f"raises {type(own).__name__}"
    outward.send(said)  # type: ignore[attr-defined]


def _prune_by_torch_pruning(
    name: str, ratio: float, answers: list[str], layers: dict[str, pv.Layer]
) -> str:
    try:
        import torch_pruning as tp
    except ImportError:
        return "not installed"
    model, data = made(name)
    total = sum(p.numel() for p in model.parameters())
    widths = {n: units(model, layer) for n, layer in layers.items()}
    inputs = data.first(1).inputs
    example = inputs if isinstance(inputs, torch.Tensor) else dict(inputs)
    pruner = tp.pruner.MagnitudePruner(
        model,
        example,
        importance=tp.importance.MagnitudeImportance(p=2),
        pruning_ratio=ratio,
        ignored_layers=[model.get_submodule(name) for name in answers if _is_module(model, name)],
        num_heads={},
        out_channel_groups={},
    )
    pruner.step()
    with torch.no_grad():
        call(model, inputs)
    left = sum(p.numel() for p in model.parameters())
    cut = [1 - units(model, layers[n]) / before for n, before in widths.items()]
    most = max(cut)
    words = f", up to {most:.0%} of a layer's units" if most > ratio + 0.1 else ""
    return f"{left / total:.3f}{words}" if left < total else "leaves it as it is"


def units(model: torch.nn.Module, layer: pv.Layer) -> int:
    """How many output units a layer has now."""
    return int(layer.turn(model.get_parameter(layer.weight).detach()).shape[0])


def _is_module(model: torch.nn.Module, name: str) -> bool:
    return any(name == path for path, _ in model.named_modules())


def main() -> None:
    """Print a row for each architecture, or for those named on the command line."""
    print_rows(HEAD, row, sys.argv[1:] or (*LARGE, *SMALL))


if __name__ == "__main__":
    main()
