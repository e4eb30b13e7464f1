"""How do the weights of a plan leave as they are, whole, by themselves?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from pruneviz.data import Inputs
from pruneviz.export.files import copy_program
from pruneviz.export.proof import Proof, load, prove, read_back, reuse, run_of, without_memory
from pruneviz.export.standalone import torch_prune
from pruneviz.export.subject import Subject
from pruneviz.measuring.sizes import ties
from pruneviz.network.forward_pass import call_all
from pruneviz.network.replica import first_names, overlaid, state
from pruneviz.pruning.pruned import Pruned

_DTYPES = {
    torch.bool: "BOOL",
    torch.uint8: "U8",
    torch.int8: "I8",
    torch.int16: "I16",
    torch.int32: "I32",
    torch.int64: "I64",
    torch.uint16: "U16",
    torch.uint32: "U32",
    torch.uint64: "U64",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float32: "F32",
    torch.float64: "F64",
    torch.complex64: "C64",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e5m2: "F8_E5M2",
}
_BLOCK = 2**22  # numbers that are written at a time


@dataclass(frozen=True)
class FileEntry:
    """A tensor of a file, which `make` gives when it is its turn to be written."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    make: Callable[[], Tensor]


def plain(network: nn.Module) -> dict[str, Tensor]:
    """The tensors of its state dict, shared with it, under each of their names."""
    tensors = network.state_dict().items()
    return {name: tensor for name, tensor in tensors if isinstance(tensor, Tensor)}


def once(network: nn.Module) -> dict[str, Tensor]:
    """The same, tied tensors under their first name alone."""
    twice = ties(network)
    return {name: tensor for name, tensor in plain(network).items() if name not in twice}


def clean(tensor: Tensor) -> Tensor:
    """As a file holds it: on the CPU, in one block of its own, zeros without a sign.

    The very tensor where it is so. A mask may leave -0.0, a bit that no archive folds away.
    """
    tensor = tensor.detach().cpu().contiguous()
    if any(map(_has_signed_zeros, torch.split(tensor.view(-1), _BLOCK))):
        return tensor + 0.0
    return tensor if tensor.untyped_storage().nbytes() == tensor.nbytes else tensor.clone()


def _has_signed_zeros(numbers: Tensor) -> bool:
    if not numbers.is_floating_point() or numbers.element_size() == 1:  # torch tells none there
        return False
    return bool((torch.signbit(numbers) & (numbers == 0)).any())


def save_tensors(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, str]) -> None:
    """As `save_entries`, of tensors that are there already."""
    entries = {
        n: FileEntry(t.dtype, tuple(t.shape), partial(Tensor.detach, t)) for n, t in tensors.items()
    }
    save_entries(path, entries, header)


