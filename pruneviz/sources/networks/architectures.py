"""Which network does a name such as `timm:resnet18` stand for?"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor, nn

from pruneviz.sources.networks.checkpoint import Weights
from pruneviz.sources.networks.factories import module_by_name
from pruneviz.sources.networks.from_timm import timm_model
from pruneviz.sources.networks.from_torchvision import torchvision_model
from pruneviz.sources.networks.from_transformers import transformers_model
from pruneviz.sources.networks.masked import lay, masks_on, words
from pruneviz.sources.networks.weight_fit import fit
from pruneviz.sources.registered import load_registered, registered_names
from pruneviz.sources.spec import InputSpec

_Built = tuple[nn.Module, InputSpec, tuple[str, ...]]


@dataclass(frozen=True)
class Architecture:
    """A network that was built by name, how it is fed, and sentences on how it was found.

    masks: what its weights came pruned by, by parameter; bool, True = kept.
    """

    model: nn.Module
    name: str
    spec: InputSpec
    notes: tuple[str, ...] = ()
    masks: Mapping[str, Tensor] = field(default_factory=dict)


def build(
    name: str, weights: Weights | None = None, own_code: bool = False, folders: bool = True
) -> Architecture:
    """The network of a name, with the weights given in it, in eval mode.

    name: `sample:lenet5` (a registered model), `timm:…`, `torchvision:…` (an architecture, or
    one of its pretrained weights after a dot), `hf:…` (a Transformers folder, or a name on the
    hub; without `folders` it is a name in any case); with own_code also
    `package.module:function`, which runs the user's code.
    Without weights: those that the name stands for, else random ones, which a note says.
    Raises ValueError: an unknown name, with those near to it; a library that is missing; weights
    that do not fit, with what is missing, unexpected or of another shape.
    """
    if weights is None:
        return _build(name, None, own_code, folders)
    if weights.tensors:
        architecture = _build(name, weights, own_code, folders)
    else:  # masks alone, for weights that the name stands for
        architecture = _build(name, None, own_code, folders)
        weights = lay(architecture.model, weights)
        model, _ = fit(architecture.model, weights)
        architecture = replace(architecture, model=model)
    masks = masks_on(architecture.model, weights)
    return replace(architecture, masks=masks, notes=(*architecture.notes, *words(masks)))


def _build(name: str, weights: Weights | None, own_code: bool, folders: bool) -> Architecture:
    kind, _, rest = name.partition(":")
    if kind in _KINDS and rest:
        if kind == "hf" and not folders:
            model, spec, notes = transformers_model(rest, weights, folders=False)
        else:
            model, spec, notes = _KINDS[kind](rest, weights)
        return Architecture(model, name, spec, notes)
    if not rest or not own_code:
        prefixes = ", ".join(f"{kind}:…" for kind in _KINDS)
        own = "; own code (package.module:function) is for the command line and Python only"
        raise ValueError(
            f"an architecture is named as {prefixes}, got {name!r}{own if rest else ''}"
        )
    model, notes = module_by_name(name), ()
    if weights is not None:
        model, notes = fit(model, weights)
    return Architecture(model.eval(), name, InputSpec(kind="unknown"), notes)


def _sample(name: str, weights: Weights | None) -> _Built:
    names = registered_names()
    if name not in names:
        near = difflib.get_close_matches(name, names, n=5, cutoff=0.5)
        hint = f"near to it: {', '.join(near)}" if near else f"there are {', '.join(names)}"
        raise ValueError(f"no model is registered as {name!r}; {hint}")
    source = load_registered(name)
    inputs, spec = source.validation.inputs, InputSpec(kind="unknown", classes=source.classes)
    if isinstance(inputs, Tensor) and inputs.ndim == 4:
        spec = InputSpec(
            kind="image",
            channels=inputs.shape[1],
            size=(inputs.shape[2], inputs.shape[3]),
            classes=source.classes,
        )
    model, notes = (source.model, ()) if weights is None else fit(source.model, weights)
    return model, spec, notes


_KINDS: dict[str, Callable[[str, Weights | None], _Built]] = {
    "sample": _sample,
    "timm": timm_model,
    "torchvision": torchvision_model,
    "hf": transformers_model,
}
