"""Are weights quantised, which nothing can be pruned from?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

QUANTISED = (
    "prune first, quantise afterwards; open the network, or the checkpoint, as it was before that"
)
# Packages whose modules or tensors are quantised.
PREFIXES = (
    "torch.ao.nn.quantized",
    "torch.ao.nn.intrinsic.quantized",
    "torch.ao.nn.sparse.quantized",
    "torch.nn.quantized",
    "torch.nn.intrinsic.quantized",
    "bitsandbytes.",
    "torchao.",
    "auto_gptq.",
    "gptqmodel.",
    "awq.",
    "hqq.",
    "optimum.quanto.",
)
# The last part of a key, and whose files have it. Scales alone say nothing: networks have those.
_LEAVES = (
    ("_packed_params", "torch.ao"),
    ("_packed_params.", "torch.ao"),
    ("SCB", "bitsandbytes, 8 bits"),
    ("quant_map", "bitsandbytes, 4 bits"),
    ("quant_state.", "bitsandbytes, 4 bits"),
    ("g_idx", "GPTQ"),
    ("qweight", "GPTQ or AWQ"),
    ("qzeros", "GPTQ or AWQ"),
    ("weight_packed", "compressed-tensors"),
    ("_weight_qdata", "torchao"),
    ("weight_qdata", "torchao"),
    ("weight._data", "quanto"),
    ("weight_fake_quant.", "torch.ao, being trained for it"),
    ("activation_post_process.", "torch.ao, being prepared for it"),
)
_MATRICES = ("weight", "in_proj_weight", "W_q")


def quantisation_of(keys: Iterable[str], tensors: Mapping[str, Tensor]) -> tuple[str, str] | None:
    """(the key that shows it, by what) for a checkpoint of quantised weights; else None.

    keys: all of the file, those of no tensors too. A weight matrix of whole numbers or of less
    than 16 bits shows it as well; so does a tensor that torch itself calls quantised.
    """
    suffixes = {key: f".{key}" for key in keys}
    for leaf, by in _LEAVES:
        for key, dotted in suffixes.items():
            if dotted.endswith(f".{leaf}") or (leaf.endswith(".") and f".{leaf}" in dotted):
                return key, by
    for key, tensor in tensors.items():
        kind = str(tensor.dtype).removeprefix("torch.")
        if tensor.is_quantized:
            return key, kind
        numbers = (tensor.is_floating_point() and tensor.itemsize > 1) or tensor.is_complex()
        matrix = tensor.ndim > 1 and key.rpartition(".")[2] in _MATRICES
        if matrix and not numbers and tensor.dtype != torch.bool:
            return key, kind
    return None
