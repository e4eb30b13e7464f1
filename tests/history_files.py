"""Which history do the tests fill, and is its file whole?"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pruneviz.history import History, Measurement, ModelVersion
from pruneviz.history.file import FILE
from pruneviz.plan import Plan

MODEL = ModelVersion("lenet5", "a" * 12, "d" * 16)
RECORD = Measurement(10, 0.9, 0.8, 0.95, 0.1, 0.0, 0.0, 0.0, 100, 50, 50, 10, 5)


def whole(folder: Path) -> bool:
    file = sqlite3.connect(folder / FILE)
    try:
        return bool(file.execute("PRAGMA integrity_check").fetchone() == ("ok",))
    finally:
        file.close()


def filled(folder: Path, count: int = 200) -> None:
    history = History(folder)
    for k in range(count):
        history.visit(MODEL, Plan(sparsity={f"layer{i}": k / count for i in range(20)}))
    history.close()
