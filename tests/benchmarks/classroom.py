"""What do many visitors wait for, who drag sliders at one server at the same time?

python -m tests.benchmarks.classroom [--visitors 4 16 40] [--minutes 10] [--look 1 4]
    [--leave 120] [--busy] [--samples 500]

A server is started for each number of visitors. Each of them holds a WebSocket, drags a slider
over a handful of places without waiting for anything but the number of each, lets go, waits for the
number on all samples, looks at it for a while, and goes on with another layer. All numbers of all
settled plans are compared with the library's in the end, which is run when the server is gone.
--busy: beside them one more scans and another trains, again and again. --samples: the server
measures on so many.

Printed are: seconds of drags and of settled plans; drags that were answered by the word that their
network is measured once the thumb is let go; plans that did not settle within a minute; errors on
the screen; numbers other than the library's; MB when the server had answered nobody, when every
network had been opened by one visitor, at most while all were at work, and after they left.
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
from pruneviz.sources import few
from tests.benchmarks.visitor import Visitor
from tests.browser.serving import Served, free_port, served

NETWORKS = ("lenet300", "lenet5", "resnet20", "vit")
MOVES = 6  # of a thumb before it lets go
PATIENCE = 60.0


@dataclass
class Log:
    """What all visitors have seen: seconds, settled plans with their accuracy, what went wrong."""

    drags: list[float] = field(default_factory=list)
    settled: list[float] = field(default_factory=list)
    put_off: int = 0
    silent: list[str] = field(default_factory=list)
    look: tuple[float, float] = (1.0, 4.0)  # seconds a visitor looks at a number
    plans: list[tuple[str, dict[str, float], float]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


async def visit(address: str, network: str, seed: int, end: float, log: Log) -> None:
    """One visitor, until `end`; who hears nothing for a minute is counted, and goes on."""
    chance = random.Random(seed)
    async with Visitor(address, network) as visitor:
        try:
            await visitor.until(lambda data: bool(data.get("measured")), PATIENCE)
            while time.monotonic() < end:
                try:
                    await move(visitor, chance, log)
                except TimeoutError:
                    log.silent.append(f"{network}: nothing came in {PATIENCE:.0f} s")
                await asyncio.sleep(chance.uniform(*log.look))
        except (TimeoutError, OSError) as error:
            log.wrong.append(f"{network}: {error!r}")
        log.wrong += [f"{network}: {each}" for each in visitor.exceptions]


async def study(address: str, network: str, page: str, button: str, end: float, log: Log) -> None:
    """One who begins long work on a page; each begins it in a tab of its own, until `end`."""
    while time.monotonic() < end:
        async with Visitor(address, network) as visitor:
            try:
                await visitor.until(lambda data: bool(data.get("measured")), PATIENCE)
                layer = next(iter(visitor.data["settled"]["sparsity"]))
                await visitor.settle({layer: 0.5}, PATIENCE)
                await visitor.press(page, button, PATIENCE)
                await asyncio.sleep(min(60.0, max(1.0, end - time.monotonic())))
            except (TimeoutError, OSError) as error:
                log.wrong.append(f"{page}: {error!r}")
            log.wrong += [f"{page}: {each}" for each in visitor.exceptions]


async def move(visitor: Visitor, chance: random.Random, log: Log) -> None:
    """One drag and its release."""
    locked = set(visitor.data["settled"]["locked"])
    layer = chance.choice(
        [name for name in visitor.data["settled"]["sparsity"] if name not in locked]
    )
    goal = chance.uniform(0.1, 0.95)
    for step in range(1, MOVES):
        took = await visitor.drag({layer: round(goal * step / MOVES, 4)}, PATIENCE)
        if visitor.put_off:
            log.put_off += 1
        else:
            log.drags.append(took)
    sparsity = {**visitor.data["settled"]["sparsity"], layer: round(goal, 4)}
    log.settled.append(await visitor.settle({layer: round(goal, 4)}, PATIENCE))
    shown = visitor.data["settled"]["sparsity"]
    if shown != sparsity:
        log.wrong.append(f"{visitor.network}: {sparsity} was asked for, {shown} came")
    log.plans.append((visitor.network, sparsity, visitor.data["measured"]["accuracy"]))


async def lesson(
    app: Served, visitors: int, minutes: float, log: Log, *, busy: bool = False
) -> float:
    """All visitors at once; they arrive within a quarter of a minute. Returns the most MB."""
    end, most = time.monotonic() + 60 * minutes, [0.0]

    async def come(number: int) -> None:
        await asyncio.sleep(15 * number / visitors)
        await visit(app.address, NETWORKS[number % len(NETWORKS)], number, end, log)

    async def look() -> None:
        while True:
            most[0] = max(most[0], megabytes(app))
            await asyncio.sleep(2)

    others = [
        study(app.address, "resnet20", "sensitivity", "scan-start", end, log),
        study(app.address, "lenet5", "train", "train-begin", end, log),
    ]
    watch = asyncio.create_task(look())
    everybody = [come(number) for number in range(visitors)]
    await asyncio.gather(*everybody, *(others if busy else ()))
    watch.cancel()
    for unused in () if busy else others:
        unused.close()
    return most[0]


@contextmanager
def server(samples: str) -> Iterator[Served]:
    """The app with a home of its own."""
    with tempfile.TemporaryDirectory() as home:
        known = {"PRUNEVIZ_HOME": home, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "")}
        known[few.VARIABLE] = samples
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


def differences(log: Log, samples: str) -> int:
    """How many settled plans show another accuracy than the library measures."""
    os.environ[few.VARIABLE] = samples
    names = {name for name, _, _ in log.plans}
    benches = {name: pv.Workbench(few.few(pv.open(name).source)) for name in names}
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


def measure(log: Log, visitors: int, asked: argparse.Namespace) -> list[float]:
    """MB at the start, opened, at most, afterwards, where that many write into the log."""
    with server(asked.samples) as app:
        start = megabytes(app)
        asyncio.run(warm(app.address))
        time.sleep(asked.leave / 4)
        opened = megabytes(app)
        most = asyncio.run(lesson(app, visitors, asked.minutes, log, busy=asked.busy))
        time.sleep(asked.leave)
        return [start, opened, most, megabytes(app)]


def main() -> None:
    """Print a line for each number of visitors."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--visitors", type=int, nargs="+", default=[4, 16, 40])
    words.add_argument("--minutes", type=float, default=10.0)
    words.add_argument("--look", type=float, nargs=2, default=[1.0, 4.0], metavar=("LEAST", "MOST"),
                       help="seconds for which a visitor looks at a number")  # fmt: skip
    words.add_argument("--leave", type=float, default=120.0, help="seconds after all have left")
    words.add_argument("--busy", action="store_true", help="one more scans, another trains")
    words.add_argument("--samples", default="", help="on which the server measures")
    asked = words.parse_args()
    print(
        "| visitors | drags | p50 | p95 | put off | settled | p50 | p95 | in a minute not "
        "| errors | other numbers | MB |"
    )
    print("|---:|" + "---:|" * 10 + "---|")
    for visitors in asked.visitors:
        log = Log(look=(asked.look[0], asked.look[1]))
        memory = measure(log, visitors, asked)
        wrong = differences(log, asked.samples)
        print(
            f"| {visitors} | {len(log.drags)} | {at(log.drags, 0.5)} | {at(log.drags, 0.95)} "
            f"| {log.put_off} | {len(log.settled)} | {at(log.settled, 0.5)} "
            f"| {at(log.settled, 0.95)} | {len(log.silent)} | {len(log.wrong)} "
            f"| {wrong} | {', '.join(f'{each:.0f}' for each in memory)} |",
            flush=True,
        )
        for line in (log.silent + log.wrong)[:10]:
            print(f"  {line}", flush=True)


if __name__ == "__main__":
    main()
