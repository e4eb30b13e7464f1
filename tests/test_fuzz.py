"""Do the readers answer whatever comes with a sentence?"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.readers import READERS, tried


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
def test_whatever_comes_is_read_or_refused_in_words(reader: str) -> None:
    checks = settings(
        max_examples=150,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[*HealthCheck],
    )
    checks(given(READERS[reader][0])(lambda value: tried(reader, value)))()
