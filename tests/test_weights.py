"""Does a file of weights give its tensors, and never run what else is in it?"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save, save_file
from torch import Tensor, nn

from pruneviz.sources.networks.unfilled import build
from pruneviz.sources.networks.weight_fit import fit
from pruneviz.sources.networks.weights import Weights, read_weights


def net() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 3))


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


# -- what is read ----------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["pt", "pth", "bin", "safetensors", "ckpt"])
def test_a_state_dict_is_read_from_path_and_bytes(tmp_path: Path, ending: str) -> None:
    state = net().state_dict()
    path = tmp_path / f"w.{ending}"
    if ending == "safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)
    assert same(dict(read_weights(path).tensors), dict(state))
    assert same(dict(read_weights(path.read_bytes(), path.name).tensors), dict(state))


def test_an_old_file_of_torch_save_is_read(tmp_path: Path) -> None:
    state = net().state_dict()
    torch.save(state, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    assert same(dict(read_weights(tmp_path / "old.pt").tensors), dict(state))


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
def test_a_path_is_mapped_and_not_copied(tmp_path: Path, ending: str) -> None:
    state = {"w": torch.zeros(8 * 2**20)}
    path = tmp_path / f"w.{ending}"
    (torch.save if ending == "pt" else save_file)(state, path)
    before = _anonymous()
    tensors = read_weights(path).tensors
    assert float(tensors["w"].sum()) == 0
    assert _anonymous() - before < 8 * 2**20  # the weights are four times that


def _anonymous() -> int:
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("memory is read from /proc")
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    return int(lines["RssAnon"].split()[0]) * 1024


@pytest.mark.parametrize(
    ("wrap", "under"),
    [
        (lambda s: {"state_dict": s, "epoch": 3}, "state_dict"),
        (lambda s: {"model": s, "optimizer": {"state": {0: {"m": torch.ones(2)}}}}, "model"),
        (lambda s: {"model": {"state_dict": s}}, "model.state_dict"),
        (lambda s: {"ema": s, "step": torch.tensor(3)}, "ema"),
        (lambda s: {"mine": s, "lr": 0.1}, "mine"),
    ],
)
def test_nested_weights_are_found_and_said(
    tmp_path: Path, wrap: Callable[[Any], Any], under: str
) -> None:
    state = net().state_dict()
    torch.save(wrap(state), tmp_path / "w.pt")
    found = read_weights(tmp_path / "w.pt")
    assert same(dict(found.tensors), dict(state))
    assert found.notes[0] == f"weights were under {under!r}"


def test_the_network_comes_before_its_average_and_both_are_said(tmp_path: Path) -> None:
    torch.save({"ema": {"w": torch.ones(1)}, "model": {"w": torch.zeros(1)}}, tmp_path / "w.pt")
    found = read_weights(tmp_path / "w.pt")
    assert float(found.tensors["w"]) == 0
    assert "w.pt also holds 'ema', which is not used" in found.notes


def test_entries_that_are_no_tensors_are_counted(tmp_path: Path) -> None:
    torch.save({"w": torch.ones(1), "epoch": 1, "name": "x"}, tmp_path / "w.pt")
    assert read_weights(tmp_path / "w.pt").notes == ("2 entries that are no tensors were left out",)


def test_two_networks_in_one_file_are_refused(tmp_path: Path) -> None:
    torch.save({"g": {"w": torch.ones(1)}, "d": {"w": torch.ones(1)}}, tmp_path / "gan.pt")
    with pytest.raises(ValueError, match="several sets of weights, 'g', 'd'"):
        read_weights(tmp_path / "gan.pt")


# -- fitting ---------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "model.", "module._orig_mod."])
def test_a_prefix_is_taken_off_and_said(prefix: str) -> None:
    model = net()
    state = {prefix + key: value + 1 for key, value in model.state_dict().items()}
    new, notes = fit(model, Weights(state))
    assert torch.equal(new.get_parameter("0.weight"), state[prefix + "0.weight"])
    assert any("taken off" in note for note in notes)


def test_a_prefix_that_belongs_to_the_network_stays() -> None:
    model = nn.Module()
    model.model = nn.Linear(2, 2)
    _, notes = fit(model, Weights(model.state_dict()))
    assert notes == ()


def test_fit_takes_the_tensors_and_leaves_the_network_as_it_was() -> None:
    model = net()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    tensors = {key: value * 0 for key, value in model.state_dict().items()}
    new, _ = fit(model, Weights(tensors))
    assert new.get_parameter("0.weight").data_ptr() == tensors["0.weight"].data_ptr()
    assert same(dict(model.state_dict()), before)
    assert all(p.requires_grad for p in model.parameters())


def test_what_does_not_fit_is_listed_with_ten_names_and_the_number() -> None:
    model = nn.Sequential(*(nn.Linear(2, 2) for _ in range(6)))
    state = dict(model.state_dict())
    state = {f"x{key}": value for key, value in state.items()} | {"0.weight": torch.ones(2, 2)}
    with pytest.raises(ValueError, match=r"11 missing: 0\.bias, .*, …; 12 unexpected: x0") as error:
        fit(model, Weights(state, (), "w.pt"))
    assert str(error.value).startswith("w.pt does not fit Sequential: ")
    assert str(error.value).count("x") == 10 + 1  # ten names "x…", and "unexpected"


def test_a_wrong_shape_and_a_wrong_kind_are_listed() -> None:
    state = dict(net().state_dict())
    state["3.weight"], state["3.bias"] = torch.ones(5, 16), torch.ones(3, dtype=torch.int8)
    with pytest.raises(ValueError, match=r"3\.weight 5×16 in place of 3×16.*3\.bias int8"):
        fit(net(), Weights(state))


def test_a_missing_count_of_batches_is_fine() -> None:
    state = {k: v for k, v in net().state_dict().items() if "num_batches" not in k}
    model, _ = build(net, Weights(state))
    assert int(model.get_buffer("1.num_batches_tracked")) == 0
    assert model(torch.ones(1, 1, 4, 4)).shape == (1, 3)


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(5, 3)
        self.head = nn.Linear(3, 5, bias=False)
        self.head.weight = self.embed.weight
        self.register_buffer("scale", torch.arange(3.0), persistent=False)

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.embed(ids) * self.scale)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "saved", [("embed.weight",), ("head.weight",), ("embed.weight", "head.weight")]
)
def test_tied_weights_stay_one_whichever_name_was_saved(saved: tuple[str, ...]) -> None:
    value = torch.randn(5, 3)
    for weights in (Weights({name: value.clone() for name in saved}),):
        for model, _ in (build(Tied, weights), fit(Tied(), weights)):
            assert model.get_parameter("head.weight") is model.get_parameter("embed.weight")
            assert torch.equal(model.get_parameter("head.weight"), value)
            assert torch.equal(model.get_buffer("scale"), torch.arange(3.0))


def test_tied_weights_that_differ_in_the_file_are_kept_apart_and_said() -> None:
    state = {"embed.weight": torch.ones(5, 3), "head.weight": torch.zeros(5, 3)}
    model, notes = fit(Tied(), Weights(state))
    assert float(model.get_parameter("head.weight").sum()) == 0
    assert any("kept apart" in note for note in notes)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_the_dtype_of_the_file_stays_and_is_said(dtype: torch.dtype) -> None:
    state = {k: v.to(dtype) if v.is_floating_point() else v for k, v in net().state_dict().items()}
    model, notes = build(net, Weights(state))
    assert {p.dtype for p in model.parameters()} == {dtype}
    assert notes == (f"weights are {str(dtype).removeprefix('torch.')}, as in the file",)


def test_building_for_weights_leaves_chance_and_other_networks_alone() -> None:
    state = net().state_dict()
    before = torch.get_rng_state()
    build(net, Weights(state))
    build(net, None)
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(p.is_meta for p in net().parameters())


def test_random_weights_are_the_same_each_time_and_said() -> None:
    (one, notes), (other, _) = build(net, None), build(net, None)
    assert same(dict(one.state_dict()), dict(other.state_dict()))
    assert notes == ("random weights, seed 0: it was never trained",)


def test_a_network_that_reads_its_own_new_weights_is_built_in_full() -> None:
    def make() -> nn.Module:
        model = nn.Linear(2, 2)
        model.register_buffer("norm", model.weight.detach().norm(), persistent=False)
        assert model.weight.isfinite().all().item()
        return model

    weights = Weights({"weight": torch.ones(2, 2), "bias": torch.zeros(2)})
    model, _ = build(make, weights)
    assert not model.get_buffer("norm").is_meta
    assert float(model.get_parameter("weight").detach().sum()) == 4


def test_bytes_of_safetensors_are_checked_like_a_file() -> None:
    content = save({"w": torch.ones(3)})
    assert float(read_weights(content, "up.safetensors").tensors["w"].sum()) == 3
    stream = io.BytesIO()
    torch.save({"state_dict": {"w": torch.ones(3)}}, stream)
    assert float(read_weights(stream.getvalue(), "up.pt").tensors["w"].sum()) == 3
