"""Which readers are given whatever comes, and may answer with a ValueError alone?"""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from hypothesis import strategies as st
from safetensors.torch import save

from pruneviz import limits
from pruneviz.history import History, ModelVersion
from pruneviz.history.file import FILE
from pruneviz.options import parse
from pruneviz.plan import Plan, from_link, to_link
from pruneviz.recipes.reader import from_yaml
from pruneviz.sources.data.arrays import read_npz
from pruneviz.sources.data.samples import DataRequest
from pruneviz.sources.networks.architectures import build
from pruneviz.sources.networks.weights import read_weights
from tests import optional

PLAN = Plan("l2", "neuron", sparsity={"a": 0.5, "b.c": 0.25})
RECIPE = "pruneviz: 1\nmodel: lenet5\nplan:\n  criterion: l2\n  sparsity: {fc1: 0.5}\n"
SIZES = {
    "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8,
}  # fmt: skip
KINDS: list[dict[str, Any]] = [
    {"model_type": "bert", "vocab_size": 20, **SIZES},
    {"model_type": "llama", "vocab_size": 20, "num_key_value_heads": 1, **SIZES},
    {"model_type": "gpt2", "vocab_size": 20, "n_embd": 8, "n_layer": 1, "n_head": 2},
    {"model_type": "t5", "vocab_size": 20, "d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1,
     "num_heads": 2},
    {"model_type": "vit", "image_size": 32, "patch_size": 16, **SIZES},
    {"model_type": "resnet", "embedding_size": 8, "hidden_sizes": [8, 8], "depths": [1, 1]},
    {"model_type": "clip", "text_config": {**SIZES}, "vision_config": {"image_size": 32, **SIZES}},
]  # fmt: skip
RULE = {
    "do_normalize": True, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
    "size": {"height": 32, "width": 32}, "resample": 2, "crop_pct": 0.9,
}  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)


def with_file(read: Callable[[Path], object], name: str) -> Callable[[bytes], None]:
    def act(content: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(content)
            read(path)

    return act


def history_of(path: Path) -> None:
    """A damaged history never raises: it complains and goes on in memory."""
    history = History(path.parent, patience=0.1)
    history.visits()
    number = history.visit(ModelVersion("m", "w", "d"), PLAN)
    assert history.plan_of(number) == PLAN
    history.close()


def npz() -> bytes:
    file = io.BytesIO()
    np.savez(file, x=np.zeros((12, 3), np.float32), y=np.arange(12) % 3)
    return file.getvalue()


def database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(folder))
        history.visit(ModelVersion("m", "w", "d"), PLAN)
        history.close()
        return (Path(folder) / FILE).read_bytes()


@st.composite
def damaged(draw: Any, whole: bytes) -> bytes:
    """The file with a few bytes changed, taken out or put in."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(content)))
        more = draw(st.binary(max_size=8))
        content[place : place + draw(st.sampled_from([0, len(more), 100, 10**6]))] = more
    return bytes(content)


def plan_from(values: Any) -> None:
    plan = Plan.from_dict(values)
    assert Plan.from_dict(json.loads(json.dumps(plan.as_dict()))) == plan


def link_from(content: bytes) -> None:
    from_link(content.decode("latin-1"), "f")


def words_from(words: list[str]) -> None:
    request = parse(words)
    assert request is None or request.model


def bounds_from(texts: dict[str, str]) -> None:
    """The bounds as the environment sets them."""
    with patch.dict(os.environ, texts):
        assert all(int(str(row["value"])) > 0 for row in limits.table())


def network_of(files: dict[str, bytes]) -> None:
    """A folder of Transformers, none of whose networks is allowed to be large."""
    optional.transformers()
    with tempfile.TemporaryDirectory() as folder, limits.tighter(parameters=10**6, modules=2_000):
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        build(f"hf:{folder}")


@st.composite
def changed(draw: Any, whole: dict[str, Any], more: Any = SCALARS | JSON) -> bytes:
    """A mapping as JSON, a few of its values others and a few of its keys new."""
    values = dict(whole)
    for key in draw(st.lists(st.sampled_from([*whole]), max_size=3)):
        values[key] = draw(st.integers(-2, 40) | more)
    keys = st.sampled_from(CONFIG_KEYS) | st.text(max_size=9)
    values |= draw(st.dictionaries(keys, st.integers(-2, 40) | more, max_size=2))
    content = json.dumps(values).encode()
    return draw(damaged(content)) if draw(st.integers(0, 4)) == 0 else content


@st.composite
def folders(draw: Any) -> dict[str, bytes]:
    """Files of a network: its configuration, for pictures that of its inputs, an index."""
    kind = draw(st.sampled_from(KINDS))
    files = {"config.json": draw(changed(kind) | st.just(json.dumps(kind).encode()))}
    if draw(st.booleans()):
        files["preprocessor_config.json"] = draw(changed(RULE))
    if draw(st.integers(0, 3)) == 0:
        shards = {"weight_map": draw(st.dictionaries(st.text(max_size=5), st.text(max_size=5)))}
        files["model.safetensors.index.json"] = draw(changed(shards))
    return files


CONFIG_KEYS = (
    "architectures", "num_labels", "id2label", "label2id", "pad_token_id", "eos_token_id",
    "num_channels", "image_size", "hidden_act", "max_position_embeddings", "rope_theta",
    "rope_scaling", "layer_types", "is_decoder", "is_encoder_decoder", "add_cross_attention",
    "quantization_config", "torch_dtype", "auto_map", "problem_type", "crop_size", "do_resize",
    "tie_word_embeddings", "chunk_size_feed_forward", "head_dim", "sliding_window", "text_config",
    "hidden_dropout_prob", "layer_norm_eps", "initializer_range", "type_vocab_size", "out_features",
)  # fmt: skip
OPTIONS = (
    "--model", "--data", "--arch", "--metric", "--task", "--ignore", "--output", "--labels",
    "--size", "--mean", "--std", "--calibration", "--split-seed", "--tokenizer", "--unsafe-load",
    "--target-column", "--target", "--help", "--", "-", "lenet5", "224", "32x32", "0.5,0.5",
    "classes", "nan", "-1",
)  # fmt: skip
BOUNDS = st.sampled_from([each.variable for each in limits.LIMITS.values()])
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
NAMES = st.sampled_from([*PLAN.as_dict()]) | st.text(max_size=5)
READERS: dict[str, tuple[Any, Callable[[Any], object]]] = {
    "plan": (st.dictionaries(NAMES, JSON, max_size=6), plan_from),
    "link": (damaged(to_link(PLAN, "f").encode()), link_from),
    "recipe": (damaged(RECIPE.encode()), from_yaml),
    "npz": (damaged(npz()), with_file(lambda path: read_npz(path, DataRequest()), "x.npz")),
    "safetensors": (damaged(save({"a": torch.zeros(3, 4)})), read_weights),
    "configuration": (folders(), network_of),
    "words": (st.lists(st.sampled_from(OPTIONS) | st.text(max_size=5), max_size=6), words_from),
    "bounds": (
        st.dictionaries(BOUNDS, TEXTS | st.integers(-9, 10**20).map(str), max_size=3),
        bounds_from,
    ),
    "history": (damaged(database()), with_file(history_of, FILE)),
}


def tried(reader: str, given: Any) -> None:
    """Reads; every error but a ValueError is a fault of the reader."""
    try:
        READERS[reader][1](given)
    except ValueError as error:
        if not str(error):
            raise AssertionError("a refusal without words") from error
