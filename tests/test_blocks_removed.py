"""Does a network without its blocks answer as with them masked, in memory and from its files?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import pruneviz as pv
from pruneviz.measuring.counts import macs_of_network
from pruneviz.network.forward_pass import call_all
from pruneviz.network.likeness import Likeness
from pruneviz.network.replica import fingerprint, replica
from pruneviz.plan import from_link, to_link
from pruneviz.workbench import Workbench
from tests.cases import slow_but
from tests.zoo import made

SAMPLES = ("resnet20", "vit")
OTHERS = ("BERT", "GPT-2", "T5", "ViT (Transformers)")
LARGE = ("timm:convnext_atto", "timm:mobilenetv2_100")


@pytest.fixture(
    scope="module",
    params=slow_but(lambda name: name in ("vit", "GPT-2"), (*SAMPLES, *OTHERS, *LARGE)),
)
def bench(request: pytest.FixtureRequest, benches: Callable[[str], Workbench]) -> Workbench:
    name = request.param
    if name not in LARGE:
        return benches(name)
    model, data = made(name)
    return pv.open(model, data)


def half(bench: Workbench) -> pv.Plan:
    """Every other block goes."""
    leads = list(bench.graph_cache.blocks.groups)
    assert len(leads) >= 4
    return pv.Plan("magnitude", "block", sparsity=dict.fromkeys(leads[::2], 1.0))


def test_masked_is_removed(bench: Workbench) -> None:
    plan = half(bench)
    pruned, counts = bench.prune(plan), bench.counts(plan)
    small, inputs = pruned.shrink(), bench.source.validation.first(2).inputs
    likeness = Likeness()
    with torch.inference_mode():
        likeness.add(call_all(replica(pruned.model), inputs), call_all(replica(small), inputs))
    assert likeness.difference < 1e-6
    left = sum(parameter.numel() for parameter in small.parameters())
    assert counts.params_kept == counts.params_shrunk == left < counts.params
    assert counts.macs_shrunk == macs_of_network(small, bench.source.validation)


@pytest.mark.parametrize(
    "bench",
    slow_but(lambda name: name in ("vit", "GPT-2"), ("vit", "GPT-2", "resnet20", "BERT")),
    indirect=True,
)
def test_masked_is_exported(bench: Workbench, tmp_path: Path) -> None:
    formats = ("safetensors", "shrunk", "pt2", "recipe", "torch-pruning")
    result = bench.export(half(bench), tmp_path, formats)
    failed = {name: why for name, why in result.failed.items() if name != "pt2"}
    assert not failed
    apart = result.table.set_index("format")["difference"]
    assert apart["safetensors"] <= 1e-5
    assert apart["shrunk"] <= 1e-5


@pytest.mark.parametrize("name", slow_but(lambda name: name == "vit", SAMPLES))
def test_onnx_is_exported_without_the_blocks(
    benches: Callable[[str], Workbench], tmp_path: Path, name: str
) -> None:
    pytest.importorskip("onnxruntime")
    result = benches(name).export(half(benches(name)), tmp_path, ("onnx", "pt2"))
    assert not result.failed
    assert (result.table["difference"] <= 1e-5).all()


def test_the_dense_network_stays_and_a_switch_is_turned_back(
    benches: Callable[[str], Workbench],
) -> None:
    bench = benches("vit")
    before = fingerprint(bench.source.model)
    plan = half(bench)
    dense = pv.Plan("magnitude", "block", sparsity=dict.fromkeys(plan.sparsity, 0.0))
    assert bench.evaluate(plan, 64).accuracy < bench.evaluate(dense, 64).accuracy
    assert torch.equal(bench.evaluate(dense, 64).predicted, bench.evaluate(pv.Plan(), 64).predicted)
    assert fingerprint(bench.source.model) == before


def test_a_plan_of_blocks_is_a_link_and_a_recipe(
    benches: Callable[[str], Workbench], tmp_path: Path
) -> None:
    bench = benches("vit")
    plan = half(bench)
    link = to_link(plan, bench.fingerprint)
    kept = from_link(link, bench.fingerprint)
    assert (kept.granularity, dict(kept.sparsity)) == ("block", dict(plan.sparsity))
    assert pv.Plan.from_dict(plan.as_dict()) == plan
    result = bench.export(plan, tmp_path, ("recipe",))
    assert not result.failed


def test_what_turns_least_goes_first_by_cosine(benches: Callable[[str], Workbench]) -> None:
    bench = benches("vit")
    blocks = list(bench.graph_cache.blocks.groups)
    plan = pv.Plan("cosine", "block", "global", sparsity=dict.fromkeys(blocks, 0.25))
    scores = {n: float(r.scores[0]) for n, r in bench.rankings(plan).items()}
    assert all(0 < score < 2 for score in scores.values())
    lowest = sorted(blocks, key=scores.__getitem__)[:2]
    assert [n for n in blocks if bench.prune(plan).sparsity[n]] == [
        n for n in blocks if n in lowest
    ]


def test_the_cosine_of_a_block_is_that_worked_out_by_hooks(
    benches: Callable[[str], Workbench],
) -> None:
    bench = benches("vit")
    model = replica(bench.source.model)
    seen: dict[str, torch.Tensor] = {}
    block = model.get_submodule("blocks.2")
    block.get_submodule("norm1").register_forward_hook(
        lambda module, args, output: seen.update(before=args[0])
    )
    block.get_submodule("norm2").register_forward_hook(
        lambda module, args, output: seen.update(after=args[0])
    )
    total, count = 0.0, 0
    with torch.inference_mode():
        for batch in bench.source.calibration.inputs.split(100):
            model(batch)
            cosine = torch.cosine_similarity(seen["before"], seen["after"], dim=-1)
            total, count = total + float(cosine.double().sum()), count + cosine.numel()
    name = "blocks.2.attn.qkv"
    scores = bench.rankings(pv.Plan("cosine", "block", sparsity={name: 0.0}))[name].scores
    assert float(scores) == pytest.approx(1 - total / count, abs=1e-6)
