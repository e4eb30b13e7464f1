"""Does a picture say what was answered, what is answered now, and what is right?"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pruneviz.ui.workbench.panels import caption
from tests.small import small_bench

CLASSES = ("cat", "dog", "hen")


@pytest.mark.parametrize(
    ("right", "dense", "now", "words"),
    [
        (0, 0, 1, "cat → dog"),
        (0, 1, 0, "dog → cat (is cat)"),
        (2, 1, 0, "dog → cat (is hen)"),
        (None, 1, 0, "dog → cat"),
        (0, 0, 7, "cat → 7"),
        (0, 0, -1, "cat → –"),
    ],
)
def test_what_is_right_is_told_where_the_dense_answer_was_not(
    right: int | None, dense: int, now: int, words: str
) -> None:
    bench = small_bench()
    result = replace(
        bench.evaluate(bench.plan, 1),
        dense_predicted=torch.tensor([dense]),
        predicted=torch.tensor([now]),
    )
    targets = None if right is None else torch.tensor([right])
    assert caption(CLASSES, result, targets, 0) == words
