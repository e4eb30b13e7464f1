"""Which digits train, calibrate and measure the sample networks?"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pruneviz.data import Data
from sample_models.material import Material

FILE = Path(__file__).parent / "data" / "mnist_10k.npz"
CLASSES = tuple("0123456789")
TRAINED, CALIBRATED_PER_CLASS, SPLIT_SEED = 8_000, 100, 2024
MEAN, DEVIATION = 0.1307, 0.3081  # of MNIST's 60,000 training digits, grey levels in [0, 1]


def training() -> Data:
    """The 8,000 digits that train: float32 [8000, 1, 28, 28], normalised, in shuffled order.

    Shared by the whole process, as are the two below: never write to them.
    """
    return _chosen("training")


def calibration() -> Data:
    """1,000 of the training digits, 100 a class, that feed the criteria: [1000, 1, 28, 28]."""
    return _chosen("calibration")


def validation() -> Data:
    """The 2,000 digits that only measure: [2000, 1, 28, 28]; none of them trains or scores."""
    return _chosen("validation")


def material() -> Material:
    """The digits that train, calibrate and measure."""
    chosen = calibration(), validation()
    return Material(
        training(),
        *chosen,
        CLASSES,
        notes=(
            f"{len(chosen[0]):,} of the digits it was trained on calibrate, {len(chosen[1]):,} "
            "that it has never seen validate",
        ),
    )


@cache
def split() -> dict[str, Tensor]:
    """Positions in the file, by use: training int64 [8000], calibration [1000], validation [2000].

    Each is in random order, so that the first n of any are a fair sample of all of it.
    """
    _, targets = _decoded()
    # RandomState because NumPy promises its stream for ever, and the weights depend on the split.
    random = np.random.RandomState(SPLIT_SEED)
    order = torch.from_numpy(random.permutation(len(targets)))
    train, held_out = order[:TRAINED], order[TRAINED:]
    per_class = [train[targets[train] == c][:CALIBRATED_PER_CLASS] for c in range(len(CLASSES))]
    balanced = torch.cat(per_class)
    shuffled = balanced[torch.from_numpy(random.permutation(len(balanced)))]
    return {"training": train, "calibration": shuffled, "validation": held_out}


@cache
def _chosen(use: str) -> Data:
    images, targets = _decoded()
    chosen = split()[use]
    scaled = images[chosen].float().div(255).sub(MEAN).div(DEVIATION)
    return Data(scaled.unsqueeze(1), targets[chosen])


@cache
def _decoded() -> tuple[Tensor, Tensor]:
    with np.load(FILE) as arrays:
        return torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"]).long()