def save_entries(path: Path, entries: Mapping[str, FileEntry], header: Mapping[str, str]) -> None:
    """A safetensors file, a part of a tensor after the other: no second copy is held.

    The format: https://github.com/huggingface/safetensors#format
    """
    names = sorted(entries, key=lambda name: (-entries[name].dtype.itemsize, name))
    index: dict[str, Any] = {"__metadata__": dict(sorted(header.items()))}
    end = 0
    for name in names:
        dtype, shape = entries[name].dtype, entries[name].shape
        if dtype not in _DTYPES:
            raise ValueError(f"{name!r} is {dtype}, which safetensors does not know")
        place = [end, end := end + prod(shape) * dtype.itemsize]
        index[name] = {"dtype": _DTYPES[dtype], "shape": list(shape), "data_offsets": place}
    text = json.dumps(index, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for name in names:
            for part in torch.split(entries[name].make().detach().reshape(-1), _BLOCK):
                numbers = part.cpu() + 0.0 if _has_signed_zeros(part) else part.cpu()
                file.write(numbers.view(torch.uint8).numpy().data)


def save_torch(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """A file that `torch.load(weights_only=True)` reads; what is tied is in it once."""
    copies: dict[object, Tensor] = {}
    ready = {}
    for name, tensor in tensors.items():
        where = (tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype)
        if where not in copies:
            copies[where] = clean(tensor)
        ready[name] = copies[where]
    with path.open("wb") as file:  # by Python, whose errors say what the disk lacks
        torch.save(ready, file)


def about(subject: Subject) -> dict[str, str]:
    """What stands beside the tensors in a safetensors file."""
    return {"format": "pt", "plan": json.dumps(subject.plan.as_dict())}


def write_safetensors(subject: Subject, folder: Path) -> None:
    """The weights under the user's own keys; for tied ones the library's own note of it."""
    notes = about(subject) | ties(subject.overlay)
    save_tensors(folder / "model.safetensors", once(subject.overlay), notes)


def prove_safetensors(subject: Subject, folder: Path) -> Proof:
    """Loaded strictly into a blank network of the user's class."""
    open_file = partial(load_file, folder / "model.safetensors")
    network = load(subject, read_back(open_file, plain(subject.overlay)))
    twice = len(ties(subject.overlay))
    words = f"{twice} tied tensor{'' if twice == 1 else 's'} written once: " if twice else ""
    words += "safetensors.torch.load_model reads it" if twice else ""
    return prove(subject, run_of(network), words)


def write_state_dict(subject: Subject, folder: Path) -> None:
    """The weights under the user's own keys, as torch saves them."""
    save_torch(folder / "state_dict.pt", plain(subject.overlay))


def prove_state_dict(subject: Subject, folder: Path) -> Proof:
    """Loaded strictly into a blank network of the user's class."""
    open_file = partial(torch.load, folder / "state_dict.pt", weights_only=True, mmap=True)
    network = load(subject, read_back(open_file, plain(subject.overlay)))
    return prove(subject, run_of(network))


def write_masks(subject: Subject, folder: Path) -> None:
    """A bool for each entry of a parameter of which something is cut."""
    save_tensors(folder / "masks.safetensors", subject.pruned.parameter_masks, about(subject))


def prove_masks(subject: Subject, folder: Path) -> Proof:
    """Laid over the dense network's weights (over what a repair has made of them)."""
    pruned, shown = subject.pruned, state(subject.overlay)
    whole = state(pruned.dense) | dict(pruned.repaired)
    tensors, cut, entries = dict(pruned.repaired), 0, 0
    with safe_open(folder / "masks.safetensors", "pt") as file:
        for name in file.keys():  # noqa: SIM118
            mask = file.get_tensor(name).to(whole[name].device)
            tensors[name] = reuse(whole[name].masked_fill(~mask, 0), shown[name])
            cut, entries = cut + int((~mask).sum()), entries + mask.numel()
    words = f"{cut:,} of {entries:,} entries cut"
    if pruned.repaired:
        words += "; what repairs changed is not in it"
    return prove(subject, run_of(overlaid(pruned.dense, tensors)), words)


def write_torch_prune(subject: Subject, folder: Path) -> None:
    """NAME_orig and NAME_mask for what is cut, all else as it is."""
    pruned = subject.pruned
    tensors, first = plain(subject.overlay), first_names(pruned.dense)
    # Masks know one name of what is tied, torch's own pruning masks each by itself.
    masks = {first[name]: mask for name, mask in pruned.parameter_masks.items()}
    for name, whole in _parameters_of(pruned).items():
        if first[name] in masks:
            del tensors[name]
            tensors[f"{name}_orig"] = whole
            tensors[f"{name}_mask"] = masks[first[name]].to(whole.dtype)
    save_torch(folder / "torch_prune.pt", tensors)
    copy_program("torch_prune.py", folder)


def _parameters_of(pruned: Pruned) -> dict[str, Tensor]:
    """Parameters as they are before they are masked, under each of their names."""
    first = first_names(pruned.dense)
    repaired = {first.get(name, name): tensor for name, tensor in pruned.repaired.items()}
    own = pruned.dense.named_parameters(remove_duplicate=False)
    return {name: repaired.get(first[name], tensor.detach()) for name, tensor in own}


def prove_torch_prune(subject: Subject, folder: Path) -> Proof:
    """Loaded strictly into a blank network on which `prune.identity` was called."""
    shown = plain(subject.overlay)
    shown |= {f"{name}_orig": tensor for name, tensor in _parameters_of(subject.pruned).items()}
    open_file = partial(torch.load, folder / "torch_prune.pt", weights_only=True, mmap=True)
    values = read_back(open_file, shown)
    network = torch_prune.put(without_memory(subject.pruned.dense), values)

    def run(part: Inputs) -> Mapping[str, Tensor]:
        with torch.inference_mode():  # not a replica: what a hook has made is no leaf
            return {name: tensor.cpu() for name, tensor in call_all(network, part).items()}

    return prove(subject, run, "torch_prune.py loads it")
