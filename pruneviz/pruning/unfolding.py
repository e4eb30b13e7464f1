"""Which inputs does each weight of a layer meet?"""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812 (torch's own abbreviation)
from torch import Tensor, nn

from pruneviz.pruning.layers import Layer


def rows_of(inputs: Tensor, module: nn.Module) -> Tensor:
    """The inputs of a layer, unfolded: [samples, groups, fan-in, positions].

    Linear layers have one group, and every further dimension of their input is a position.
    """
    if isinstance(module, nn.Linear):
        rows = inputs.reshape(len(inputs), -1, inputs.shape[-1])
        return rows.transpose(1, 2).unsqueeze(1)
    assert isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Conv3d))
    padding = module._reversed_padding_repeated_twice
    mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
    patches = F.pad(inputs, padding, mode=mode)
    dims = len(module.kernel_size)
    for dim in range(dims):
        reach = (module.kernel_size[dim] - 1) * module.dilation[dim] + 1
        patches = patches.unfold(2 + dim, reach, module.stride[dim])
        patches = patches[..., :: module.dilation[dim]]
    # [n, channels, positions ..., kernel ...] -> [n, groups, channels × kernel, positions]
    n = len(patches)
    patches = patches.flatten(2, 1 + dims).flatten(3).transpose(2, 3)
    return patches.reshape(n, module.groups, -1, patches.shape[3])


def unit_rows(values: Tensor, layer: Layer) -> Tensor:
    """Outputs (or their gradients) of a layer as [samples, units, positions]."""
    if layer.kind == "linear":
        return values.reshape(len(values), -1, values.shape[-1]).transpose(1, 2)
    return values.reshape(len(values), values.shape[1], -1)
