"""Does a config.json build a network and do nothing else, whatever it names?"""

from __future__ import annotations

import json
import os
import pickle
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import pruneviz as pv
from pruneviz.cli import main
from pruneviz.limits import limit
from pruneviz.sources.networks.architectures import build
from pruneviz.sources.networks.configuration import MODEL_TYPES, known_keys, read_configuration
from pruneviz.sources.networks.hub import chosen_files, hub_folder, is_hub_name
from pruneviz.sources.networks.libraries import library
from pruneviz.sources.upload import open_upload
from tests import optional
from tests.cases import slow_but

BERT = {
    "model_type": "bert", "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
    "intermediate_size": 32, "vocab_size": 50,
}  # fmt: skip
BACKBONE = {"model_type": "timm_backbone", "backbone": "resnet18"}
MARK = "ran"
every_model_type = pytest.mark.parametrize(
    "model_type",
    slow_but(
        lambda name: name in (
            "bert", "clip", "convnext", "deberta-v2", "gpt2", "llama", "mbart", "mixtral", "resnet",
            "segformer", "speech_to_text", "t5", "vit", "wav2vec2", "whisper", "xlnet",
        ),
        sorted(MODEL_TYPES),
    ),
)  # fmt: skip


class Evil:
    def __init__(self, mark: str) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return os.mkdir, (self.mark,)


def folder(tmp_path: Path, config: object) -> Path:
    """A folder with a config.json, code and a pickle, each of which leaves a mark if it runs."""
    place = tmp_path / "net"
    place.mkdir(exist_ok=True)
    (place / "config.json").write_text(json.dumps(config))
    mark = str(tmp_path / MARK)
    (place / "w.model").write_bytes(pickle.dumps(Evil(mark), protocol=2))
    for name in ("modeling_mine", "mine"):
        (place / f"{name}.py").write_text(f"import os\nos.mkdir({mark!r})\n")
    return place


