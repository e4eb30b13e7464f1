"""How much smaller and faster is ResNet-18 with half of its channels? Prints the README's table."""

from __future__ import annotations

from functools import partial

import torch

import pruneviz as pv
from pruneviz.data import Data
from pruneviz.measuring.counts import macs_of_network
from pruneviz.measuring.latency import latency
from pruneviz.network.forward_pass import call
from pruneviz.network.likeness import difference
from tests import optional

# Published by Torch-Pruning for ratio 0.5 with its group L2 norm (MACs with batch norm and bias).
PUBLISHED = {"dense": (1_822_177_768, 11_689_512), "half": (487_202_536, 3_055_880)}
BATCH = 8


def main() -> None:
    """Count, time and print."""
    model = optional.torchvision().models.resnet18(weights=None).eval()
    data = Data(torch.randn(BATCH, 3, 224, 224), torch.arange(BATCH) % 1000)
    bench = pv.open(model, data)
    groups = bench.groups.groups
    plan = pv.Plan("l2", "neuron", sparsity=dict.fromkeys(groups, 0.5), aggregate="sum")
    pruned = bench.prune(plan)
    small, masked = pruned.shrink().eval(), pruned.model.eval()
    with torch.inference_mode():
        apart = difference(call(masked, data.inputs), call(small, data.inputs))
    networks = {"dense": model, "masked": masked, "half": small}
    with torch.inference_mode():
        timed = latency(
            {name: partial(call, network, data.inputs) for name, network in networks.items()},
            batch=BATCH,
            rounds=15,
            seconds=60,
        )
    print(
        "| ResNet-18, 224 px | parameters | MACs (torch) | as Torch-Pruning counts | published "
        "| ms | times as fast |\n|---|---:|---:|---:|---:|---:|---:|"
    )
    for name, network in networks.items():
        params = sum(p.numel() for p in network.parameters())
        published = PUBLISHED.get(name)
        said = f"{published[0]:,}; {published[1]:,}" if published else ""
        median = timed.timings[name].median
        print(
            f"| {name} | {params:,} | {macs_of_network(network, data):,} | {counted(network)} | "
            f"{said} | {1000 * median:.1f} | {timed.timings['dense'].median / median:.2f} |"
        )
    spread = "; ".join(
        f"{name} {1000 * t.low:.0f} … {1000 * t.high:.0f} ms" for name, t in timed.timings.items()
    )
    print(
        f"\nMasked and half answer alike to {apart:.0e}. Medians of {timed.timings['half'].rounds} "
        f"interleaved rounds of {timed.batch} samples on {timed.threads} threads; "
        f"quartiles: {spread}."
    )


def counted(network: torch.nn.Module) -> str:
    """MACs as torch_pruning counts them, with batch norm and bias, if it is installed."""
    try:
        import torch_pruning as tp
    except ImportError:
        return "not installed"
    macs, _ = tp.utils.count_ops_and_params(network, torch.randn(1, 3, 224, 224))
    return f"{int(macs):,}"


if __name__ == "__main__":
    main()
