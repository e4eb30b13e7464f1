"""Are these the same samples as before?"""

from __future__ import annotations

import hashlib

import torch

from pruneviz.data import Data


def fingerprint_of(*data: Data, text: str = "") -> str:
    """The first 16 hex digits of the SHA-256 of all inputs and targets, and of a text."""
    digest = hashlib.sha256(text.encode())
    for part in data:
        tensors = part.tensors() | ({} if part.targets is None else {"targets ": part.targets})
        for name, tensor in sorted(tensors.items()):
            digest.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
            digest.update(tensor.contiguous().cpu().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()[:16]
