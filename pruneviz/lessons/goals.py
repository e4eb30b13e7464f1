"""Which goals are there for whoever wants one?"""

from __future__ import annotations

from pruneviz.lessons.goal import Goal

GOALS = (
    Goal(
        "A quarter of the size",
        "lenet5",
        kept=0.25,
        accuracy=0.97,
        controls=("criterion", "granularity", "repair"),
        reveal=True,
    ),
    Goal(
        "Fit the 64 KiB board",
        "lenet300",
        granularity="neuron",
        flash=64.0,
        accuracy=0.95,
        controls=("criterion", "granularity", "repair"),
        reveal=True,
    ),
    Goal(
        "Find the layer nobody misses",
        "resnet20",
        alone=0.9,
        lose=0.02,
        controls=("criterion",),
        reveal=True,
    ),
)
