"""Is what was measured said in the words people use?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pruneviz.plan import Plan
from pruneviz.ui.wording import duration, measures_text, number
from pruneviz.workbench import Workbench


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("accuracy", 0.98765, "98.8 %"),
        ("top-1 agreement", 1.0, "100.0 %"),
        ("perplexity", 23.14, "23.1"),
        ("perplexity", 51_234.0, "51,234"),
        ("loss", 0.01234, "0.0123"),
        ("R²", -1.5, "-1.5"),
        ("loss", float("inf"), "∞"),
        ("accuracy", float("nan"), "–"),
    ],
)
def test_a_measure_is_written_as_people_do(name: str, value: float, words: str) -> None:
    assert number(name, value) == words


def test_all_measures_but_the_headline_stand_beside_those_of_dense(
    benches: Callable[[str], Workbench],
) -> None:
    result = benches("lenet5").evaluate(Plan(sparsity={"fc1": 0.9}), 64)
    told = replace(
        result,
        measures={"accuracy": 0.5, "top-5 accuracy": 0.75, "loss": 1.25},
        dense_measures={"accuracy": 1.0, "top-5 accuracy": 1.0, "loss": 0.5},
    )
    assert measures_text(told) == "top-5 accuracy 75.0 % (dense 100.0 %) · loss 1.25 (dense 0.5)"
    broken = measures_text(replace(told, broken=3))
    assert broken.startswith("3 answers hold NaN or infinite numbers · ")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "less than a second"), (1, "1 s"), (89, "89 s"), (120, "2 min"), (9000, "2.5 h")],
)
def test_a_time_is_said_as_people_do(seconds: float, words: str) -> None:
    assert duration(seconds) == words
