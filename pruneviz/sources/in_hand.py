"""How does a model in hand come with its data?"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pruneviz.sources import Data, Source

_CALIBRATION_SHARE = 0.3


def from_model(model: nn.Module, data: Data | tuple[Tensor, Tensor]) -> Source:
    """A source of a model and its labelled data, (inputs [n, ...], targets int64 [n]).

    A seeded 30 % of the data calibrates and the rest validates. ValueError when it is no pair.
    """
    if not isinstance(data, Data):
        if not isinstance(data, (tuple, list)) or len(data) != 2:
            raise ValueError(f"data must be a pair (inputs, targets), got {type(data).__name__}")
        data = Data(*data)
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))
    border = max(1, round(_CALIBRATION_SHARE * len(data))) if len(data) else 0
    calibration, validation = order[:border], order[border:]
    classes = int(data.targets.max()) + 1 if len(data) else 0
    return Source(
        name=type(model).__name__,
        model=model,
        calibration=Data(data.inputs[calibration], data.targets[calibration]),
        validation=Data(data.inputs[validation], data.targets[validation]),
        classes=tuple(str(i) for i in range(classes)),
    )
