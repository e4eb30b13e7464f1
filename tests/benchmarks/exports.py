"""Which formats does which network leave in, in how many bytes? Prints the README's tables."""

from __future__ import annotations

import sys
import tempfile
import time
import zipfile
from pathlib import Path

import torch

import pruneviz as pv
from pruneviz.export import FORMATS, export
from tests.benchmarks.rows import print_rows
from tests.zoo import made

SAMPLES = ("lenet300", "lenet5", "resnet20", "vit")
OTHERS = (
    *("1-D audio CNN", "LSTM classifier", "U-Net", "torch TransformerEncoder", "MLP regressor"),
    *("BERT", "GPT-2", "T5", "ViT (Transformers)", "timm:resnet18"),
    "timm:mobilenetv3_small_100",
)
SHOWN = tuple(name for name in FORMATS if name != "recipe")
TOLERANCE = 1e-4
HEAD = (
    f"| network, plan | {' | '.join(SHOWN)} | largest difference | seconds |\n"
    f"|---|{'---:|' * (len(SHOWN) + 2)}"
)
SIZES = (
    "| 90 % of single weights | dense file | zipped: the ledger said | got | bitmask: the ledger "
    "said | got |\n|---|---:|---:|---:|---:|---:|"
)


def row(name: str) -> str:
    """Bytes of each format for a network under a plan, and the largest difference of all."""
    network, _, granularity = name.rpartition(", ")
    bench = opened(network)
    plan = by_weights(bench) if granularity == "weights 90 %" else by_neurons(bench)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        found = export(bench, plan, folder, SHOWN)
    seconds = time.perf_counter() - start
    exact = [w.difference or 0.0 for w in found.written if w.format != "onnx-int8"]
    assert max(exact) <= TOLERANCE
    for format_, reason in found.failed.items():
        print(f"{name}: {format_}: {reason}", file=sys.stderr)
    cells = [f"{w.bytes:,}" if not w.failed else "—" for w in found.written]
    return f"| {name} | {' | '.join(cells)} | {max(exact):.0e} | {seconds:.0f} |"


def sizes(name: str) -> str:
    """Whether zip and bitmask save what the ledger predicted."""
    bench = pv.open(name)
    plan = by_weights(bench)
    cost = bench.cost(plan)
    with tempfile.TemporaryDirectory() as folder:
        export(bench, plan, folder, ("safetensors", "sparse"))
        packed = Path(folder, "packed.zip")
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
            file.write(Path(folder, "model.safetensors"), "model.safetensors")
        got = [packed.stat().st_size, Path(folder, "sparse.safetensors").stat().st_size]
    dense, said = cost.dense.file, [cost.masked.zipped, cost.bitmask.bytes]
    factors = [(dense / one, dense / other) for one, other in zip(said, got, strict=True)]
    assert all(abs(one / other - 1) < 0.03 for one, other in factors), factors
    cells = [f"{factor:.2f} ×" for pair in factors for factor in pair]
    return f"| {name} | {dense:,} | {' | '.join(cells)} |"


def opened(name: str) -> pv.Workbench:
    """A sample network, or one of the zoo."""
    return pv.open(name) if name in SAMPLES else pv.open(*made(name))


def by_weights(bench: pv.Workbench) -> pv.Plan:
    """90 % of the weights of every layer that is not locked."""
    free = [name for name in bench.layer_of if name not in bench.locks]
    return pv.Plan(sparsity=dict.fromkeys(free, 0.9))


def by_neurons(bench: pv.Workbench) -> pv.Plan:
    """Half of the units of every group that is not locked."""
    plan = pv.Plan("l2", granularity="neuron")
    sliders = bench.sliders(plan, bench.locks)
    removable = [one.name for one in sliders if one.name in bench.groups.groups]
    return pv.Plan("l2", granularity="neuron", sparsity=dict.fromkeys(removable, 0.5))


def main() -> None:
    """Print both tables, or the first for the networks named on the command line."""
    torch.set_num_threads(1)
    names = sys.argv[1:] or (*SAMPLES, *OTHERS)
    plans = [f"{name}, {plan}" for name in names for plan in ("weights 90 %", "neurons 50 %")]
    print_rows(HEAD, row, plans)
    if not sys.argv[1:]:
        print()
        print_rows(SIZES, sizes, SAMPLES)


if __name__ == "__main__":
    main()
