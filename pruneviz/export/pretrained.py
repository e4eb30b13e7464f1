"""How does a network of Transformers leave as a folder that `from_pretrained` opens?"""

from __future__ import annotations

import copy
import itertools
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pruneviz.export.proof import Proof, prove, run_of
from pruneviz.export.subject import Subject
from pruneviz.export.weights import about, once, save_tensors
from pruneviz.network.quiet import quiet
from pruneviz.network.stand_ins import PassThrough, Silence

CONFIG, WEIGHTS = "transformers/config.json", "transformers/model.safetensors"
_NAMED = 4  # layers that words name


@dataclass(frozen=True)
class Stack:
    """Layers of one kind, one after the other. path: of their list; number: of all; gone: places
    of those of which nothing is left, partly: of those that lost a block and keep another part.
    """

    path: str
    number: int
    gone: tuple[int, ...]
    partly: tuple[int, ...]

    def new_name(self, name: str) -> str | None:
        """What a tensor is called when these layers are gone; None where it goes with them."""
        head = f"{self.path}."
        if not name.startswith(head):
            return name
        place, _, rest = name.removeprefix(head).partition(".")
        if int(place) in self.gone:
            return None
        return f"{head}{int(place) - sum(one < int(place) for one in self.gone)}.{rest}"


def why_none(network: nn.Module) -> str:
    """Why a network cannot leave so; "" where it can."""
    library = sys.modules.get("transformers")  # a network of its classes has loaded it
    if library is not None and isinstance(network, library.PreTrainedModel):
        return ""
    return f"{type(network).__name__} is no network of Transformers, and has no config.json"


def write_folder(subject: Subject, folder: Path) -> None:
    """The configuration and the weights with the masks baked in; layers of which nothing is left
    are in neither.
    """
    network: Any = subject.overlay
    reason = why_none(network)
    if reason:
        raise ValueError(reason)
    counted = _configuration(subject)
    config = _as_saved(network) if counted is None else counted
    tensors = once(network)
    for stack in _stacks(subject) if counted is not None else ():
        names = {name: stack.new_name(name) for name in tensors}
        tensors = {new: tensors[name] for name, new in names.items() if new is not None}
    (folder / CONFIG).parent.mkdir(exist_ok=True)
    type(network.config).from_dict(config).to_json_file(folder / CONFIG)
    save_tensors(folder / WEIGHTS, tensors, about(subject))


def prove_folder(subject: Subject, folder: Path) -> Proof:
    """Opened by `from_pretrained` of the network's own class, nothing missing and nothing left."""
    kind: Any = type(subject.pruned.dense)
    with quiet():
        network, report = kind.from_pretrained(
            (folder / CONFIG).parent, local_files_only=True, output_loading_info=True
        )
    wrong = [*report["missing_keys"], *report["unexpected_keys"], *report["mismatched_keys"]]
    if wrong:
        raise ValueError(f"read back, {wrong[0]!r} does not fit the configuration")
    device = next(subject.overlay.parameters()).device
    words = f"{kind.__name__}.from_pretrained opens the folder; {_words(subject, network)}"
    return prove(subject, run_of(network.to(device).eval()), words)


def _words(subject: Subject, network: nn.Module) -> str:
    """How many layers are left, and what only the masks leave out."""
    stacks = _stacks(subject)
    parts = []
    for stack in stacks:
        now = len(_list(network, stack.path))
        if now < stack.number:
            parts.append(f"{now} of {stack.number} layers of {stack.path}")
        elif stack.gone:
            parts.append(
                f"{_places(stack.gone)} of {stack.path} stand as zeros, as no number in the "
                "configuration counts these layers"
            )
        if stack.partly:
            parts.append(
                f"{_places(stack.partly)} of {stack.path} lost one part alone, which stands as "
                "zeros: a configuration counts whole layers ('shrunk' and 'onnx' leave it out)"
            )
    if not stacks and not subject.plan.is_dense:
        parts.append("every shape is as it was, and what is cut stands as zeros")
    return "; ".join(parts) or "nothing is cut"


