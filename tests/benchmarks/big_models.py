"""How much memory does a drag on a big network take over the bare network? Prints the ratios."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import save_file

from tests import optional

# Layers that are dragged: one in the middle, and one of the largest.
NETWORKS = {
    "resnet50": ("layer3.2.conv2", "layer4.0.conv2"),
    "vit_base_patch16_224": ("blocks.5.attn.proj", "blocks.5.mlp.fc1"),
}
MOVES, SAMPLES = 21, 8
HEAD = (
    "| network, layer dragged | weights | memory over the bare network, peak | "
    "of the weights | opened in | a move of the slider | one sample answered in |\n"
    "|---|---:|---:|---:|---:|---:|---:|"
)


def measure(name: str, layer: str, path: Path) -> str:
    """One line of the table, measured in this process; `path` holds the network's weights."""
    from pruneviz.data import Data
    from pruneviz.measuring.answers import answer
    from pruneviz.plan import Plan
    from pruneviz.sources.networks.architectures import build
    from pruneviz.sources.networks.weights import read_weights
    from pruneviz.ui.board import scene
    from pruneviz.workbench.opening import open_workbench

    bare = build(f"timm:{name}", read_weights(path)).model
    for parameter in bare.parameters():  # memory-mapped: loaded when it is touched
        float(parameter.sum())
    weights = sum(p.nbytes for p in bare.parameters())
    inputs = torch.randn(SAMPLES, 3, 224, 224)
    with torch.inference_mode():
        bare(inputs[:1])
    before = _memory("VmRSS")
    start = time.perf_counter()
    bench = open_workbench(bare, Data(inputs))
    plan = Plan(sparsity=dict.fromkeys(bench.layer_of, 0.0))
    scene.describe(bench, plan)
    scene.picture(bench, plan, layer)
    opened = time.perf_counter() - start
    moves = []
    for step in range(MOVES):
        start = time.perf_counter()
        plan = Plan(sparsity={layer: step / (MOVES - 1)})
        bench.prune(plan)
        bench.counts(plan)
        moves.append(time.perf_counter() - start)
    masks = bench.prune(Plan(sparsity={layer: 0.5})).parameter_masks
    answer(bare, masks, bench.source.validation, 0, 2 * bench.block, bench.task, bench.block)
    peak = _memory("VmHWM") - before
    return (
        f"| {name}, `{layer}` | {weights / 1e6:.0f} MB | {peak / 1e6:.0f} MB | "
        f"{peak / weights:.2f} × | {opened:.1f} s | {1000 * statistics.median(moves):.0f} ms | "
        f"{bench.seconds_per_sample:.2f} s |"
    )


def _memory(field: str) -> int:
    """Bytes, as Linux counts them for this process: VmRSS now, VmHWM at the most so far."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def main() -> None:
    """Measure each network in a process of its own, so that none sees the peak of another."""
    optional.timm()
    if len(sys.argv) == 4:
        print(measure(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
        return
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, layers in NETWORKS.items():
            path = Path(folder, f"{name}.safetensors")
            torch.manual_seed(0)
            save_file(optional.timm().create_model(name).state_dict(), path)
            for layer in layers:
                module = ["-m", "tests.benchmarks.big_models"]
                subprocess.run([sys.executable, *module, name, layer, str(path)], check=True)


if __name__ == "__main__":
    main()
