"""How long do the readers stand whatever comes? python -m tests.fuzz --minutes N [READER...]"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings

from tests.fuzz.readers import READERS, tried


def _of(name: str) -> Callable[[Any], None]:
    return lambda value: tried(name, value)


def main() -> None:
    """Tries the readers in turn; the first fault is raised, made as small as can be."""
    words = argparse.ArgumentParser()
    words.add_argument("--minutes", type=float, default=2)
    words.add_argument("readers", nargs="*", default=[*READERS])
    asked = words.parse_args()
    end, count = time.monotonic() + 60 * asked.minutes, 0
    checks = settings(
        max_examples=200, deadline=None, database=None, suppress_health_check=[*HealthCheck]
    )
    while time.monotonic() < end:
        for name in asked.readers:
            checks(given(READERS[name][0])(_of(name)))()
            count += 200
    print(f"{count} examples of {', '.join(asked.readers)}: nothing but sentences")


if __name__ == "__main__":
    main()
