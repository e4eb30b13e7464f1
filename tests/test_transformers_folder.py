"""Does a folder of Transformers open as the network it was?"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

from pruneviz.network.forward_pass import call
from pruneviz.sources.networks.architectures import build
from pruneviz.sources.networks.synthetic import synthetic
from pruneviz.sources.networks.weights import Weights, read_weights
from tests import optional
from tests.cases import slow_but

SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "vocab_size": 50,
}

KINDS = ("Bert", "GPT2", "T5", "Llama", "ViT")


def saved(kind: str, folder: Path, dtype: torch.dtype = torch.float32) -> nn.Module:
    t = optional.transformers()
    torch.manual_seed(0)
    model: nn.Module = {
        "Bert": lambda: t.BertForSequenceClassification(
            t.BertConfig(**SMALL, id2label={0: "no", 1: "yes"}, label2id={"no": 0, "yes": 1})
        ),
        "GPT2": lambda: t.GPT2LMHeadModel(
            t.GPT2Config(
                n_embd=16, n_layer=1, n_head=2, vocab_size=50, bos_token_id=1, eos_token_id=1
            )
        ),
        "T5": lambda: t.T5ForConditionalGeneration(
            t.T5Config(d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2, vocab_size=50)
        ),
        "Llama": lambda: t.LlamaForCausalLM(t.LlamaConfig(**SMALL, num_key_value_heads=1)),
        "ViT": lambda: t.ViTForImageClassification(
            t.ViTConfig(
                **{k: v for k, v in SMALL.items() if k != "vocab_size"}, image_size=16, patch_size=8
            )
        ),
    }[kind]()
    model = model.to(dtype).eval()
    model.save_pretrained(folder)  # type: ignore[operator]
    return model


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "dtype", slow_but(lambda dtype: dtype == torch.float32, [torch.float32, torch.bfloat16])
)
def test_a_folder_of_transformers_answers_as_it_did(
    tmp_path: Path, kind: str, dtype: torch.dtype
) -> None:
    model = saved(kind, tmp_path, dtype)
    found = build(f"hf:{tmp_path}")
    assert type(found.model) is type(model)
    assert {p.dtype for p in found.model.parameters()} == {dtype}
    inputs = synthetic(found.spec, found.model, 2)
    with torch.no_grad():
        here, there = call(found.model, inputs), call(model, inputs)
    torch.testing.assert_close(here.float(), there.float(), rtol=0.02, atol=0.02)
    assert not any(t.is_meta for t in (*found.model.parameters(), *found.model.buffers()))
    number = len({id(p) for p in model.parameters()})
    assert len({id(p) for p in found.model.parameters()}) == number  # tied ones stay tied


def test_a_folder_says_how_its_network_is_fed(tmp_path: Path) -> None:
    saved("Bert", tmp_path)
    spec = build(f"hf:{tmp_path}").spec
    assert spec.keys == ("input_ids", "attention_mask")
    assert (spec.kind, spec.vocab, spec.length, spec.classes) == ("tokens", 50, 512, ("no", "yes"))


def test_the_preprocessor_says_how_images_are_scaled(tmp_path: Path) -> None:
    saved("ViT", tmp_path)
    rule = {"image_mean": [0.1, 0.2, 0.3], "image_std": [1, 2, 3], "resample": 3}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(rule))
    spec = build(f"hf:{tmp_path}").spec
    assert (spec.size, spec.mean, spec.interpolation) == ((16, 16), (0.1, 0.2, 0.3), "bicubic")


def test_a_configuration_alone_gives_random_weights_or_takes_a_file(tmp_path: Path) -> None:
    model = saved("Bert", tmp_path / "whole")
    (tmp_path / "only").mkdir()
    shutil.copy(tmp_path / "whole" / "config.json", tmp_path / "only")
    assert "random weights" in build(f"hf:{tmp_path / 'only'}").notes[0]
    weights = read_weights(tmp_path / "whole" / "model.safetensors")
    found = build(f"hf:{tmp_path / 'only' / 'config.json'}", weights)
    assert all(
        torch.equal(a, b) for a, b in zip(found.model.parameters(), model.parameters(), strict=True)
    )


def test_weights_of_a_folder_stay_mapped(tmp_path: Path) -> None:
    saved("Bert", tmp_path)
    weights = read_weights(tmp_path)
    found = build(f"hf:{tmp_path}", weights)
    name = "bert.encoder.layer.0.attention.self.query.weight"
    assert found.model.get_parameter(name).data_ptr() == weights.tensors[name].data_ptr()


def test_what_does_not_fit_a_configuration_is_listed(tmp_path: Path) -> None:
    saved("Bert", tmp_path)
    tensors = dict(read_weights(tmp_path).tensors)
    tensors["classifier.weight"] = torch.ones(5, 16)
    del tensors["classifier.bias"]
    with pytest.raises(
        ValueError, match=r"classifier\.weight 5×16 in .*1 missing: classifier\.bias"
    ):
        build(f"hf:{tmp_path}", Weights(tensors, (), "w"))


def test_code_in_a_folder_is_never_run(tmp_path: Path) -> None:
    optional.transformers()
    marker = tmp_path / "marker"
    code = f"from pathlib import Path\nPath({str(marker)!r}).touch()\nclass Mine: pass\n"
    (tmp_path / "mine.py").write_text(code)
    config = {
        "model_type": "mine",
        "auto_map": {"AutoConfig": "mine.Mine", "AutoModel": "mine.Mine"},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"a config.json of model_type .mine. is not built"):
        build(f"hf:{tmp_path}")
    assert not marker.exists()


def test_an_evil_pickle_in_a_folder_is_refused(tmp_path: Path) -> None:
    saved("Bert", tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(nn.Linear(1, 1), tmp_path / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"pytorch_model\.bin holds a whole network"):
        build(f"hf:{tmp_path}")


@pytest.mark.parametrize("text", ["", "[]", '{"model_type": "nothing_known"}'])
def test_a_broken_configuration_is_refused(tmp_path: Path, text: str) -> None:
    optional.transformers()
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ValueError, match=r"config\.json") as error:
        build(f"hf:{tmp_path}")
    assert "\n" not in str(error.value)


def test_a_quantised_configuration_and_a_folder_without_one_are_refused(tmp_path: Path) -> None:
    optional.transformers()
    with pytest.raises(ValueError, match=r"neither a folder with a config\.json"):
        build(f"hf:{tmp_path}")
    config = {"model_type": "bert", "quantization_config": {"quant_method": "gptq", "bits": 4}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="quantised"):
        build(f"hf:{tmp_path}")
