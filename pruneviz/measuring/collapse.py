"""Where does a pruned network stop depending on its input?"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pruneviz.replica import masked, replica, state

_SAMPLES = 16
_TOLERANCE = 1e-6


def cut_in_two(
    model: nn.Module, masks: Mapping[str, Tensor], layers: tuple[str, ...], inputs: Tensor
) -> str | None:
    """The first layer behind which nothing depends on the input any more, or None.

    Measured on up to 16 of `inputs` [n, ...]: only if the network answers all of them alike is a
    layer named, the first in the order they run from which on no layer's output varies; a branch
    that died before others went on is not it.
    """
    network = replica(model)
    varies: dict[str, bool] = {}
    inputs = inputs[:_SAMPLES]

    def listen(name: str) -> None:
        def hear(module: nn.Module, given: object, output: Tensor) -> None:
            varies.setdefault(name, _varies(output))

        network.get_submodule(name).register_forward_hook(hear)

    for name in layers:
        listen(name)
    with torch.inference_mode():
        outputs = torch.func.functional_call(network, masked(state(model), masks), (inputs,))
    if len(inputs) < 2 or _varies(outputs):
        return None
    dead: list[str] = []
    for name, moving in varies.items():
        dead = [] if moving else [*dead, name]
    return dead[0] if dead else "the output"


def _varies(values: Tensor) -> bool:
    # Rows of one matrix product may differ in the last bit although their inputs are equal.
    spread = (values - values[:1]).abs().max()
    return bool(spread > _TOLERANCE * values.abs().max().clamp(min=1))
