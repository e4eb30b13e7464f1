"""Which cases of a table run by default, and which with the slow tests?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest


def slow_but(quick: Callable[..., bool], table: Iterable[Any]) -> list[Any]:
    """Cases for `parametrize`: those that `quick` is true of run by default, the others with `-m
    slow`.
    """
    cases = [case if isinstance(case, tuple) else (case,) for case in table]
    return [pytest.param(*case, marks=() if quick(*case) else pytest.mark.slow) for case in cases]
