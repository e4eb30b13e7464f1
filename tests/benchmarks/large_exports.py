"""What do proof and export of a language model of 100 million weights take? Prints the table."""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from pruneviz.data import Data
from pruneviz.memory import trim
from tests import optional

if TYPE_CHECKING:
    from pruneviz.workbench import Workbench

VOCABULARY, TOKENS, TEXTS = 49_152, 128, 40
SHRINKS = ("shrink of MLP units", "shrink of key-value groups")
HEAD = (
    "| step | processor seconds | peak memory | of the weights | what was proved |\n"
    "|---|---:|---:|---:|---|"
)


def network(vocabulary: int = VOCABULARY, width: int = 768, layers: int = 10) -> nn.Module:
    """A Llama of random weights, 100.6 million of them, its words tied to its answers."""
    library = optional.transformers()
    torch.manual_seed(0)
    config = library.LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=2048 * width // 768,
        num_hidden_layers=layers,
        num_attention_heads=12,
        num_key_value_heads=4,
        max_position_embeddings=TOKENS,
        tie_word_embeddings=True,
    )
    made: nn.Module = library.LlamaForCausalLM(config).eval()
    return made


def opened(model: nn.Module, vocabulary: int = VOCABULARY) -> Workbench:
    """The network with texts of random words, its groups tried."""
    from pruneviz.workbench.opening import open_workbench

    ids = torch.randint(0, vocabulary, (TEXTS, TOKENS))
    following = torch.cat([ids[:, 1:], torch.full_like(ids[:, :1], -100)], 1)
    bench = open_workbench(model, Data({"input_ids": ids}, following))
    assert bench.groups.groups
    return bench


def take(step: str, bench: Workbench) -> str:
    """Take a step; the words on what was proved."""
    from pruneviz.export import export
    from pruneviz.plan import Plan

    attention = step == SHRINKS[1]
    part = "self_attn" if attention else "mlp"
    lead = {name: 0.5 for name in bench.groups.groups if part in name}
    plan = Plan("l2", "head" if attention else "neuron", sparsity=lead)
    if step in SHRINKS:
        try:
            small = bench.prune(plan).shrink()
        except ValueError as error:
            return f"refused: {error}"
        left, all_of_them = (
            sum(p.numel() for p in n.parameters()) for n in (small, bench.source.model)
        )
        return f"{len(lead)} groups, {left:,} of {all_of_them:,} parameters left"
    with tempfile.TemporaryDirectory() as folder:
        return export(bench, plan, folder, [step]).written[0].words


def forked(step: str, bench: Workbench) -> tuple[str, float, int]:
    """The words of a step, its processor seconds and its peak, from a fork of this process.

    A fork sees no other step's peak. Of files that are mapped, libraries among them, it counts
    what it touches itself.
    """
    _count_anew()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _count_anew()
        start = time.process_time()
        words = take(step, bench)
        result = [words, time.process_time() - start, _memory("VmHWM")]
        os.write(writing, json.dumps(result).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    words, seconds, peak = json.loads(text) if text else ("the process ended", 0.0, 0)
    return words, seconds, peak


def row(step: str, words: str, seconds: float, peak: int, weights: int) -> str:
    """One line of the table."""
    share = f"{peak / weights:.2f} ×"
    return f"| {step} | {seconds:.0f} | {peak / 1e6:,.0f} MB | {share} | {words} |"


def _memory(field: str) -> int:
    """Bytes, as Linux counts them for this process: VmRSS now, VmHWM at the most so far."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def _count_anew() -> None:
    gc.collect()
    trim()
    Path("/proc/self/clear_refs").write_text("5", "utf-8")  # the peak counts from here


def main() -> None:
    """Measure opening here and each step in a fork, less what the same takes of a tiny network.

    With one thread, as a fork may have no more.
    """
    from pruneviz.export import FORMATS

    torch.set_num_threads(1)
    steps = sys.argv[1:] or [*SHRINKS, *FORMATS]
    tiny = opened(network(64, 48, 2), 64)
    for step in steps:  # here, so that no fork loads a library of its own
        take(step, tiny)
    floors = {step: forked(step, tiny)[2] for step in steps}
    _count_anew()
    floor = _memory("VmRSS")
    print(floor, floors, file=sys.stderr)
    model = network()
    weights = sum(p.nbytes for p in model.parameters())
    _count_anew()
    start = time.process_time()
    bench = opened(model)
    seconds, peak = time.process_time() - start, _memory("VmHWM") - floor
    print(HEAD, row("opening", "groups tried", seconds, peak, weights), sep="\n", flush=True)
    for step in steps:
        words, seconds, peak = forked(step, bench)
        print(row(step, words, seconds, peak - floors[step], weights), flush=True)


if __name__ == "__main__":
    main()
