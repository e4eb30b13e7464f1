"""Which network does torchvision build under a name?"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch
from torch import nn

from pruneviz.sources.networks.checkpoint import Weights
from pruneviz.sources.networks.hub import check_hub
from pruneviz.sources.networks.libraries import error_line, library, reach, unknown
from pruneviz.sources.networks.unfilled import build
from pruneviz.sources.networks.weight_fit import outermost
from pruneviz.sources.networks.weights import read_weights
from pruneviz.sources.spec import InputSpec


def torchvision_model(
    name: str, weights: Weights | None
) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
    """torchvision's network of that name, how it is fed, and how it was found.

    name: an architecture ("resnet18") takes `weights`, or random ones; with an entry
    ("resnet18.IMAGENET1K_V1") torchvision's own are downloaded when no weights are given.
    A head of another size is built as the weights have it. Raises ValueError.
    """
    models = library("torchvision").models
    architecture, _, entry = name.partition(".")
    if architecture not in models.list_models():
        raise unknown(name, "torchvision", models.list_models())
    if architecture.startswith("quantized_"):
        raise ValueError(f"{name!r} is quantised, which cannot be pruned; take the plain one")
    entries = models.get_model_weights(architecture)
    if entry and entry not in entries.__members__:
        raise unknown(name, "torchvision", [f"{architecture}.{e}" for e in entries.__members__])
    weights_entry = entries.__members__.get(entry) or getattr(entries, "DEFAULT", None)
    if entry and weights is None and weights_entry is not None:
        weights = _download(weights_entry, name)
    options = _options(models, architecture, pretrained=bool(entry))
    classes = None if weights is None else _classes_in(weights, models, architecture, options)
    notes: tuple[str, ...] = ()
    if classes is not None and weights is not None:
        options["num_classes"] = classes
        notes = (f"num_classes = {classes}, as in {weights.name}",)
    model, sentences = build(_maker(models, architecture, options), weights)
    categories = (
        weights_entry.meta.get("categories", ()) if entry and weights_entry is not None else ()
    )
    return model, _spec(weights_entry, tuple(categories)), (*sentences, *notes)


def _maker(models: Any, name: str, options: dict[str, object]) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        model: nn.Module = models.get_model(name, weights=None, **options)
        return model

    return make


def _options(models: Any, name: str, pretrained: bool) -> dict[str, object]:
    options: dict[str, object] = {}
    builder = inspect.signature(models.get_model_builder(name))
    if "weights_backbone" in builder.parameters:  # else it would be downloaded
        options["weights_backbone"] = None
    if name in ("googlenet", "inception_v3"):
        options |= {"init_weights": False, "transform_input": pretrained}
    return options


def _classes_in(weights: Weights, models: Any, name: str, options: dict[str, object]) -> int | None:
    """The size of the head in the weights, where it is not torchvision's own."""
    with torch.device("meta"):
        state = models.get_model(name, weights=None, **options).state_dict()
    heads = [key for key, tensor in state.items() if tensor.ndim >= 2]
    tensor, usual = outermost(weights, heads[-1]), state[heads[-1]]
    fits = tensor is not None and (weights.widths or tensor.shape[1:] == usual.shape[1:])
    if tensor is None or not fits or len(tensor) == len(usual):
        return None
    return len(tensor)


def _download(weights_entry: Any, name: str) -> Weights:
    """torchvision's weights, read by the reader that runs no code; its own unpickles anything."""
    check_hub(name)
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    file = folder / Path(urlsplit(weights_entry.url).path).name
    if not file.is_file():
        reach(str(urlsplit(weights_entry.url).hostname), "torchvision")
        folder.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(weights_entry.url, str(file), progress=False)
        except (OSError, RuntimeError) as error:
            raise ValueError(
                f"{name!r} cannot be downloaded ({error_line(error)}); try again"
            ) from error
    return read_weights(file, name)


def _spec(weights_entry: Any, classes: tuple[str, ...]) -> InputSpec:
    """How torchvision's own weights are fed, which is how the architecture is meant to be."""
    rule: Any = None if weights_entry is None else weights_entry.transforms()
    kind = type(rule).__name__
    if kind not in ("ImageClassification", "SemanticSegmentation"):
        return InputSpec(kind="unknown")
    edge = rule.resize_size[0]
    side = rule.crop_size[0] if kind == "ImageClassification" else edge
    return InputSpec(
        kind="image",
        channels=len(rule.mean),
        size=(side, side),
        mean=tuple(rule.mean),
        std=tuple(rule.std),
        interpolation=rule.interpolation.value,
        crop=side / edge,
        classes=classes,
    )
