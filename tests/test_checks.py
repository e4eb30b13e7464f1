"""Is what can't be pruned or measured refused, by name and in one sentence?"""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from pruneviz.data import Data, check_targets
from pruneviz.sources import Source
from pruneviz.sources.checks import check_model, check_source

NAN, INF = math.nan, math.inf


class Masked(nn.Module):
    """Holds a causal mask, as text models do."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 3)
        self.register_buffer("mask", torch.full((4, 4), -INF).triu(1))


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 3)).eval()


def source_of(model: nn.Module, targets: Tensor | None = None, n: int = 6) -> Source:
    data = Data(torch.randn(n, 4), targets)
    return Source("mine", model, data, data, ("a", "b", "c"))


# -- what is fine ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "targets",
    [
        None,
        torch.tensor([0, 1, 2, 0, 1, 2]),
        torch.tensor([0, 1, 2, 0, 1, 2], dtype=torch.uint8),
        torch.tensor([[0, -100]] * 6),
        torch.randn(6, 2) * 100,
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_what_is_whole_passes(targets: Tensor | None, dtype: torch.dtype) -> None:
    check_source(source_of(network().to(dtype), targets))


def test_inputs_by_name_pass() -> None:
    inputs = {"input_ids": torch.ones(3, 5).long(), "attention_mask": torch.ones(3, 5).long()}
    data = Data(inputs, torch.full((3, 5), -100))
    check_source(Source("mine", network(), data, data, ()))


def test_without_class_names_labels_are_not_bounded_here() -> None:
    check_source(replace(source_of(network(), torch.arange(6)), classes=()))


def test_parametrised_and_tied_weights_pass() -> None:
    model = network()
    nn.utils.parametrizations.weight_norm(model[0])
    model.append(model[2])
    check_model(model)


def test_minus_infinity_in_a_mask_passes_and_nan_does_not() -> None:
    model = Masked()
    check_model(model)
    model.get_buffer("mask")[0, 0] = NAN
    with pytest.raises(ValueError, match="weights 'mask' hold NaN"):
        check_model(model)
    model.get_buffer("mask")[0, 0] = INF
    with pytest.raises(ValueError, match="weights 'mask' hold NaN or infinite"):
        check_model(model)


# -- numbers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("bad", [NAN, INF, -INF])
@pytest.mark.parametrize("name", ["0.weight", "2.bias"])
def test_weights_that_are_no_numbers_are_named(dtype: torch.dtype, bad: float, name: str) -> None:
    model = network().to(dtype)
    with torch.no_grad():
        model.get_parameter(name).view(-1)[-1] = bad
    with pytest.raises(ValueError, match=f"weights '{name}' hold NaN or infinite values"):
        check_source(source_of(model))


def test_statistics_that_are_no_numbers_are_named() -> None:
    model = network()
    model.get_buffer("1.running_var")[2] = NAN
    with pytest.raises(ValueError, match=r"weights '1\.running_var' hold NaN"):
        check_source(source_of(model))


@pytest.mark.parametrize("place", [0, 7, 999])
@pytest.mark.parametrize("turned", [False, True])
def test_large_weights_are_looked_at_part_by_part(
    monkeypatch: pytest.MonkeyPatch, place: int, turned: bool
) -> None:
    monkeypatch.setattr("pruneviz.sources.checks._AT_ONCE", 64)
    weight = torch.randn(50, 20)
    model = nn.ParameterDict({"w": nn.Parameter(weight.t() if turned else weight)})
    check_model(model)
    weight.view(-1)[place] = NAN
    with pytest.raises(ValueError, match="'w'"):
        check_model(model)


def test_weights_mapped_from_a_file_are_read_where_they_lie(tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    save_file(network().state_dict(), file)
    model = network()
    model.load_state_dict(load_file(file), assign=True)
    check_model(model)


# -- kinds -----------------------------------------------------------------------------------


def test_lazy_modules_are_refused() -> None:
    model = nn.Sequential(nn.LazyLinear(5))
    with pytest.raises(ValueError, match=r"weights '0\.weight' are not built yet"):
        check_source(source_of(model))
    model(torch.ones(1, 4))
    check_source(source_of(model))


def test_weights_without_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match=r"weights '0\.weight' hold no numbers"):
        check_source(source_of(network().to("meta")))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_quantised_modules_are_refused() -> None:
    model = torch.ao.quantization.quantize_dynamic(network(), {nn.Linear})
    with pytest.raises(ValueError, match=r"module '0' is quantised .*prune first"):
        check_source(source_of(model))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_quantised_tensors_are_refused() -> None:
    model = network()
    model.register_buffer("table", torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8))
    with pytest.raises(ValueError, match="weights 'table' are quantised or packed"):
        check_source(source_of(model))


class Packed(Tensor):
    """A tensor of somebody else's kind, as torchao and bitsandbytes have them."""


@pytest.mark.parametrize(
    ("weight", "what"),
    [
        (nn.Parameter(torch.ones(4, 4, dtype=torch.uint8), requires_grad=False), "uint8"),
        (nn.Parameter(torch.ones(4, 4).as_subclass(Packed)), "Packed"),  # type: ignore[arg-type]
        (nn.Parameter(torch.ones(4, 4).to(torch.float8_e4m3fn)), "float8"),
    ],
)
def test_packed_weights_are_refused(weight: nn.Parameter, what: str) -> None:
    with pytest.raises(ValueError, match=rf"weights 'w' are quantised or packed \(.*{what}"):
        check_model(nn.ParameterDict({"w": weight}))


def test_sparse_weights_are_refused() -> None:
    model = nn.ParameterDict({"w": nn.Parameter(torch.eye(3).to_sparse())})
    with pytest.raises(ValueError, match=r"weights 'w' are torch.sparse_coo; make them dense"):
        check_model(model)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_torchscript_is_refused() -> None:
    inner = torch.jit.trace(network(), torch.ones(2, 4))
    for model, name in (
        (inner, "Sequential|TopLevel|RecursiveScript"),
        (nn.Sequential(inner), "0"),
    ):
        with pytest.raises(ValueError, match=rf"module '.*({name}).*' is TorchScript"):
            check_source(source_of(model))


# -- data ------------------------------------------------------------------------------------


def test_empty_data_is_refused() -> None:
    with pytest.raises(ValueError, match="mine: validation data is empty"):
        check_source(source_of(network(), torch.empty(0).long(), n=0))


@pytest.mark.parametrize("bad", [NAN, INF])
def test_values_that_are_no_numbers_are_refused(bad: float) -> None:
    targets = torch.randn(6)
    targets[3] = bad
    with pytest.raises(ValueError, match="targets hold NaN or infinite values"):
        check_source(source_of(network(), targets))


@pytest.mark.parametrize(
    ("targets", "first"),
    [
        (torch.tensor([0, 3, 9]), 3),
        (torch.tensor([0, -1]), -1),
        (torch.tensor([-100, 0]), -100),
        (torch.tensor([[0, -100], [4, 5]]), 4),
        (torch.tensor([1, 255], dtype=torch.uint8), 255),
    ],
)
def test_the_first_label_out_of_bounds_is_named(targets: Tensor, first: int) -> None:
    before = copy.deepcopy(targets)
    with pytest.raises(ValueError, match=rf"targets must be in 0\.\.2, some bound; got {first}\."):
        check_targets(targets, 3, "some bound")
    assert torch.equal(targets, before)
