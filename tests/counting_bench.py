"""What does a scan or a contest ask of its workbench, and what has it stored?"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan
from pruneviz.workbench import Workbench


class CountingBench:
    """A workbench that notes what it was asked to measure."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.asked: list[tuple[Plan, int | None]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bench, name)

    @property
    def cuts(self) -> list[tuple[Plan, int | None]]:
        """What was asked of plans that cut anything."""
        return [(plan, n) for plan, n in self.asked if not plan.is_dense]

    def evaluate(self, plan: Plan, n: int | None = None, start: int = 0) -> Evaluation:
        self.asked.append((plan, n))
        return self.bench.evaluate(plan, n, start)


def rows(home: Path) -> int:
    """How many points are kept in `home` by now."""
    file = home / "measured.sqlite3"
    if not file.exists():
        return 0
    base = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        return int(base.execute("SELECT count(*) FROM measured").fetchone()[0])
    except sqlite3.OperationalError:  # not made yet
        return 0
    finally:
        base.close()