def _places(places: tuple[int, ...]) -> str:
    more = ", …" if len(places) > _NAMED else ""
    word = "layer" if len(places) == 1 else "layers"
    return f"{word} {', '.join(map(str, places[:_NAMED]))}{more}"


def _list(network: nn.Module, path: str) -> nn.ModuleList:
    found = network.get_submodule(path)
    assert isinstance(found, nn.ModuleList)
    return found


def _stacks(subject: Subject) -> tuple[Stack, ...]:
    """The lists of layers of which a plan of blocks leaves something out."""
    small = subject.small if subject.plan.granularity == "block" else None
    return () if small is None else tuple(_read_stacks(subject.pruned.dense, small))


def _read_stacks(dense: nn.Module, small: nn.Module) -> Iterator[Stack]:
    seen: list[str] = []
    for path, module in dense.named_modules():
        if not isinstance(module, nn.ModuleList) or any(path.startswith(f"{s}.") for s in seen):
            continue
        layers = [small.get_submodule(f"{path}.{place}") for place in range(len(module))]
        lost = [any(isinstance(m, PassThrough | Silence) for m in x.modules()) for x in layers]
        empty = [not any(True for _ in layer.parameters()) for layer in layers]
        gone = tuple(i for i, one in enumerate(lost) if one and empty[i])
        partly = tuple(i for i, one in enumerate(lost) if one and not empty[i])
        if gone or partly:
            seen.append(path)
            yield Stack(path, len(layers), gone, partly)


def _configuration(subject: Subject) -> dict[str, Any] | None:
    """The configuration that counts the layers that are left; None where there is nothing to
    count, or none of its numbers does.

    Which of its numbers counts which layers is tried: a network of that configuration must have
    the layers that are left, and the very tensors.
    """
    network: Any = subject.overlay
    stacks = [stack for stack in _stacks(subject) if stack.gone]
    if not stacks or any(len(stack.gone) == stack.number for stack in stacks):
        return None
    config = _as_saved(network)
    names = {name for name, value in network.state_dict().items() if isinstance(value, Tensor)}
    for stack in stacks:
        names = {new for name in names if (new := stack.new_name(name)) is not None}
    ways = [[*_counts(config, stack.number)] for stack in stacks]
    for keys in itertools.product(*ways):
        tried = copy.deepcopy(config)
        for key, stack in zip(keys, stacks, strict=True):
            _shorten(tried, key, stack)
        if _names(type(network), type(network.config), tried) == names:
            return tried
    return None


def _as_saved(network: Any) -> dict[str, Any]:
    """The configuration as plain values, with class and type of number that the weights have."""
    config: dict[str, Any] = copy.deepcopy(network.config).to_dict()
    config["architectures"] = [type(network).__name__]
    config["dtype"] = str(network.dtype).removeprefix("torch.")
    return config


def _counts(config: Mapping[str, Any], number: int) -> Iterator[tuple[str, ...]]:
    """Where numbers of layers stand that are `number`, also in the configuration of a part."""
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from ((key, *rest) for rest in _counts(value, number))
        elif type(value) is int and value == number and "layer" in key:
            yield (key,)


def _shorten(config: dict[str, Any], key: tuple[str, ...], stack: Stack) -> None:
    """Count the layers that are left, and leave out what lists say of the others."""
    *path, last = key
    for step in path:
        config = config[step]
    config[last] = stack.number - len(stack.gone)
    for name, value in config.items():
        if "layer" in name and isinstance(value, list) and len(value) == stack.number:
            config[name] = [one for i, one in enumerate(value) if i not in stack.gone]


def _names(kind: Any, configuration: Any, values: Mapping[str, Any]) -> set[str]:
    """What the tensors of a network with this configuration are called; none if there is none."""
    try:
        with quiet(), torch.device("meta"):
            return set(kind(configuration.from_dict(dict(values))).state_dict())
    except Exception:  # a configuration that does not hold together raises anything
        return set()
