"""Do the maps of heads show what the network's own attention weighs?"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.ui.workbench.live import TABS
from tests import optional
from tests.page import Page


def test_heads_of_vit_by_hand() -> None:
    bench = pv.open("vit")
    network, sample = bench.source.model, bench.source.validation.take(slice(3, 4)).inputs
    heard: list[Tensor] = []
    handle = network.get_submodule("blocks.1.attn.qkv").register_forward_hook(
        lambda module, args, output: heard.append(output)
    )
    with torch.no_grad():
        network(sample)
    handle.remove()
    query, key, _ = heard[0].unflatten(2, (3, 4, -1)).permute(2, 0, 3, 1, 4)
    wanted = (query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5).softmax(-1)[0]
    for layer in ("blocks.1.attn.qkv", "blocks.1.attn.proj"):
        torch.testing.assert_close(bench.attention_maps(layer, 3), wanted)


def test_a_head_is_seen_before_it_is_cut_and_under_the_plan() -> None:
    bench = pv.open("writer")
    name = "blocks.0.attn.q_proj"
    plan = pv.Plan("l2", "head", sparsity={name: 0.25})
    dense, cut = bench.attention_maps(name, 0), bench.attention_maps(name, 0, plan)
    torch.testing.assert_close(dense.sum(-1), torch.ones(dense.shape[:2]))
    assert not dense.triu(1).any(), "no word looks ahead"
    gone = [h for h in range(len(dense)) if not torch.allclose(dense[h], cut[h], atol=1e-4)]
    units = bench.prune(plan).units[name]
    assert gone == [h for h, kept in enumerate(units.tolist()) if not kept]
    even = torch.ones(dense.shape[1:]).tril()
    torch.testing.assert_close(cut[gone[0]], even / even.sum(-1, keepdim=True))


class Attends(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(12, 3, batch_first=True)
        self.answer = nn.Linear(12, 2)

    def forward(self, x: Tensor) -> Tensor:
        attended: Tensor = self.attention(x, x, x, need_weights=False)[0]
        answer: Tensor = self.answer(attended.mean(1))
        return answer


def test_torchs_own_attention() -> None:
    torch.manual_seed(0)
    network, data = Attends().eval(), torch.randn(20, 5, 12)
    bench = pv.open(network, (data, torch.arange(20) % 2))
    sample = bench.source.validation.take(slice(2, 3)).inputs
    with torch.no_grad():
        wanted = network.attention(sample, sample, sample, average_attn_weights=False)[1][0]
    name = next(name for name in bench.layer_of if name.startswith("attention"))
    torch.testing.assert_close(bench.attention_maps(name, 2), wanted)
    with pytest.raises(ValueError, match="'answer' stands in no attention"):
        bench.attention_maps("answer", 2)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bert", "gpt2", "llama"])
def test_networks_of_transformers_say_the_same(kind: str) -> None:
    transformers = optional.transformers()
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    wide = {**sizes, "intermediate_size": 48, "vocab_size": 50}
    configs = {
        "bert": lambda: transformers.BertConfig(**wide),
        "gpt2": lambda: transformers.GPT2Config(n_embd=32, n_layer=2, n_head=4, vocab_size=50),
        "llama": lambda: transformers.LlamaConfig(**wide, num_key_value_heads=2),
    }
    classes = {
        "bert": ("BertForSequenceClassification", "bert.encoder.layer.1.attention.self.query"),
        "gpt2": ("GPT2LMHeadModel", "transformer.h.1.attn.c_proj"),
        "llama": ("LlamaForCausalLM", "model.layers.1.self_attn.q_proj"),
    }
    name, layer = classes[kind]
    network = getattr(transformers, name)(configs[kind]()).eval()
    tokens = torch.randint(0, 50, (12, 7))
    bench = pv.open(network, {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)})
    own = bench.attention_maps(layer, 1)
    sample = bench.source.validation.take(slice(1, 2)).inputs
    network.set_attn_implementation("eager")
    with torch.no_grad():
        wanted = network(**sample, output_attentions=True).attentions[1][0]
    torch.testing.assert_close(own, wanted, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(bench.attention_maps(layer, 1), wanted, atol=1e-5, rtol=1e-4)


@pytest.mark.slow
def test_the_page_shows_the_heads_of_the_layer_in_focus() -> None:
    page = Page(model="vit")
    page.session.focus = "blocks.0.attn.qkv"
    page.app.session_state[TABS] = "Feature maps"
    page.run()
    assert "look in the dense network" in page.texts()
