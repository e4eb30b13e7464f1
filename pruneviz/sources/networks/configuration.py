"""Which configuration of Transformers may be built, and from which of its keys?"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pruneviz import limits
from pruneviz.sources.networks.libraries import broken, error_line, library

_BYTES = 2**22  # of a config.json or its neighbour; those with 21,000 names of classes have 2 MB
# Whoever writes a config.json says what is built, and some kinds read files, ask the hub, import
# or compile code while they are built: backbones (timm's too), kernels, retrieval, detectron2.
# These do not; tests/test_configuration.py looks at the keys of each.
_TYPES = """
albert audio-spectrogram-transformer bart beit bert bert-generation big_bird bigbird_pegasus
biogpt bit blenderbot blenderbot-small bloom camembert canine clip clip_text_model
clip_vision_model codegen cohere convbert convnext convnextv2 ctrl cvt data2vec-audio
data2vec-text data2vec-vision deberta deberta-v2 deit dinov2 dinov2_with_registers distilbert
efficientnet electra ernie esm falcon flaubert fnet focalnet fsmt funnel gemma gemma2
gemma3_text glm glm4 glpn gpt2 gpt_bigcode gpt_neo gpt_neox gptj granite granitemoe helium
hiera hubert ibert imagegpt informer layoutlm led levit llama longformer longt5 luke m2m_100
marian markuplm mbart megatron-bert mistral mixtral mobilebert mobilenet_v1 mobilenet_v2
mobilevit mobilevitv2 modernbert mpnet mt5 mvp nystromformer olmo olmo2 olmoe openai-gpt opt
patchtsmixer patchtst pegasus perceiver persimmon phi phi3 plbart poolformer prophetnet pvt
pvt_v2 qwen2 qwen2_moe qwen3 qwen3_moe regnet rembert resnet roberta roberta-prelayernorm
roformer segformer sew siglip siglip_text_model siglip_vision_model smollm3 speech_to_text
splinter squeezebert stablelm starcoder2 swiftformer swin swin2sr swinv2 switch_transformers
t5 time_series_transformer umt5 unispeech vit vit_mae vit_msn vitdet wav2vec2 wavlm whisper
xglm xlm xlm-roberta xlm-roberta-xl xlnet xmod yolos
"""
MODEL_TYPES = frozenset(_TYPES.split())
# What every configuration may have, and what its class takes under an older name.
_COMMON = {
    "num_labels", "id2label", "label2id", "problem_type", "is_decoder", "is_encoder_decoder",
    "add_cross_attention", "tie_word_embeddings", "chunk_size_feed_forward", "pad_token_id",
    "bos_token_id", "eos_token_id", "sep_token_id", "decoder_start_token_id", "rope_theta",
    "rope_scaling", "rope_parameters", "partial_rotary_factor", "max_position_embeddings",
}  # fmt: skip
# Keys of the kinds above that say how it runs, not what it is; attention is "eager" in any case.
_LEFT_OUT = {
    "architectures", "attn_implementation", "auto_map", "dtype", "experts_implementation",
    "model_type", "name_or_path", "output_attentions", "output_hidden_states", "per_layer_config",
    "quantization_config", "return_dict", "torch_dtype", "transformers_version", "use_cache",
    "is_folding_model", "esmfold_config", "vocab_list", "torchscript", "use_kernels",
    "reference_compile", "deterministic_flash_attn", "gradient_checkpointing",
}  # fmt: skip
_PARTS = ("text_config", "vision_config")
_NAMES = ("id2label", "label2id")  # their words are shown, never looked up
_WORD = re.compile(r"[A-Za-z0-9_+-]{0,64}")
_DEPTH, _ITEMS = 4, 100_000
# Whole numbers that count from the end, stand for "none", or are no size of anything.
_BELOW_ZERO = (
    "_id",
    "_ids",
    "_index",
    "_indices",
    "feature_layer",
    "clamp_len",
    "relative_positions",
)
_COUNTS_LAYERS = re.compile(r"layers?$|depths?$|blocks?$|experts$|stages$")
_NO_SIZE = ("theta", "base", "factor", *_BELOW_ZERO)


def read_configuration(folder: Path, name: str) -> Any:
    """The configuration in a folder's config.json, built from what may be built.

    Only kinds of MODEL_TYPES, and of their keys those that their class has, with numbers, single
    words and lists of them: nothing that could name a file, a repository, a class or a kernel.
    Raises ValueError naming the kind or the key that is refused.
    """
    raw = read_keys(folder / "config.json", name)
    if raw.get("quantization_config"):
        raise ValueError(f"{name} is quantised, which cannot be pruned; take the plain weights")
    transformers = library("transformers")
    kind = _kind(raw.get("model_type"), name)
    values = dict(_clean(kind, raw, name))
    try:
        # "eager" attention is plain matrix products, which torch.export can follow.
        return kind(**values, attn_implementation="eager")
    # Transformers raises KeyError, OSError, TypeError and more for a damaged configuration.
    except Exception as error:
        raise ValueError(
            f"{name}: transformers {transformers.__version__} cannot build from its config.json "
            f"({error_line(error)})"
        ) from error


def network_class(config: Any, folder: Path, name: str) -> Any:
    """The class of network that config.json names, if it is one for this configuration."""
    transformers = library("transformers")
    class_names = read_keys(folder / "config.json", name).get("architectures") or []
    if not isinstance(class_names, list) or not all(isinstance(one, str) for one in class_names):
        raise ValueError(f"{name}: 'architectures' in its config.json must be a list of names")
    home = type(config).__module__.replace(".configuration_", ".modeling_")
    try:
        module = importlib.import_module(home)
    except Exception as error:
        raise ValueError(broken("transformers", error)) from error
    for one in class_names:
        kind: Any = getattr(module, one, None)
        own = inspect.isclass(kind) and issubclass(kind, transformers.PreTrainedModel)
        if own and kind.config_class is not None and isinstance(config, kind.config_class):
            return kind
    try:
        return transformers.AutoModel._model_mapping[type(config)]
    except KeyError as error:
        raise ValueError(
            f"transformers has no network for a configuration of {config.model_type!r}"
        ) from error


def read_keys(path: Path, name: str) -> dict[str, Any]:
    """The keys of a JSON file of a folder of Transformers; ValueError: none, too large, no keys."""
    if not path.is_file():
        raise ValueError(f"{name} holds no {path.name}; save it with model.save_pretrained")
    if path.stat().st_size > _BYTES:
        raise ValueError(f"{name}: its {path.name} has more than {_BYTES:,} bytes; refused")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        raise ValueError(f"{name}: its {path.name} is no JSON ({error_line(error)})") from error
    if not isinstance(values, dict):
        raise ValueError(f"{name}: its {path.name} holds {type(values).__name__}, not keys")
    return values


def _kind(model_type: object, name: str) -> Any:
    if not isinstance(model_type, str) or model_type not in MODEL_TYPES:
        shown = repr(model_type)[:60]
        raise ValueError(
            f"{name}: a config.json of model_type {shown} is not built, because such a network "
            "may read files, ask the hub or run code while it is built; load it yourself and "
            "give pruneviz the network (in Python, or as package.module:function)"
        )
    transformers = library("transformers")
    try:
        return transformers.CONFIG_MAPPING[model_type]
    except KeyError as error:
        raise ValueError(
            f"{name}: transformers {transformers.__version__} does not know model_type "
            f"{model_type!r}; update it"
        ) from error
    # Some kinds import torchvision, whose build may not be the one for this torch.
    except Exception as error:
        raise ValueError(broken("transformers", error)) from error


def known_keys(kind: Any) -> set[str]:
    """The keys that a configuration's class has itself, under their older names too."""
    keys = {one for one in getattr(kind, "attribute_map", {}) if isinstance(one, str)}
    if dataclasses.is_dataclass(kind):
        keys |= {field.name for field in dataclasses.fields(kind)}
    else:
        keys |= set(inspect.signature(kind.__init__).parameters) - {"self", "kwargs"}
    return {key for key in keys | _COMMON if not key.startswith("_")} - _LEFT_OUT


