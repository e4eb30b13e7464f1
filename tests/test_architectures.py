"""Does a name give the right network, ready to be fed?"""

from __future__ import annotations

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
