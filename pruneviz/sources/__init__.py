"""Where do a model and its data come from?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn


@dataclass(frozen=True)
class Data:
    """Samples with their labels.

    inputs: [n, ...] as the model takes them (scaled already); targets: int64 [n].
    """

    inputs: Tensor
    targets: Tensor

    def __post_init__(self) -> None:
        if len(self.inputs) != len(self.targets):
            raise ValueError(
                f"data has {len(self.inputs)} inputs but {len(self.targets)} targets; "
                "give one target for each input"
            )

    def __len__(self) -> int:
        return len(self.inputs)

    def first(self, n: int) -> Data:
        """The first n samples (all of them if there are fewer)."""
        return Data(self.inputs[:n], self.targets[:n])


@dataclass(frozen=True)
class Outcome:
    """What one network answered on the first n validation samples, sample by sample.

    predicted: int64 [n], the class answered; loss: float32 [n], cross-entropy in nats.
    """

    predicted: Tensor
    loss: Tensor


@dataclass(frozen=True)
class Source:
    """A network with the data that feeds and measures it.

    calibration feeds the criteria (drawn from the training split); validation measures and is
    never used to choose scores. `dense` may carry what the dense network answered on all of
    `validation` when it was trained, so that there is something to show before anything ran.
    """

    name: str
    model: nn.Module
    calibration: Data
    validation: Data
    classes: tuple[str, ...]
    card: Mapping[str, object] = field(default_factory=dict)
    dense: Outcome | None = None
