"""How do the weights of a plan leave as they are, whole, by themselves?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn

from pruneviz.data import Inputs
from pruneviz.export.files import copy_program
from pruneviz.export.proof import Proof, blank, load, prove, reuse, run_of
from pruneviz.export.standalone import torch_prune
from pruneviz.export.subject import Subject
from pruneviz.measuring.sizes import ties
from pruneviz.network.calling import call_all
from pruneviz.network.replica import first_names, overlaid, state

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
    if tensor.is_floating_point() and bool((torch.signbit(tensor) & (tensor == 0)).any()):
        return tensor + 0.0
    return tensor if tensor.untyped_storage().nbytes() == tensor.nbytes else tensor.clone()


def save_tensors(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, str]) -> None:
    """A safetensors file, tensor after tensor: no second copy of them all is held.

    The format: https://github.com/huggingface/safetensors#format
    """
    names = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    entries: dict[str, Any] = {"__metadata__": dict(sorted(header.items()))}
    end = 0
    for name in names:
        tensor = tensors[name]
        if tensor.dtype not in _DTYPES:
            raise ValueError(f"{name!r} is {tensor.dtype}, which safetensors does not know")
        place = [end, end := end + tensor.numel() * tensor.element_size()]
        shape = list(tensor.shape)
        entries[name] = {"dtype": _DTYPES[tensor.dtype], "shape": shape, "data_offsets": place}
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for name in names:
            file.write(clean(tensors[name]).reshape(-1).view(torch.uint8).numpy().data)


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
    with safe_open(folder / "model.safetensors", "pt") as file:
        names = file.keys()
        network = load(subject, ((name, file.get_tensor(name)) for name in names))
    twice = len(ties(subject.overlay))
    words = f"{twice} tied tensor{'' if twice == 1 else 's'} written once: " if twice else ""
    words += "safetensors.torch.load_model reads it" if twice else ""
    return prove(subject, run_of(network), words)


def write_state_dict(subject: Subject, folder: Path) -> None:
    """The weights under the user's own keys, as torch saves them."""
    save_torch(folder / "state_dict.pt", plain(subject.overlay))


def prove_state_dict(subject: Subject, folder: Path) -> Proof:
    """Loaded strictly into a blank network of the user's class."""
    tensors = torch.load(folder / "state_dict.pt", weights_only=True, mmap=True)
    network = load(subject, ((name, tensors.pop(name)) for name in list(tensors)))
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
    # Masks and repairs know one name of what is tied, torch's own pruning masks each by itself.
    masks = {first[name]: mask for name, mask in pruned.parameter_masks.items()}
    repaired = {first.get(name, name): tensor for name, tensor in pruned.repaired.items()}
    for name, own in pruned.dense.named_parameters(remove_duplicate=False):
        mask = masks.get(first[name])
        if mask is None:
            continue
        del tensors[name]
        whole = repaired.get(first[name], own.detach())
        tensors[f"{name}_orig"] = whole
        tensors[f"{name}_mask"] = mask.to(whole.dtype)
    save_torch(folder / "torch_prune.pt", tensors)
    copy_program("torch_prune.py", folder)


def prove_torch_prune(subject: Subject, folder: Path) -> Proof:
    """Loaded strictly into a blank network on which `prune.identity` was called."""
    network = torch_prune.load(blank(subject.pruned.dense), folder / "torch_prune.pt")

    def run(part: Inputs) -> Mapping[str, Tensor]:
        with torch.inference_mode():  # not a replica: what a hook has made is no leaf
            return {name: tensor.cpu() for name, tensor in call_all(network, part).items()}

    return prove(subject, run, "torch_prune.py loads it")
