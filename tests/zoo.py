"""Networks of many kinds, small or without trained weights, each with data to send through."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from pruneviz.data import Data
from tests import optional
from tests.zoo_networks import SAMPLES, Made, own_networks


def _tokens(**more: Tensor) -> dict[str, Tensor]:
    ids = torch.randint(3, 96, (SAMPLES, 10))
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), **more}


def _transformer(kind: str) -> Made:
    library = optional.transformers()
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    labels = torch.arange(SAMPLES) % 2
    if kind == "BERT":
        config = library.BertConfig(vocab_size=100, intermediate_size=64, **sizes)
        return library.BertForSequenceClassification(config), Data(_tokens(), labels)
    if kind == "DistilBERT":
        config = library.DistilBertConfig(
            vocab_size=100, dim=32, n_layers=2, n_heads=4, hidden_dim=64
        )
        return library.DistilBertForSequenceClassification(config), Data(_tokens(), labels)
    if kind == "GPT-2":
        config = library.GPT2Config(vocab_size=100, n_embd=32, n_layer=2, n_head=4, n_positions=32)
        inputs = _tokens()
        return library.GPT2LMHeadModel(config), Data(inputs, _next(inputs["input_ids"]))
    if kind == "T5":
        config = library.T5Config(
            vocab_size=100, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4
        )
        begun = torch.randint(3, 96, (SAMPLES, 5))
        return library.T5ForConditionalGeneration(config), Data(
            _tokens(decoder_input_ids=begun), _next(begun)
        )
    if kind == "Llama-like":
        config = library.LlamaConfig(
            vocab_size=100, intermediate_size=64, num_key_value_heads=2, **sizes
        )
        inputs = _tokens()
        return library.LlamaForCausalLM(config), Data(inputs, _next(inputs["input_ids"]))
    config = library.ViTConfig(image_size=32, patch_size=8, intermediate_size=64, **sizes)
    return library.ViTForImageClassification(config), Data(torch.randn(SAMPLES, 3, 32, 32), labels)


def _next(ids: Tensor) -> Tensor:
    return torch.cat([ids[:, 1:], torch.full_like(ids[:, :1], -100)], 1)


TRANSFORMERS = ("BERT", "DistilBERT", "GPT-2", "T5", "Llama-like", "ViT (Transformers)")
TIMM = (
    *("resnet18", "resnet50", "resnetv2_50", "mobilenetv2_100", "mobilenetv3_small_100"),
    *("efficientnet_b0", "tf_efficientnet_b0", "densenet121", "convnext_atto", "regnetx_002"),
    *("inception_v3", "vgg11", "vit_tiny_patch16_224", "vit_base_patch16_224"),
    *("deit_tiny_distilled_patch16_224", "swin_tiny_patch4_window7_224", "mixer_s32_224"),
    *("levit_128s", "resmlp_12_224", "ghostnet_100", "resnest14d", "mobilevit_xxs"),
    *("repvgg_a0", "poolformer_s12", "xcit_nano_12_p16_224", "dm_nfnet_f0"),
)

TORCHVISION = ("resnet18", "vit_b_16", "shufflenet_v2_x0_5", "squeezenet1_1", "googlenet")


def _timm(name: str) -> Made:
    model = optional.timm().create_model(name)
    shape = model.pretrained_cfg["input_size"]
    return model, Data(torch.randn(SAMPLES, *shape))


def _torchvision(name: str) -> Made:
    models = optional.torchvision().models
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchvision's own words on how it initialises googlenet
        model = models.get_model(name, weights=None)
    return model, Data(torch.randn(SAMPLES, 3, 224, 224))


SMALL: dict[str, Callable[[], Made]] = {
    **own_networks(),
    **{name: partial(_transformer, name) for name in TRANSFORMERS},
}

LARGE: dict[str, Callable[[], Made]] = {
    **{f"timm:{name}": partial(_timm, name) for name in TIMM},
    **{f"torchvision:{name}": partial(_torchvision, name) for name in TORCHVISION},
}


# What other networks of SMALL have too: these run with the slow tests.
ALIKE = ("DistilBERT", "T5", "Llama-like", "ViT (Transformers)", "GRU, both ways")


def made(name: str) -> Made:
    """A network of SMALL or LARGE in eval mode, the same each time, with data for it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model, data = (SMALL | LARGE)[name]()
    return model.eval(), data
