"""Which network does a Transformers configuration describe?"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pruneviz.sources.networks.checkpoint import Weights
from pruneviz.sources.networks.configuration import network_class, read_configuration
from pruneviz.sources.networks.hub import hub_folder, is_hub_name
from pruneviz.sources.networks.libraries import error_line, library
from pruneviz.sources.networks.preprocessor import image_spec
from pruneviz.sources.networks.shards import has_weights
from pruneviz.sources.networks.unfilled import build, check_size
from pruneviz.sources.networks.weight_fit import refuse
from pruneviz.sources.networks.weights import read_weights
from pruneviz.sources.spec import InputSpec

_TOKEN_KEYS = ("input_ids", "attention_mask", "decoder_input_ids")
_SHOWN = 200  # characters of a name
_LISTED = 10


def transformers_model(
    name: str, weights: Weights | None, *, folders: bool = True
) -> tuple[nn.Module, InputSpec, tuple[str, ...]]:
    """The network of a folder with a config.json (or of that file), or of a name on the hub.

    Weights are those given, else the folder's, else random ones. Never runs code that a folder
    brings along. folders: whether it may be one, else it is a name, whatever lies on this machine.
    Raises ValueError.
    """
    library("transformers")
    folder = _folder(name) if folders else None
    from_hub = folder is None
    if folder is None:
        folder = _on_hub(name) if folders else hub_folder(name, "transformers")
    config = _config(folder, name)
    kind = network_class(config, folder, name)
    if weights is None and has_weights(folder):
        weights = read_weights(folder, name)
    if weights is None and from_hub:
        raise ValueError(f"{name!r} has no weights on huggingface.co; pass a weights file")
    if weights is None or weights.widths is not None:
        model, notes = _random(kind, config, weights)
    else:
        model, notes = _fill(kind, config, weights)
    return model.eval(), _spec(model, config, folder, name), notes


def _folder(name: str) -> Path | None:
    """The folder with a config.json that a name is the path of, as it stands: a name is never
    expanded, so that it is the same to every shell and every user.
    """
    try:
        path = Path(name)
        folder = path.parent if path.name == "config.json" else path
        return folder if (folder / "config.json").is_file() else None
    except (OSError, ValueError):  # a name that is too long or holds a zero, a closed folder
        return None


def _on_hub(name: str) -> Path:
    if not is_hub_name(name):
        raise ValueError(
            f"{name[:_SHOWN]!r} is neither a folder with a config.json nor a name on the hub, such "
            "as owner/name; check it (a folder is named as it lies: ~ and $ are not expanded)"
        )
    try:
        return hub_folder(name, "transformers")
    except ValueError as error:
        raise ValueError(f"there is no folder {name!r} with a config.json, and {error}") from error


def _config(folder: Path, name: str) -> Any:
    config = read_configuration(folder, name)
    config.use_cache = False
    if getattr(config, "pad_token_id", None) is None:
        # Classifiers of decoders refuse batches without one.
        end = getattr(config, "eos_token_id", None)
        config.pad_token_id = end[0] if isinstance(end, list) and end else end
    return config


def _random(kind: Any, config: Any, weights: Weights | None) -> tuple[nn.Module, tuple[str, ...]]:
    try:
        return build(lambda: kind(config), weights)
    except ValueError:
        raise
    # A configuration that does not hold together makes a network raise anything.
    except Exception as error:
        raise ValueError(f"{kind.__name__} cannot be built so ({error_line(error)})") from error


def _fill(kind: Any, config: Any, weights: Weights) -> tuple[nn.Module, tuple[str, ...]]:
    """Transformers' own loading of tensors that were read without running code.

    It knows old names and ties; it takes the tensors' memory as it is.
    """
    check_size(lambda: kind(config))
    dtypes = [t.dtype for t in weights.tensors.values() if t.is_floating_point()]
    try:
        with _quiet():
            model, sentences = kind.from_pretrained(
                None,
                config=config,
                state_dict=dict(weights.tensors),
                output_loading_info=True,
                dtype=max(set(dtypes), key=dtypes.count) if dtypes else torch.float32,
                ignore_mismatched_sizes=True,  # they are listed below, with all that does not fit
            )
    except Exception as error:
        raise ValueError(
            f"{weights.name} does not load into {kind.__name__}: {error_line(error)}"
        ) from error
    shapes = [_mismatch(entry) for entry in sentences["mismatched_keys"]]
    unexpected = sorted(sentences["unexpected_keys"])
    problems = {"of another shape": shapes, "missing": sorted(sentences["missing_keys"])}
    if any(problems.values()):
        refuse(weights.name, kind.__name__, {**problems, "unexpected": unexpected})
    notes = list(weights.notes)
    if unexpected:
        more = ", …" if len(unexpected) > _LISTED else ""
        notes.append(
            f"{len(unexpected)} tensors have no place in {kind.__name__} and were left out: "
            f"{', '.join(unexpected[:_LISTED])}{more}"
        )
    return model.requires_grad_(False), tuple(notes)


@contextmanager
def _quiet() -> Iterator[None]:
    """No report and no progress bar: what they say is said in notes and errors."""
    logging = library("transformers").utils.logging
    level, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()


def _mismatch(entry: Any) -> str:
    name, there, here = entry
    return f"{name} {'×'.join(map(str, there))} in place of {'×'.join(map(str, here))}"


def _spec(model: Any, config: Any, folder: Path, name: str) -> InputSpec:
    labels = getattr(config, "id2label", None) or {}
    class_names = [str(labels[index]) for index in sorted(labels)]
    classes = () if all(n.startswith("LABEL_") for n in class_names) else tuple(class_names)
    takes = inspect.signature(model.forward).parameters
    vision = getattr(config, "vision_config", None)
    if model.main_input_name == "pixel_values" and vision is None:
        return image_spec(config, folder, name, classes)
    text = config.get_text_config()
    several = vision is not None or "pixel_values" in takes  # of text and image at once
    is_text = model.main_input_name == "input_ids" and getattr(text, "vocab_size", None) is not None
    if several or not is_text:
        return InputSpec(kind="unknown", classes=classes)
    length = getattr(text, "max_position_embeddings", None) or getattr(text, "n_positions", None)
    keys = tuple(key for key in _TOKEN_KEYS if key in takes)
    return InputSpec(
        kind="tokens", vocab=int(text.vocab_size), length=length, keys=keys, classes=classes
    )
