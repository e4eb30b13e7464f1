"""Does each fault end in a sentence, with nothing lost that was confirmed?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import FAULTS

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults", str(tmp_path / name), name],
        capture_output=True, text=True, cwd=ROOT, timeout=300,
    )  # fmt: skip
    if "only root makes a small disk" in done.stderr:
        pytest.skip("only root makes a small disk")
    assert done.returncode == 0, done.stderr
    what, said, there = done.stdout.strip().strip("|").split("|")
    assert what.strip() == FAULTS[name].__doc__
    assert said.strip()
    assert there.strip()
