"""How do the tests of the board's JavaScript run?"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "board"


def run_board_tests(*names: str, **environment: str) -> None:
    """Run the files `tests/board/NAME.test.js` in one process of node, by its own test runner.

    Without node the test is skipped, save in a CI's run, where that is a failure.
    """
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI"):
            pytest.fail("node is not here: the board's JavaScript would go untested")
        pytest.skip("node is not here: apt-get install nodejs, or nodejs.org")
    imports = "".join(f'import "./{name}.test.js";' for name in names)
    result = subprocess.run(
        [node, "--test-reporter=tap", "--input-type=module", "--eval", imports],
        cwd=FOLDER, env=os.environ | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = result.stdout + result.stderr
    if result.returncode != 0:
        pytest.fail(f"the board's own tests fail:\n{said}", pytrace=False)
    assert "\n# pass 0\n" not in said
