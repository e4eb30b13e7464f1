"""Are the counts of the pruning lab of MIT 6.5940 those that it prints?"""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import pruneviz as pv
from pruneviz.lessons import read_lessons
from pruneviz.measuring.counts import macs_of_network
from pruneviz.workbench import Workbench
from tests.benchmarks.mit_lab import PUBLISHED, Arrays, LabVGG, channels, pictures


@pytest.fixture(scope="module")
def lab() -> Workbench:
    torch.manual_seed(0)
    return pv.open(LabVGG().eval(), (torch.randn(12, 3, 32, 32), torch.arange(12) % 10))


@pytest.mark.slow
def test_thirty_per_cent_of_the_channels_leave_what_the_lab_prints(lab: Workbench) -> None:
    small = lab.prune(channels("consumer")).shrink()
    widths = [module.out_channels for module in small.modules() if isinstance(module, nn.Conv2d)]
    assert widths == [45, 90, 179, 179, 358, 358, 358, 512]
    assert sum(parameter.numel() for parameter in small.parameters()) == 5_013_666
    macs = macs_of_network(small, lab.source.validation)
    assert macs == 305_097_920
    sizes = (32, 32, 16, 16, 8, 8, 4, 4)
    norms = sum(width * size**2 for width, size in zip(widths, sizes, strict=True))
    assert norms == PUBLISHED["batch norms"] == 289_632
    assert macs + PUBLISHED["batch norms"] + PUBLISHED["mean"] == PUBLISHED["macs"] == 305_388_064
    counts = lab.counts(channels("consumer"))
    assert (counts.params_shrunk, counts.macs_shrunk) == (5_013_666, 305_097_920)
    assert (counts.params, counts.macs) == (9_228_362, 605_754_368)
    texts = [text for lesson in read_lessons() if lesson.course for text in lesson.texts]
    told = " ".join(" ".join(texts).split())
    assert f"{counts.params_shrunk:,} parameters by this cut" in told
    assert f"of the 64 channels of its first layer {widths[0]} stay" in told
    assert f"has {round(PUBLISHED['macs'] / 1e6)} million multiply" in told
    assert f"of {round(606_164_480 / 1e6)} million before" in told
    assert counts.macs + 409_600 + PUBLISHED["mean"] == 606_164_480, "dense, as the lab counts"


@pytest.mark.slow
def test_the_first_channels_stay_by_position(lab: Workbench) -> None:
    units = lab.masks(channels("position")).units
    for name, kept in units.items():
        stay = int(kept.sum())
        assert kept.tolist() == [True] * stay + [False] * (len(kept) - stay), name


def test_ten_of_a_tensor_of_five_by_five_stay_at_sixty_per_cent() -> None:
    pruned = pv.prune(nn.Linear(5, 5), pv.Plan(sparsity={"": 0.6}))
    assert int(pruned.masks[""].sum()) == 10


def test_batches_of_cifar_are_read_and_nothing_else_is_run(tmp_path: Path) -> None:
    data = np.arange(2 * 3072, dtype=np.int64).reshape(2, 3072).astype(np.uint8)
    batch = pickle.dumps({b"data": data, b"labels": [3, 7]}, protocol=2)
    (tmp_path / "test_batch").write_bytes(batch)
    images, labels = pictures(tmp_path, "test_batch", 1)
    assert images.shape == (2, 3, 32, 32)
    assert labels.tolist() == [3, 7]
    assert images[0, 0, 0, 1] == pytest.approx((1 / 255 - 0.4914) / 0.2023)
    with pytest.raises(SystemExit, match="data_batch_1 is missing"):
        pictures(tmp_path, "data_batch_{}", 5)
    (tmp_path / "test_batch").write_bytes(pickle.dumps(print))
    with (
        pytest.raises(pickle.UnpicklingError, match="no array"),
        (tmp_path / "test_batch").open("rb") as file,
    ):
        Arrays(file).load()
