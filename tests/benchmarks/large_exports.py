"""What do proof and export of a language model of 100 million weights take? Prints the table."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import nn

from tests import optional

VOCABULARY, TOKENS, TEXTS = 49_152, 128, 40
SHRINKS = ("shrink of MLP units", "shrink of key-value groups")
HEAD = (
    "| step | seconds | peak memory | of the weights | what was proved |\n|---|---:|---:|---:|---|"
)


def network() -> nn.Module:
    """A Llama of 100.6 million random weights, its words tied to its answers."""
    library = optional.transformers()
    torch.manual_seed(0)
    config = library.LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=768,
        intermediate_size=2048,
        num_hidden_layers=10,
        num_attention_heads=12,
        num_key_value_heads=4,
        max_position_embeddings=TOKENS,
        tie_word_embeddings=True,
    )
    made: nn.Module = library.LlamaForCausalLM(config).eval()
    return made


def measure(step: str) -> str:
    """One line of the table, measured in this process."""
    from pruneviz.data import Data
    from pruneviz.export import export
    from pruneviz.plan import Plan
    from pruneviz.workbench.opening import open_workbench

    optional.transformers()
    start_memory = _memory("VmRSS")
    model = network()
    weights = sum(p.nbytes for p in model.parameters())
    ids = torch.randint(0, VOCABULARY, (TEXTS, TOKENS))
    following = torch.cat([ids[:, 1:], torch.full_like(ids[:, :1], -100)], 1)
    bench = open_workbench(model, Data({"input_ids": ids}, following))
    attention = step == SHRINKS[1]
    lead = {
        name: 0.5
        for name, group in bench.groups.groups.items()
        if ("self_attn" in name if attention else "mlp" in name)
    }
    plan = Plan("l2", "head" if attention else "neuron", sparsity=lead)
    opening = _memory("VmHWM") - start_memory
    Path("/proc/self/clear_refs").write_text("5", "utf-8")  # the peak counts from here
    start = time.perf_counter()
    if step in SHRINKS:
        try:
            small = bench.prune(plan).shrink()
            left = sum(p.numel() for p in small.parameters())
            words = f"{len(lead)} groups, {left:,} of {weights // 4:,} parameters left"
        except ValueError as error:
            words = f"refused: {error}"
    else:
        with tempfile.TemporaryDirectory() as folder:
            words = export(bench, plan, folder, [step]).written[0].words
    seconds = time.perf_counter() - start
    peak = _memory("VmHWM") - start_memory
    return (
        f"| {step} | {seconds:.0f} | {peak / 1e6:,.0f} MB | {peak / weights:.2f} × "
        f"(opening: {opening / weights:.2f} ×) | {words} |"
    )


def _memory(field: str) -> int:
    """Bytes, as Linux counts them for this process: VmRSS now, VmHWM at the most so far."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def main() -> None:
    """Measure each step in a process of its own, so that none sees the peak of another."""
    from pruneviz.export import FORMATS

    steps = sys.argv[1:] or [*SHRINKS, *FORMATS]
    if len(steps) == 1:
        print(measure(steps[0]), flush=True)
        return
    print(HEAD, flush=True)
    for step in steps:
        module = ["-m", "tests.benchmarks.large_exports"]
        done = subprocess.run([sys.executable, *module, step], check=False)
        if done.returncode:
            print(f"| {step} | ended with {done.returncode} | | | |", flush=True)


if __name__ == "__main__":
    main()
