"""Is every sample on one side only, by a seed, and every class on both where it can be?"""

from __future__ import annotations

import pytest
import torch

from pruneviz.data import Data
from pruneviz.sources.data.split import split, twins


def numbered(targets: torch.Tensor | None, n: int) -> Data:
    return Data(torch.arange(float(n))[:, None], targets)


@pytest.mark.parametrize("n", [2, 3, 10, 1000])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.99])
@pytest.mark.parametrize("kind", ["classes", "one class", "all different", "floats", "none"])
def test_no_sample_is_lost_doubled_or_on_both_sides(n: int, share: float, kind: str) -> None:
    targets = {
        "classes": torch.arange(n) % 3,
        "one class": torch.zeros(n, dtype=torch.int64),
        "all different": torch.arange(n),
        "floats": torch.rand(n),
        "none": None,
    }[kind]
    data = numbered(targets, n)
    calibration, validation, _ = split(data, share, 0)
    assert len(calibration) >= 1
    assert len(validation) >= 1
    rows = torch.cat([side.tensors()[""][:, 0] for side in (calibration, validation)])
    assert rows.sort().values.tolist() == list(range(n))
    if targets is not None and calibration.targets is not None:
        assert torch.equal(calibration.targets, targets[calibration.tensors()[""][:, 0].long()])


def test_each_class_is_cut_by_the_share() -> None:
    targets = torch.tensor([0] * 700 + [1] * 200 + [2] * 100)
    calibration, _, note = split(numbered(targets, 1000), 0.3, 0)
    assert calibration.targets is not None
    assert calibration.targets.bincount().tolist() == [210, 60, 30]
    assert (
        note == "a seeded 30 % of 1,000 samples calibrates (300), the other 700 validate (seed 0)"
    )


def test_the_first_to_validate_are_a_fair_sample_of_all() -> None:
    targets = torch.tensor([0] * 700 + [1] * 300)
    ones = 0
    for seed in range(100):
        validation = split(numbered(targets, 1000), 0.3, seed)[1]
        assert validation.targets is not None
        ones += int(validation.targets[:10].sum())
    assert 240 < ones < 360, "300 of 1,000, within four standard deviations"


def test_small_classes_stand_on_both_sides() -> None:
    targets = torch.tensor([0] * 100 + [1, 1, 2, 2, 3])
    calibration, validation, _ = split(numbered(targets, 105), 0.3, 5)
    assert calibration.targets is not None
    assert validation.targets is not None
    assert calibration.targets[calibration.targets > 0].sort().values.tolist() == [1, 2]
    assert validation.targets[validation.targets > 0].sort().values.tolist() == [1, 2, 3]


def test_more_than_was_asked_is_said() -> None:
    calibration, _, note = split(numbered(torch.arange(20) // 2, 20), 0.1, 0)
    assert len(calibration) == 10
    assert "a seeded 50 % of 20" in note
    assert note.endswith("10 % was asked, but each class stands on both")


def test_the_seed_decides() -> None:
    data = numbered(torch.arange(50) % 2, 50)
    first, again, other = (split(data, 0.3, seed)[0].tensors()[""] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_a_share_that_leaves_one_side_bare_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="must lie between 0 and 1, got"):
        split(numbered(None, 5), share, 0)


@pytest.mark.parametrize(("n", "words"), [(0, "there is no sample"), (1, "there is one sample")])
def test_too_few_samples_are_refused(n: int, words: str) -> None:
    with pytest.raises(ValueError, match=f"{words}; give at least two"):
        split(numbered(None, n), 0.3, 0)


def test_twins_are_counted() -> None:
    one = Data({"a": torch.tensor([[1.0], [2.0]]), "b": torch.tensor([True, False])})
    two = Data({"a": torch.tensor([[2.0], [1.0], [2.0]]), "b": torch.tensor([False, False, False])})
    assert twins(one, two) == 2
    assert twins(two, one) == 1
