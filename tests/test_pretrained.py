"""Does a folder that was exported open with `from_pretrained`, with as many layers as are left?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import pruneviz as pv
from pruneviz.network.forward_pass import call_all
from pruneviz.network.likeness import Likeness
from tests import optional
from tests.cases import slow_but

HEADS = {"num_attention_heads": 2, "num_key_value_heads": 1}
WIDE = {"hidden_size": 16, "intermediate_size": 32, **HEADS}
LAYERS = 3
# Of each: its class, what in its configuration counts its layers, its sizes.
KINDS = {
    "GPT2": ("GPT2LMHeadModel", "n_layer", {"n_embd": 16, "n_head": 2}),
    "Llama": ("LlamaForCausalLM", "num_hidden_layers", WIDE),
    "Qwen2": ("Qwen2ForCausalLM", "num_hidden_layers", WIDE),
    "ViT": ("ViTForImageClassification", "num_hidden_layers", WIDE),
    "DistilBert": ("DistilBertForSequenceClassification", "n_layers",
                   {"dim": 16, "hidden_dim": 32, "n_heads": 2}),
    "Bert": ("BertForSequenceClassification", "num_hidden_layers", WIDE),
}  # fmt: skip


def made(kind: str) -> nn.Module:
    library = optional.transformers()
    name, count, sizes = KINDS[kind]
    more = {"image_size": 16, "patch_size": 8} if kind == "ViT" else {"vocab_size": 50}
    if kind == "GPT2":
        more |= {"bos_token_id": 1, "eos_token_id": 1}
    torch.manual_seed(0)
    config = getattr(library, f"{kind}Config")(**{**sizes, **more, count: LAYERS})
    network: nn.Module = getattr(library, name)(config)
    with torch.no_grad():
        for parameter in network.parameters():  # norms of one and biases of zero tell little
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network.eval()


def opened(kind: str) -> pv.Workbench:
    network = made(kind)
    pictures = kind == "ViT"
    tokens = torch.randint(0, 50, (40, 6))
    return pv.open(network, torch.randn(40, 3, 16, 16) if pictures else {"input_ids": tokens})


def layers_of(network: nn.Module) -> str:
    """The path of its list of layers: from one release to the next it moves."""
    lists = [n for n, one in network.named_modules() if isinstance(one, nn.ModuleList)]
    (path,) = [name for name in lists if len(network.get_submodule(name)) == LAYERS]  # type: ignore[arg-type]
    return path


def plan_without(bench: pv.Workbench, path: str, layers: list[int], part: int | None) -> pv.Plan:
    """Without these layers, and without the first block of layer `part`."""
    blocks = bench.graph_cache.blocks.groups
    gone = [n for n in blocks if any(n.startswith(f"{path}.{layer}.") for layer in layers)]
    assert len(gone) == 2 * len(layers)
    if part is not None:
        gone.append(next(n for n in blocks if n.startswith(f"{path}.{part}.")))
    return pv.Plan("magnitude", "block", sparsity=dict.fromkeys(gone, 1.0))


def reopened(folder: Path, kind: str) -> Any:
    return getattr(optional.transformers(), KINDS[kind][0]).from_pretrained(folder)


def alike(bench: pv.Workbench, plan: pv.Plan, network: nn.Module) -> bool:
    inputs, likeness = bench.source.validation.first(4).inputs, Likeness()
    with torch.inference_mode():
        likeness.add(call_all(bench.prune(plan).model, inputs), call_all(network, inputs))
    return likeness.difference < 1e-5


@pytest.mark.parametrize(
    "kind", slow_but(lambda kind: kind == "GPT2", ("GPT2", "Llama", "Qwen2", "ViT"))
)
def test_the_configuration_counts_the_layers_that_are_left(kind: str, tmp_path: Path) -> None:
    bench, count = opened(kind), KINDS[kind][1]
    path = layers_of(bench.source.model)
    plan = plan_without(bench, path, [1], part=2)
    result = bench.export(plan, tmp_path, ["transformers"])
    assert not result.failed
    words = result.written[0].words
    assert f"2 of 3 layers of {path}" in words
    assert f"layer 2 of {path} lost one part alone, which stands as zeros" in words
    folder = tmp_path / "transformers"
    assert json.loads((folder / "config.json").read_text("utf-8"))[count] == LAYERS - 1
    network = reopened(folder, kind)
    assert len(network.get_submodule(path)) == LAYERS - 1
    assert alike(bench, plan, network)
    assert alike(bench, plan, pv.open(f"hf:{folder}", bench.source.validation).source.model)
    assert bench.source.model.config.to_dict()[count] == LAYERS, "the user's own stays"


@pytest.mark.slow
def test_an_encoder_and_a_decoder_of_one_length_are_told_apart(tmp_path: Path) -> None:
    library = optional.transformers()
    torch.manual_seed(0)
    config = library.T5Config(
        d_model=16, d_kv=8, d_ff=32, num_layers=3, num_decoder_layers=3, num_heads=2, vocab_size=50
    )
    tokens = torch.randint(0, 50, (40, 6))
    network = library.T5ForConditionalGeneration(config).eval()
    bench = pv.open(network, {"input_ids": tokens, "decoder_input_ids": tokens.flip(1)})
    blocks = bench.graph_cache.blocks.groups
    gone = [name for name in blocks if name.startswith("decoder.block.2.")]
    plan = pv.Plan("magnitude", "block", sparsity=dict.fromkeys(gone, 1.0))
    result = bench.export(plan, tmp_path, ["transformers"])
    assert "2 of 3 layers of decoder.block" in result.written[0].words
    says = json.loads((tmp_path / "transformers" / "config.json").read_text("utf-8"))
    assert (says["num_layers"], says["num_decoder_layers"]) == (3, 2)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["Bert", "DistilBert"])
def test_norms_behind_the_sums_keep_a_layer(kind: str, tmp_path: Path) -> None:
    bench, count = opened(kind), KINDS[kind][1]
    path = layers_of(bench.source.model)
    plan = plan_without(bench, path, [1], part=None)
    result = bench.export(plan, tmp_path, ["transformers"])
    assert not result.failed
    assert f"layer 1 of {path} lost" in result.written[0].words
    folder = tmp_path / "transformers"
    assert json.loads((folder / "config.json").read_text("utf-8"))[count] == LAYERS
    assert alike(bench, plan, reopened(folder, kind))


def test_what_else_is_cut_stands_as_zeros(tmp_path: Path) -> None:
    bench = opened("GPT2")
    plan = pv.Plan(sparsity={"transformer.h.0.mlp.c_fc": 0.5})
    result = bench.export(plan, tmp_path, ["transformers"])
    assert "every shape is as it was" in result.written[0].words
    assert alike(bench, plan, reopened(tmp_path / "transformers", "GPT2"))


def test_another_network_says_why_not(tmp_path: Path) -> None:
    bench = pv.open(nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3)).eval(), torch.randn(40, 4))
    result = bench.export(pv.Plan(sparsity={"0": 0.5}), tmp_path, ["transformers"])
    assert "Sequential is no network of Transformers" in result.failed["transformers"]
    assert not list(tmp_path.iterdir())