REFUSED: dict[str, dict[str, Any]] = {
    "timm": {
        "model_type": "timm_wrapper", "architecture": "resnet18", "num_classes": 10,
        "model_args": {"checkpoint_path": "net/w.model"},
    },
    "timm_pretrained": {
        "model_type": "timm_wrapper", "architecture": "resnet18",
        "model_args": {"pretrained": True, "pretrained_cfg": {"file": "net/w.model"}},
    },
    "backbone": {"model_type": "timm_backbone", "backbone": "resnet18"},
    "detr": {"model_type": "detr", "backbone": "net/w.model", "use_timm_backbone": True},
    "upernet": {"model_type": "upernet", "backbone_config": BACKBONE},
    "dpt": {"model_type": "dpt", "backbone": "org/x", "use_pretrained_backbone": True},
    "kernels": {"model_type": "yoso"},
    "retrieval": {"model_type": "rag", "index_path": "net/w.model"},
    "dual": {"model_type": "vision-encoder-decoder", "encoder": BACKBONE, "decoder": BERT},
    "gemma3n": {
        "model_type": "gemma3n",
        "vision_config": {"architecture": "x", "model_args": {"checkpoint_path": "w"}},
    },
    "own": {"model_type": "mine", "auto_map": {"AutoConfig": "mine.Mine"}},
    "none": {"hidden_size": 3},
    "list": {"model_type": ["bert"]},
    "path": {**BERT, "hidden_act": "../w.model"},
    "url": {**BERT, "hidden_act": "https://x"},
    "class": {**BERT, "hidden_act": "os.system"},
    "part": {"model_type": "clip", "text_config": {"hidden_act": "net/w.model"}},
    "part_kind": {"model_type": "clip", "text_config": [1]},
    "mapping": {**BERT, "vocab_size": {"a": 1}},
    "labels": {**BERT, "id2label": {"0": {"a": 1}}},
    "architectures": {**BERT, "architectures": [5]},
}  # fmt: skip
LEFT_OUT: dict[str, dict[str, Any]] = {
    "auto_map": {"auto_map": {"AutoConfig": "mine.Mine", "AutoModel": "modeling_mine.Mine"}},
    "trust": {"trust_remote_code": True, "custom_pipelines": {"x": {"impl": "mine.Mine"}}},
    "kernel": {"_attn_implementation": "kernels-community/flash-attn"},
    "kernel_public": {"attn_implementation": "kernels-community/flash-attn"},
    "kernel_inside": {"_attn_implementation_internal": "kernels-community/flash-attn"},
    "experts": {"_experts_implementation": "kernels-community/x", "use_kernels": True},
    "name": {"_name_or_path": "/etc/passwd", "name_or_path": "org/evil"},
    "timm": {"pretrained_cfg": {"file": "net/w.model"}, "model_args": {"checkpoint_path": "w"}},
    "backbone": {"backbone": "net/w.model", "backbone_config": BACKBONE, "use_timm_backbone": 1},
    "other": {"architectures": ["TimmWrapperForImageClassification", "os", "YosoModel"]},
    "dtype": {"dtype": "load", "torch_dtype": "hub"},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_names_anything_is_refused_by_every_door(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    optional.transformers()
    place = folder(tmp_path, REFUSED[name])
    monkeypatch.chdir(tmp_path)
    for given in (f"hf:{place}", "hf:net"):
        with pytest.raises(ValueError, match=r"config\.json") as refusal:
            pv.open(given)
        assert "\n" not in str(refusal.value)
    shown = CliRunner().invoke(main, ["layers", "hf:net"])
    assert (shown.exit_code, "config.json" in shown.stderr) == (1, True)
    (tmp_path / "recipe.yaml").write_text("model: hf:net\nplan: {}\n")
    shown = CliRunner().invoke(main, ["replay", "recipe.yaml"])
    assert shown.exit_code == 1
    assert not (tmp_path / MARK).exists()


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_shapes_nothing_is_left_out(tmp_path: Path, name: str) -> None:
    optional.transformers()
    place = folder(tmp_path, BERT | LEFT_OUT[name])
    found: Any = build(f"hf:{place}").model
    assert type(found).__name__ == "BertModel"
    assert found.config._attn_implementation == "eager"
    left = json.dumps(found.config.to_dict())
    assert not re.search(r"w\.model|mine|kernels-community|passwd|evil", left)
    assert not (tmp_path / MARK).exists()


# Words in a key that may reach a file, a repository, a kernel or code; what is harmless of them.
_REACHES = re.compile(
    r"path|file|repo|hub|backbone|url|checkpoint|pretrained|class|module|revision|script|impl|"
    r"index|dataset|compile|cuda|trust|args|kernel(?!_size|_qkv)|_name|name_"
)
_HARMLESS = re.compile(
    r"(drop_path_rate|path_dropout|\w*_index|\w*xpath\w*|conv_kernel|tdnn_kernel|"
    r"pretrained_window_sizes|\w*classif\w+|num_(ctc_)?classes|class_cost)"
)


@every_model_type
def test_no_key_of_what_is_built_can_reach_beyond(model_type: str) -> None:
    transformers = optional.transformers()
    if model_type not in transformers.CONFIG_MAPPING:
        pytest.skip(f"transformers {transformers.__version__} has no {model_type}")
    keys = known_keys(transformers.CONFIG_MAPPING[model_type])
    assert not [k for k in keys if _REACHES.search(k) and not _HARMLESS.fullmatch(k)]
    assert not [k for k in keys if k.endswith("_config")] or model_type in ("clip", "siglip")


@every_model_type
@pytest.mark.filterwarnings("ignore")  # Transformers', on its own defaults
def test_a_configuration_is_read_as_it_was_saved(tmp_path: Path, model_type: str) -> None:
    transformers = optional.transformers()
    if model_type not in transformers.CONFIG_MAPPING:
        pytest.skip(f"transformers {transformers.__version__} has no {model_type}")
    config = transformers.CONFIG_MAPPING[model_type]()
    config.save_pretrained(tmp_path)
    here = read_configuration(tmp_path, model_type).to_dict()
    gone = ("_name_or_path", "transformers_version", "dtype")
    assert {k: v for k, v in config.to_dict().items() if k not in gone and here.get(k) != v} == {}


@pytest.mark.parametrize(
    "name",
    [
        "~", "~root", "~nobodyxx", "~root/x", "$HOME", "${HOME}", "%USERPROFILE%", "..", ".",
        "../x",
        "a/../b", "a/..", "/etc", "//host/share", "\\\\host\\share", "C:", "C:\\x", "c:/x", "./x",
        "a/b/c", "a\\b", "a b", " a", "a\x00", "ａ/ｂ", "a/", "/", "", "file:x",
        "a--b", ".hidden", "x/.git", "-x", "a" * 5000, "名",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["hf", "timm", "torchvision", "sample"])
def test_from_a_browser_a_name_is_a_name(name: str, kind: str) -> None:
    with pytest.raises(ValueError, match="is no name") as refusal:
        open_upload(None, "", f"{kind}:{name}")
    text = str(refusal.value)
    assert "\n" not in text
    assert str(Path.home()) not in text
    assert len(text) < 400


def offline(*args: object, **named: object) -> None:
    raise OSError("no network in tests")


def test_from_a_browser_a_folder_is_not_even_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    optional.transformers()
    folder(tmp_path, BERT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(urllib.request, "urlopen", offline)
    said = []
    for name in ("net", "not_there"):
        with pytest.raises(ValueError, match="cannot be reached") as refusal:
            open_upload(None, "", f"hf:{name}")
        said.append(str(refusal.value).replace(name, "NAME"))
    assert said[0] == said[1]


@pytest.mark.parametrize("name", ["bert", "org/name", "google-bert/bert-base-uncased", "a.b/c_d"])
def test_names_of_the_hub_are_names(name: str) -> None:
    assert is_hub_name(name)


def test_only_weights_and_configurations_are_fetched_up_to_a_bound() -> None:
    sizes: dict[str, int | None] = dict.fromkeys(
        ["config.json", "model.safetensors", "pytorch_model.bin", "modeling_x.py", "README.md",
         "onnx/model.onnx", "onnx/model.safetensors", "sub/config.json", "evil.json", "w.model",
         "tokenizer.json", "training_args.bin", "model-00001-of-2.safetensors"], 10,
    )  # fmt: skip
    assert sorted(chosen_files(sizes, "x")) == [
        "config.json", "model-00001-of-2.safetensors", "model.safetensors", "tokenizer.json",
    ]  # fmt: skip
    with pytest.raises(ValueError, match=r"bytes to download, more than"):
        chosen_files({"config.json": 5, "model.safetensors": limit("download_bytes") + 1}, "x")
    with pytest.raises(ValueError, match=r"bytes to download, more than"):
        chosen_files({"config.json": 5, "model.safetensors": None}, "x")
    with pytest.raises(ValueError, match=r"no name of a model on the hub"):
        hub_folder("../x", "transformers")


def test_a_library_that_loads_code_with_weights_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = tmp_path / "timm-1.0.20.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: timm\nVersion: 1.0.20\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match=r"timm 1\.0\.20 is installed.*pip install --upgrade timm"):
        library("timm")
