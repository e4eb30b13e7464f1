"""How does a network without its pruned units leave, so that the user's class can hold it?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pruneviz.export.files import copy_program
from pruneviz.export.proof import Proof, prove, read_back, run_of, without_memory
from pruneviz.export.subject import Subject
from pruneviz.export.weights import about, once, save_tensors
from pruneviz.measuring.sizes import ties
from pruneviz.network.replica import first_names
from pruneviz.network.stand_ins import PassThrough, Silence

_LIST = re.compile(r"\[[^][{}]*\]")
_PLAIN = (int, float, str, list, tuple)


def write_shrunk(subject: Subject, folder: Path) -> None:
    """Weights, what has another width now, and the program that puts both together."""
    small = small_of(subject)
    widths = widths_of(subject.pruned.dense, small)
    tensors = once(small)
    tensors |= {name: small.get_buffer(name) for name in widths["buffers"]}
    beside = about(subject) | {"widths": json.dumps(widths, separators=(",", ":"))}
    save_tensors(folder / "shrunk.safetensors", tensors, beside)
    text = json.dumps({"network": subject.bench.source.name} | widths, indent=1)
    text = _LIST.sub(lambda found: " ".join(found[0].split()), text)  # a shape on one line
    (folder / "widths.json").write_text(f"{text}\n", "utf-8")
    copy_program("rebuild.py", folder)


def prove_shrunk(subject: Subject, folder: Path) -> Proof:
    """Rebuilt by the very program beside it, from a blank network of the user's class."""
    space: dict[str, Any] = {"__file__": str(folder / "rebuild.py"), "__name__": "rebuild"}
    source = (folder / "rebuild.py").read_text("utf-8")
    exec(compile(source, "rebuild.py", "exec"), space)
    network = space["rebuild"](without_memory(subject.pruned.dense), folder)

    def open_file() -> dict[str, Tensor]:
        again = space["rebuild"](without_memory(subject.pruned.dense), folder)
        return _parameters(again)

    values = read_back(open_file, _parameters(small_of(subject)))
    for name, tensor in network.named_parameters(remove_duplicate=False):
        tensor.data = values[name]
    before, after = (_params(n) for n in (subject.pruned.dense, network))
    words = f"{after:,} of {before:,} parameters; rebuild.py makes it of your own class"
    words += f"; {subject.removal}" if subject.removal else ""
    return prove(subject, run_of(network), words)


def small_of(subject: Subject) -> nn.Module:
    """The network without its pruned units; ValueError says why there is none."""
    if subject.small is None:
        raise ValueError(subject.why_not_small)
    return subject.small


def widths_of(before: nn.Module, after: nn.Module) -> dict[str, Any]:
    """What differs between two networks of one class, by name: shapes of tensors, attributes.

    buffers: those of another shape that the state dict leaves out. left_out: modules of blocks
    that are gone -> what stands in for them. Tied tensors stand under their first name.
    """
    one, other = _tensors(before), _tensors(after)
    shapes = {
        name: {"from": list(tensor.shape), "to": list(other[name].shape)}
        for name, tensor in one.items()
        if name in other and tensor.shape != other[name].shape
    }
    attributes = {}
    was: dict[str, nn.Module] = dict(before.named_modules())
    left_out = {
        path: {"hands_on": isinstance(new, PassThrough), "values": new.values}
        for path, new in after.named_modules()
        if isinstance(new, PassThrough | Silence)
    }
    for path, new in after.named_modules():
        changes = dict(_changes(vars(was[path]), vars(new)))
        if changes and path not in left_out:
            attributes[path] = changes
    unsaved = shapes.keys() - after.state_dict().keys()
    twice = {name: first for name, first in ties(after).items() if name not in unsaved}
    return {
        "shapes": shapes,
        "attributes": attributes,
        "left_out": left_out,
        "buffers": sorted(unsaved),
        "tied": twice,
    }


def _changes(old: dict[str, Any], new: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, value in new.items():
        before = old.get(name)
        if name.startswith("_") or name == "training" or type(value) is not type(before):
            continue
        if isinstance(value, _PLAIN) and not _holds_objects(value) and value != before:
            yield name, {"from": before, "to": value}


def _holds_objects(value: object) -> bool:
    return isinstance(value, list | tuple) and any(type(v) not in (int, float, str) for v in value)


def _tensors(network: nn.Module) -> dict[str, Tensor]:
    first = first_names(network)
    own = {n: p for n, p in network.named_parameters(remove_duplicate=False) if first[n] == n}
    return own | dict(network.named_buffers())


def _parameters(network: nn.Module) -> dict[str, Tensor]:
    own = network.named_parameters(remove_duplicate=False)
    return {name: parameter.detach() for name, parameter in own}


def _params(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters() if isinstance(p, torch.Tensor))
