"""Which samples calibrate, and which validate?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import torch
from torch import Tensor

from pruneviz.data import Data

_HASHED = 2**28  # bytes: about a third of a second


def split(data: Data, share: float, seed: int) -> tuple[Data, Data, str]:
    """(calibration, validation, the sentence that says so), no sample on both sides.

    Where targets are classes, each class is cut by `share`, and stands on both sides if it has two
    samples. ValueError: a share outside (0, 1), or fewer than two samples.
    """
    if not 0 < share < 1:
        raise ValueError(f"the share that calibrates must lie between 0 and 1, got {share}")
    n = len(data)
    if n < 2:
        samples = "no sample" if n == 0 else "one sample"
        raise ValueError(
            f"validation data is empty: there is {samples}; give at least two, "
            "one that calibrates and one that validates"
        )
    chance = torch.Generator().manual_seed(seed)
    order = torch.randperm(n, generator=chance)
    number = min(n - 1, max(1, round(share * n)))
    labels = data.targets
    classes = labels is not None and labels.ndim == 1 and not labels.is_floating_point()
    calibrates = _by_class(labels[order], share, number) if classes and labels is not None else None
    if calibrates is None:
        calibrates = torch.arange(n) < number
    else:
        # Each class has lost its first ones, so the first that are left are no fair sample of all:
        # the probe, which takes the first to validate, needs another shuffle.
        again = torch.randperm(n, generator=chance)
        order, calibrates = order[again], calibrates[again]
    calibrating = int(calibrates.sum())
    note = (
        f"a seeded {calibrating / n:.0%} of {n:,} samples calibrates ({calibrating:,}), "
        f"the other {n - calibrating:,} validate (seed {seed})"
    ).replace("%", " %")
    if calibrating > number:
        note += f"; {share:.0%} was asked".replace("%", " %") + ", but each class stands on both"
    return data.take(order[calibrates]), data.take(order[~calibrates]), note


def twins(calibration: Data, validation: Data) -> int:
    """How many validation samples have the very same inputs as one that calibrates.

    0 without looking where there is too much to look at.
    """
    size = sum(
        tensor.numel() * tensor.element_size()
        for data in (calibration, validation)
        for tensor in data.tensors().values()
    )
    if size > _HASHED:
        return 0
    prints = set(_prints(calibration))
    return sum(each in prints for each in _prints(validation))


def _by_class(labels: Tensor, share: float, number: int) -> Tensor | None:
    """Which of the shuffled labels calibrate, bool [n]; None where no class has two samples."""
    _, which, counts = torch.unique(labels, return_inverse=True, return_counts=True)
    least, most = (counts >= 2).long(), counts - 1
    if int(most.sum()) == 0:
        return None
    exact = share * counts.double()
    quota = exact.floor().long().clamp(least, most)
    # What rounding down left over goes to the largest remainders, the first class among equals.
    for at in torch.sort(exact - quota, descending=True, stable=True).indices.tolist():
        if int(quota.sum()) < number and quota[at] < most[at]:
            quota[at] += 1
    calibrates = torch.zeros(len(labels), dtype=torch.bool)
    for at, take in enumerate(quota.tolist()):
        calibrates[(which == at).nonzero()[:take, 0]] = True
    return calibrates


def _prints(data: Data) -> Iterator[bytes]:
    tensors = [tensor.contiguous() for tensor in data.tensors().values()]
    for i in range(len(data)):
        row = hashlib.blake2b(digest_size=16)
        for tensor in tensors:
            row.update(tensor[i].reshape(-1).view(torch.uint8).numpy().tobytes())
        yield row.digest()
