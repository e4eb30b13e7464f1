"""How do the weights of a plan leave as they are, whole, by themselves?"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from pruneviz.export.files import copy_program
from pruneviz.export.proof import Proof, answers, blank, loaded, proved
from pruneviz.export.standalone import torch_prune
from pruneviz.export.subject import Subject
from pruneviz.measuring.sizes import stored, tied
from pruneviz.network.calling import call
from pruneviz.network.replica import first_names, masked, replica, state


def plain(network: nn.Module) -> dict[str, Tensor]:
    """The state dict, masks baked in, as a file holds it: tied tensors under each of their names.

    Tied ones share their memory here, as they do in the network.
    """
    found = stored(network)
    found |= {name: found[first] for name, first in tied(network).items()}
    return {name: found[name] for name in network.state_dict() if name in found}


def save_tensors(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, str]) -> None:
    """A safetensors file; what is tied is written under each of its names."""
    seen: set[int] = set()
    own = {}
    for name, tensor in tensors.items():
        own[name] = tensor.clone() if tensor.data_ptr() in seen else tensor
        seen.add(tensor.data_ptr())
    content = memoryview(save(own, dict(about)))
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(bytes(content[8:end]))
    header["__metadata__"] = dict(sorted(about.items()))  # the library's order is by chance
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:  # by Python, whose errors say what the disk lacks
        for part in (len(text).to_bytes(8, "little"), text, content[end:]):
            file.write(part)


def save_torch(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """A file that `torch.load(weights_only=True)` reads."""
    content = io.BytesIO()
    torch.save(dict(tensors), content)
    path.write_bytes(content.getbuffer())


def about(subject: Subject) -> dict[str, str]:
    """What stands beside the tensors in a safetensors file."""
    return {"format": "pt", "plan": json.dumps(subject.plan.as_dict())}


def write_safetensors(subject: Subject, folder: Path) -> None:
    """The weights under the user's own keys."""
    save_tensors(folder / "model.safetensors", plain(subject.pruned.model), about(subject))


def prove_safetensors(subject: Subject, folder: Path) -> Proof:
    """Loaded strictly into a blank network of the user's class."""
    network = loaded(subject.pruned.dense, load_file(folder / "model.safetensors"))
    twice = len(tied(subject.pruned.model))
    words = f"{twice} tied tensor{'' if twice == 1 else 's'} under each name" if twice else ""
    return proved(subject, answers(network, subject), words)


def write_state_dict(subject: Subject, folder: Path) -> None:
    """The weights under the user's own keys, as torch saves them."""
    save_torch(folder / "state_dict.pt", plain(subject.pruned.model))


def prove_state_dict(subject: Subject, folder: Path) -> Proof:
    """Loaded strictly into a blank network of the user's class."""
    tensors = torch.load(folder / "state_dict.pt", weights_only=True)
    return proved(subject, answers(loaded(subject.pruned.dense, tensors), subject))


def write_masks(subject: Subject, folder: Path) -> None:
    """A bool for each entry of a parameter of which something is cut."""
    masks = {n: m.cpu().contiguous() for n, m in subject.pruned.parameter_masks.items()}
    save_tensors(folder / "masks.safetensors", masks, about(subject))


def prove_masks(subject: Subject, folder: Path) -> Proof:
    """Laid over the dense network's weights (over what a repair has made of them)."""
    found = load_file(folder / "masks.safetensors")
    pruned = subject.pruned
    device = next((t.device for t in state(pruned.dense).values()), torch.device("cpu"))
    masks = {name: mask.to(device) for name, mask in found.items()}
    tensors = dict(pruned.repaired)
    tensors |= masked(state(pruned.dense) | tensors, masks)
    with torch.inference_mode():
        got = call(replica(pruned.dense), subject.inputs, tensors).cpu()
    words = f"{sum(int((~m).sum()) for m in found.values()):,} of {_size(found):,} entries cut"
    if pruned.repaired:
        words += "; what repairs changed is not in it"
    return proved(subject, got, words)


def write_torch_prune(subject: Subject, folder: Path) -> None:
    """NAME_orig and NAME_mask for what is cut, all else as it is."""
    pruned = subject.pruned
    tensors, first = plain(pruned.model), first_names(pruned.dense)
    # Masks and repairs know one name of what is tied, torch's own pruning masks each by itself.
    masks = {first[name]: mask for name, mask in pruned.parameter_masks.items()}
    repaired = {first.get(name, name): tensor for name, tensor in pruned.repaired.items()}
    for name, own in pruned.dense.named_parameters(remove_duplicate=False):
        mask = masks.get(first[name])
        if mask is None:
            continue
        del tensors[name]
        whole = repaired.get(first[name], own.detach())
        tensors[f"{name}_orig"] = whole.cpu().clone()
        tensors[f"{name}_mask"] = mask.to(whole.dtype).cpu()
    save_torch(folder / "torch_prune.pt", tensors)
    copy_program("torch_prune.py", folder)


def prove_torch_prune(subject: Subject, folder: Path) -> Proof:
    """Loaded strictly into a blank network on which `prune.identity` was called."""
    network = torch_prune.load(blank(subject.pruned.dense), folder / "torch_prune.pt")
    with torch.inference_mode():
        got = call(network.eval(), subject.inputs).cpu()
    return proved(subject, got, "torch_prune.py loads it")


def _size(tensors: Mapping[str, Tensor]) -> int:
    return sum(tensor.numel() for tensor in tensors.values())
