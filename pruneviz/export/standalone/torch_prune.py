"""How is a checkpoint of `torch.nn.utils.prune` loaded where pruneviz is not?"""

# from torch_prune import load
# network = load(YourNetwork())    # prune.remove(module, name) makes a mask permanent

from pathlib import Path

import torch
from torch import nn
from torch.nn.utils import prune

HERE = Path(__file__).parent


def load(network: nn.Module, path: Path = HERE / "torch_prune.pt") -> nn.Module:
    """`network` with its masks on, as torch's own pruning puts them: NAME_orig and NAME_mask."""
    return put(network, torch.load(path, weights_only=True, mmap=True))


def put(network: nn.Module, state: dict[str, torch.Tensor]) -> nn.Module:
    """The same, of tensors that were read; one on the device "meta" takes them without a copy."""
    meta = any(parameter.is_meta for parameter in network.parameters())
    for key in state:
        name = key.removesuffix("_mask")
        if name != key and f"{name}_orig" in state:
            path, _, parameter = name.rpartition(".")
            prune.identity(network.get_submodule(path), parameter)  # type: ignore[no-untyped-call]
    network.load_state_dict(state, strict=True, assign=meta)
    for module in network.modules():  # attention reads the weights of a layer it does not call
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, prune.BasePruningMethod):
                hook(module, None)
    return network