def _clean(kind: Any, raw: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    keys = known_keys(kind)
    for key, value in raw.items():
        if key not in keys or value is None:
            continue
        if key in _PARTS:
            part = kind.sub_configs.get(key)
            if part is None or not isinstance(value, dict):
                raise _refusal(name, key)
            yield key, dict(_clean(part, value, name))
        elif key in _NAMES:
            yield key, _labels(value, name, key)
        elif _plain(value, mapping=key.startswith("rope_")):
            _check_size(value, name, key)
            yield key, value
        else:
            raise _refusal(name, key)


def _check_size(value: object, name: str, key: str) -> None:
    """ValueError for a number that no network is built with, also in lists and mappings."""
    if isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            _check_size(each, name, key)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise ValueError(f"{name}: {key!r} in its config.json is {value}, no finite number")
        if isinstance(value, int) and value < 0 and not key.endswith(_BELOW_ZERO):
            raise ValueError(f"{name}: {key!r} in its config.json is {value}, which is below 0")
        if isinstance(value, int) and not key.startswith("rope_") and not key.endswith(_NO_SIZE):
            bound = "layers" if _COUNTS_LAYERS.search(key) else "config_size"
            bound = "classes" if key == "num_labels" else bound
            limits.check(bound, value, f"{name}: {key!r} in its config.json asks for")


def _labels(value: object, name: str, key: str) -> dict[Any, Any]:
    fits = isinstance(value, dict) and len(value) <= _ITEMS
    if not fits or not all(type(v) in (str, int) for v in value.values()):  # type: ignore[attr-defined]
        raise _refusal(name, key)
    return value  # type: ignore[return-value]


def _plain(value: object, *, mapping: bool, depth: int = _DEPTH) -> bool:
    """Whether it is a number, a single word, or a list (a mapping too, if allowed) of these."""
    if value is None or isinstance(value, bool | int | float):
        return True
    if isinstance(value, str):
        return _WORD.fullmatch(value) is not None
    if not depth or not isinstance(value, list | dict) or len(value) > _ITEMS:
        return False
    if isinstance(value, dict):
        return mapping and all(_plain(v, mapping=True, depth=depth - 1) for v in value.values())
    return all(_plain(v, mapping=mapping, depth=depth - 1) for v in value)


def _refusal(name: str, key: str) -> ValueError:
    return ValueError(
        f"{name}: {key!r} in its config.json is refused: only numbers and single words that shape "
        "the network are taken, nothing that could name a file, a repository or code"
    )
