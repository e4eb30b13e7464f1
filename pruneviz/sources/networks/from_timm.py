"""Which network does timm build under a name?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from pruneviz.sources.networks.checkpoint import Weights
from pruneviz.sources.networks.hub import hub_folder
from pruneviz.sources.networks.libraries import library, unknown
from pruneviz.sources.networks.unfilled import build
from pruneviz.sources.networks.weight_fit import outermost
from pruneviz.sources.networks.weights import read_weights
from pruneviz.sources.spec import InputSpec


def timm_model(name: str, weights: Weights | None) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
    """timm's network of that name, how it is fed, and how it was found.

    name: an architecture ("resnet18") takes `weights`, or random ones; with a tag
    ("resnet18.a1_in1k") pretrained ones come from the hub when no weights are given. A head of
    another size than timm's is built as the weights have it. Raises ValueError.
    """
    timm = library("timm")
    architecture, _, tag = name.partition(".")
    if not timm.is_model(architecture):
        raise unknown(name, "timm", timm.list_models())
    tags = [
        pretrained.partition(".")[2] for pretrained in timm.list_pretrained(f"{architecture}.*")
    ]
    if tag and tag not in tags:
        raise unknown(name, "timm", [f"{architecture}.{pretrained}" for pretrained in tags])
    if tag and weights is None:
        config = timm.get_pretrained_cfg(name)
        repository = config.hf_hub_id or ""
        repository += name if repository.endswith("/") else ""
        if not repository:
            raise ValueError(f"timm has no weights on the hub for {name!r}; pass a weights file")
        weights = read_weights(hub_folder(repository, "timm"), repository)
    options = _as_in(weights, timm.get_pretrained_cfg(name, allow_unregistered=True))
    model, notes = build(_maker(timm, name, options), weights)
    data = timm.data.resolve_model_data_config(model)
    _, height, width = data["input_size"]
    channels = options.get("in_chans", data["input_size"][0])
    spec = InputSpec(
        kind="image",
        channels=channels,
        size=(height, width),
        mean=_each(data["mean"], channels),
        std=_each(data["std"], channels),
        interpolation=data["interpolation"],
        crop=float(data["crop_pct"]),
    )
    where = "" if weights is None else weights.name
    sentences = tuple(f"{key} = {value}, as in {where}" for key, value in options.items())
    return model, spec, (*notes, *sentences)


def _maker(timm: Any, name: str, options: Mapping[str, int]) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        model: nn.Module = timm.create_model(name, pretrained=False, **options)
        return model

    return make


def _as_in(weights: Weights | None, config: Any) -> dict[str, int]:
    """num_classes and in_chans where the weights differ from timm's own."""
    if weights is None or config is None:
        return {}
    options = {}
    ends = {
        "num_classes": (config.classifier, 0, config.num_classes),
        "in_chans": (config.first_conv, 1, (config.input_size or (3,))[0]),
    }
    for option, (names, axis, usual) in ends.items():
        first = names[0] if isinstance(names, (tuple, list)) and names else names
        tensor = outermost(weights, f"{first}.weight")
        if tensor is not None and tensor.ndim > axis and tensor.shape[axis] != usual:
            options[option] = int(tensor.shape[axis])
    return options


def _each(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    if len(values) == channels:
        return tuple(map(float, values))
    return (sum(values) / len(values),) * channels
