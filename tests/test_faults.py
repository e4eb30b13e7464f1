"""Does each fault end in a sentence, with nothing lost that was confirmed?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import FAULTS, alone

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault(name: str, tmp_path: Path) -> None:
    code, text = alone(name, tmp_path / name)
    if "only root makes a small disk" in text:
        pytest.skip("only root makes a small disk")
    assert code == 0, text
    what, said, there = text.strip().strip("|").split("|")
    assert what.strip() == FAULTS[name].__doc__
    assert said.strip()
    assert there.strip()
