"""How is a shrunk network put together where pruneviz is not?"""

# from rebuild import rebuild
# network = rebuild(YourNetwork())    # an instance of your own class, as it was before pruning

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

HERE = Path(__file__).parent


def rebuild(network: nn.Module, folder: Path = HERE) -> nn.Module:
    """`network` made into the shrunk one, in eval mode: blocks and sizes first, then its weights.

    One on the device "meta" takes the file's tensors as they lie there, without a copy.
    """
    widths = json.loads(Path(folder, "widths.json").read_text("utf-8"))
    weights = load_file(Path(folder, "shrunk.safetensors"))
    for path, how in widths.get("left_out", {}).items():  # a block that is gone is passed by
        network.set_submodule(path, LeftOut(how["hands_on"], how["values"]))
    for name, shape in widths["shapes"].items():
        _resize(network, name, shape["from"], shape["to"])
    for path, changes in widths["attributes"].items():
        module = network.get_submodule(path)
        for name, change in changes.items():
            setattr(module, name, type(getattr(module, name))(change["to"]))
    for name in widths["buffers"]:  # what the state dict leaves out
        path, _, last = name.rpartition(".")
        setattr(network.get_submodule(path), last, weights.pop(name))
    for module in network.modules():  # what was worked out from the old sizes
        for name, value in vars(module).items():
            if "cache" in name and isinstance(value, dict):
                value.clear()
    for name, first in widths["tied"].items():
        weights[name] = weights[first]
    meta = any(parameter.is_meta for parameter in network.parameters())
    network.load_state_dict(weights, strict=True, assign=meta)
    for name, first in widths["tied"].items():
        path, _, last = name.rpartition(".")
        place, _, own = first.rpartition(".")
        setattr(network.get_submodule(path), last, getattr(network.get_submodule(place), own))
    return network.eval()


class LeftOut(nn.Module):
    """Where a block was: hands on the first tensor that it is given, or zeros like it."""

    def __init__(self, hands_on: bool, values: int) -> None:
        super().__init__()
        self.hands_on, self.values = hands_on, values

    def forward(self, *args: object, **kwargs: object) -> object:
        """values: of the tuple that the block's module returned; 0: a tensor alone."""
        first = next(x for x in (*args, *kwargs.values()) if isinstance(x, torch.Tensor))
        tensor = first if self.hands_on else torch.zeros_like(first)
        return (tensor, *[None] * (self.values - 1)) if self.values else tensor


def _resize(network: nn.Module, name: str, before: list[int], after: list[int]) -> None:
    path, _, last = name.rpartition(".")
    old = getattr(network.get_submodule(path), last)
    if list(old.shape) != before:
        raise ValueError(f"{name} is {list(old.shape)} here, not {before}: another network")
    new = torch.zeros(after, dtype=old.dtype, device=old.device)
    if isinstance(old, nn.Parameter):
        new = nn.Parameter(new, requires_grad=old.requires_grad)
    for module in network.modules():  # under every name that it has
        for own in (module._parameters, module._buffers):
            for key in [key for key, value in own.items() if value is old]:
                setattr(module, key, new)
