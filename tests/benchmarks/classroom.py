"""What do many visitors wait for, who drag sliders at one server at the same time?

python -m tests.benchmarks.classroom [--visitors 4 16 40] [--minutes 2] [--leave 30]

A server is started for each number of visitors. Each of them holds a WebSocket, drags a slider
over a handful of places without waiting for anything but the number of each, lets go, waits for the
number on all samples, looks at it for a while, and goes on with another layer. All numbers of all
settled plans are compared with the library's in the end, which is run when the server is gone.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pruneviz as pv
from tests.benchmarks.visitor import Visitor
from tests.browser.serving import Served, free_port, served

NETWORKS = ("lenet300", "lenet5", "resnet20", "vit")
MOVES = 6  # of a thumb before it lets go
LOOK = (1.0, 4.0)  # seconds a visitor looks at a number
PATIENCE = 60.0


@dataclass
class Log:
    """What all visitors have seen: seconds, settled plans with their accuracy, what went wrong."""

    drags: list[float] = field(default_factory=list)
    settled: list[float] = field(default_factory=list)
    plans: list[tuple[str, dict[str, float], float]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


async def visit(address: str, network: str, seed: int, end: float, log: Log) -> None:
    """One visitor, until `end`."""
    chance = random.Random(seed)
    async with Visitor(address, network) as visitor:
        try:
            await visitor.until(lambda data: bool(data.get("measured")), PATIENCE)
            while time.monotonic() < end:
                await move(visitor, chance, log)
                await asyncio.sleep(chance.uniform(*LOOK))
        except TimeoutError:
            log.wrong.append(f"{network}: nothing came in {PATIENCE:.0f} s")
        log.wrong += [f"{network}: {each}" for each in visitor.exceptions]


async def move(visitor: Visitor, chance: random.Random, log: Log) -> None:
    """One drag and its release."""
    locked = set(visitor.data["settled"]["locked"])
    layer = chance.choice(
        [name for name in visitor.data["settled"]["sparsity"] if name not in locked]
    )
    goal = chance.uniform(0.1, 0.95)
    for step in range(1, MOVES):
        log.drags.append(await visitor.drag({layer: round(goal * step / MOVES, 4)}, PATIENCE))
    sparsity = {**visitor.data["settled"]["sparsity"], layer: round(goal, 4)}
    log.settled.append(await visitor.settle({layer: round(goal, 4)}, PATIENCE))
    shown = visitor.data["settled"]["sparsity"]
    if shown != sparsity:
        log.wrong.append(f"{visitor.network}: {sparsity} was asked for, {shown} came")
    log.plans.append((visitor.network, sparsity, visitor.data["measured"]["accuracy"]))


async def lesson(address: str, visitors: int, minutes: float, log: Log) -> None:
    """All visitors at once; they arrive within a quarter of a minute."""
    end = time.monotonic() + 60 * minutes

    async def come(number: int) -> None:
        await asyncio.sleep(15 * number / visitors)
        await visit(address, NETWORKS[number % len(NETWORKS)], number, end, log)

    await asyncio.gather(*(come(number) for number in range(visitors)))


@contextmanager
def server() -> Iterator[Served]:
    """The app with a home of its own."""
    with tempfile.TemporaryDirectory() as home:
        known = {"PRUNEVIZ_HOME": home, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "")}
        known = {name: text for name, text in known.items() if text}
        with served(Path(home) / "log", free_port(), (), known) as app:
            yield app


def megabytes(app: Served) -> float:
    """Memory that the server's process holds."""
    status = Path(f"/proc/{app.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def at(values: list[float], share: float) -> str:
    """A quantile in seconds."""
    if not values:
        return "–"
    return f"{sorted(values)[min(len(values) - 1, int(share * len(values)))]:.2f}"


def differences(log: Log) -> int:
    """How many settled plans show another accuracy than the library measures."""
    benches = {name: pv.open(name) for name in {name for name, _, _ in log.plans}}
    wrong = 0
    for name, sparsity, accuracy in log.plans:
        plan = pv.Plan(sparsity={layer: level for layer, level in sparsity.items() if level})
        wrong += abs(benches[name].evaluate(plan).accuracy - accuracy) > 1e-12
    return wrong


async def warm(address: str) -> None:
    """Every network is opened once, so that memory can be compared before and after."""
    for name in NETWORKS:
        async with Visitor(address, name) as visitor:
            await visitor.until(
                lambda data: bool((data.get("measured") or {}).get("full")), PATIENCE
            )
            await visitor.settle({[*visitor.data["settled"]["sparsity"]][1]: 0.5}, PATIENCE)


def main() -> None:
    """Print a line for each number of visitors."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--visitors", type=int, nargs="+", default=[4, 16, 40])
    words.add_argument("--minutes", type=float, default=2.0)
    words.add_argument("--leave", type=float, default=30.0, help="seconds after all have left")
    asked = words.parse_args()
    print(
        "| visitors | drags | p50 | p95 | settled | p50 | p95 | wrong | MB before, at work, after |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---|")
    for visitors in asked.visitors:
        log = Log()
        with server() as app:
            asyncio.run(warm(app.address))
            before = megabytes(app)
            asyncio.run(lesson(app.address, visitors, asked.minutes, log))
            during = megabytes(app)
            time.sleep(asked.leave)
            after = megabytes(app)
        wrong = len(log.wrong) + differences(log)
        print(
            f"| {visitors} | {len(log.drags)} | {at(log.drags, 0.5)} | {at(log.drags, 0.95)} "
            f"| {len(log.settled)} | {at(log.settled, 0.5)} | {at(log.settled, 0.95)} | {wrong} "
            f"| {before:.0f}, {during:.0f}, {after:.0f} |",
            flush=True,
        )
        for line in log.wrong[:10]:
            print(f"  {line}", flush=True)


if __name__ == "__main__":
    main()
