"""Does a name give the right network, ready to be fed?"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from pruneviz.network.forward_pass import call
from pruneviz.sources.networks.architectures import build
from pruneviz.sources.networks.libraries import library, reach
from pruneviz.sources.networks.synthetic import synthetic
from pruneviz.sources.networks.weights import Weights, read_weights
from pruneviz.sources.registered import load_registered
from pruneviz.sources.spec import InputSpec
from tests import optional
from tests.cases import slow_but

SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "vocab_size": 50,
}


# -- names -----------------------------------------------------------------------------------


def test_a_sample_comes_with_its_weights_and_how_it_is_fed() -> None:
    found = build("sample:lenet5")
    assert found.model is load_registered("lenet5").model or isinstance(found.model, nn.Module)
    assert (found.spec.kind, found.spec.channels, found.spec.size) == ("image", 1, (28, 28))
    assert len(found.spec.classes) == 10


def test_a_sample_takes_other_weights() -> None:
    state = {k: v * 0 for k, v in load_registered("lenet5").model.state_dict().items()}
    found = build("sample:lenet5", Weights(state))
    assert all(not p.any() for p in found.model.parameters())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lenet5", r"named as sample:…, timm:…, torchvision:…, hf:…, got 'lenet5'"),
        ("keras:x", "got 'keras:x'; own code"),
        ("timm:", "got 'timm:'"),
        ("sample:lenet", "near to it: lenet5"),
        ("sample:zzzzz", "there are lenet300, lenet5"),
        ("hf:./nowhere", "'./nowhere' is neither a folder with a config.json nor a name"),
        ("hf:/nowhere/at/all", "is neither a folder"),
    ],
)
def test_an_unknown_name_is_refused(name: str, message: str) -> None:
    if name.startswith("hf:"):
        optional.transformers()
    with pytest.raises(ValueError, match=message) as error:
        build(name)
    assert "\n" not in str(error.value)


def test_a_library_that_is_missing_or_broken_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pv_breaks.py").write_text("raise RuntimeError('operator x does not exist')")
    (tmp_path / "pv_needs.py").write_text("import pv_other")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "pv_vision.py").write_text(
        "raise RuntimeError('operator torchvision::nms does not exist')"
    )
    with pytest.raises(ValueError, match=r"belong together \(torch .*pip install --force") as said:
        library("pv_vision")
    assert torch.__version__ in str(said.value)
    with pytest.raises(ValueError, match="pv_missing is not installed: pip install pv_missing"):
        library("pv_missing")
    with pytest.raises(ValueError, match="pv_needs is installed, but it needs pv_other"):
        library("pv_needs")
    with pytest.raises(ValueError, match=r"importing it fails \(RuntimeError: operator x does"):
        library("pv_breaks")


def test_a_network_out_of_reach_is_said() -> None:
    with pytest.raises(ValueError, match=r"timm is installed, but nowhere\.invalid cannot be"):
        reach("nowhere.invalid", "timm")


# -- timm and torchvision --------------------------------------------------------------------


def test_timm_knows_its_names() -> None:
    optional.timm()
    with pytest.raises(ValueError, match=r"timm has no model 'resnet19'; near to it: resnet18"):
        build("timm:resnet19")
    with pytest.raises(ValueError, match=r"'resnet18\.a9_in1k'; near to it: resnet18\.a"):
        build("timm:resnet18.a9_in1k")


def test_timm_says_how_its_network_is_fed() -> None:
    optional.timm()
    found = build("timm:resnet18")
    assert found.notes == ("random weights, seed 0: it was never trained",)
    assert (found.spec.size, found.spec.crop, found.spec.interpolation) == (
        (224, 224),
        0.95,
        "bicubic",
    )
    assert found.spec.mean == (0.485, 0.456, 0.406)
    assert not found.model.training


@pytest.mark.parametrize(
    "name",
    slow_but(lambda name: name == "levit_128s", ["levit_128s", "swin_tiny_patch4_window7_224"]),
)
def test_tables_that_no_file_holds_are_right(tmp_path: Path, name: str) -> None:
    timm = optional.timm()
    model = timm.create_model(name).eval()
    save_file(
        {k: v.contiguous() for k, v in model.state_dict().items()}, tmp_path / "w.safetensors"
    )
    found = build(f"timm:{name}", read_weights(tmp_path / "w.safetensors"))
    here, there = dict(found.model.named_buffers()), dict(model.named_buffers())
    assert here.keys() == there.keys()
    assert all(torch.equal(here[key], there[key]) for key in here)
    images = synthetic(found.spec, found.model, 1)
    with torch.no_grad():
        torch.testing.assert_close(call(found.model, images), call(model, images))


@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_a_head_of_another_size_is_built_as_the_file_has_it(tmp_path: Path, library: str) -> None:
    module = optional.timm() if library == "timm" else optional.torchvision().models
    make = module.create_model if library == "timm" else module.get_model
    state = {f"module.{k}": v for k, v in make("resnet18", num_classes=7).state_dict().items()}
    torch.save({"state_dict": state}, tmp_path / "mine.pt")
    found = build(f"{library}:resnet18", read_weights(tmp_path / "mine.pt"))
    assert found.model.get_parameter("fc.weight").shape == (7, 512)
    assert "num_classes = 7, as in mine.pt" in found.notes


def test_a_first_layer_of_one_channel_is_built_as_the_file_has_it() -> None:
    timm = optional.timm()
    found = build("timm:resnet18", Weights(timm.create_model("resnet18", in_chans=1).state_dict()))
    assert found.spec.channels == 1
    assert len(found.spec.mean) == 1


def test_weights_of_another_network_are_listed() -> None:
    timm = optional.timm()
    state = timm.create_model("resnet50").state_dict()
    with pytest.raises(ValueError, match=r"w\.pt does not fit .* of another shape") as error:
        build("timm:resnet18", Weights(state, (), "w.pt"))
    assert "missing" in str(error.value) or "unexpected" in str(error.value)


def test_torchvision_says_how_its_network_is_fed_and_knows_its_names() -> None:
    optional.torchvision()
    found = build("torchvision:resnet18")
    assert (found.spec.size, found.spec.crop) == ((224, 224), 224 / 256)
    with pytest.raises(ValueError, match=r"torchvision has no model 'resnt18'; near .*resnet18"):
        build("torchvision:resnt18")
    with pytest.raises(ValueError, match=r"near to it: resnet18\.IMAGENET1K_V1"):
        build("torchvision:resnet18.IMAGENET1K_V9")
    with pytest.raises(ValueError, match="is quantised"):
        build("torchvision:quantized_resnet18")


# -- transformers ----------------------------------------------------------------------------

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


# -- made-up inputs --------------------------------------------------------------------------


def test_made_up_images_are_noise_of_the_right_shape_and_the_same_each_time() -> None:
    spec = InputSpec("image", channels=1, size=(4, 6))
    one, other = (synthetic(spec, nn.Identity(), 5, seed=3) for _ in range(2))
    assert isinstance(one, torch.Tensor)
    assert one.shape == (5, 1, 4, 6)
    assert torch.equal(one, other)  # type: ignore[arg-type]
    assert not torch.equal(one, synthetic(spec, nn.Identity(), 5, seed=4))  # type: ignore[arg-type]


def test_made_up_tokens_are_below_the_vocabulary() -> None:
    spec = InputSpec("tokens", vocab=9, length=200, keys=("input_ids", "attention_mask"))
    made = synthetic(spec, nn.Identity(), 3)
    assert isinstance(made, dict)
    assert made["input_ids"].shape == (3, 64)
    assert 0 <= int(made["input_ids"].min()) <= int(made["input_ids"].max()) < 9
    assert bool((made["attention_mask"] == 1).all())


@pytest.mark.parametrize(
    "spec", [InputSpec("unknown"), InputSpec("image"), InputSpec("tokens"), InputSpec("sequence")]
)
def test_nothing_is_made_up_for_what_is_not_known(spec: InputSpec) -> None:
    with pytest.raises(ValueError, match=r"what Linear takes is not known.*pass data"):
        synthetic(spec, nn.Linear(1, 1))


def test_at_least_one_sample_is_made_up() -> None:
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        synthetic(InputSpec("image", size=(2, 2)), nn.Identity(), 0)
