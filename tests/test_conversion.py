"""Do given numbers become numbers that a network can take, and is every change said?"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pruneviz.data import Data
from pruneviz.sources.data.conversion import fit
from pruneviz.sources.data.samples import DataRequest
from pruneviz.sources.spec import InputSpec

IMAGE = InputSpec("image", 3)
PLAIN = DataRequest()


def inputs(given: Tensor, asked: DataRequest = PLAIN) -> tuple[Tensor, list[str]]:
    before = given.clone()
    data, notes = fit(Data(given), asked)
    assert torch.equal(given, before), "what is given is never written to"
    assert isinstance(data.inputs, Tensor)
    return data.inputs, notes


def targets(given: Tensor) -> tuple[Tensor, list[str]]:
    data, notes = fit(Data(torch.zeros(len(given), 2), given), PLAIN)
    assert data.targets is not None
    return data.targets, notes


def test_floats_of_the_usual_width_are_left_alone() -> None:
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        given = torch.rand(3, 4).to(dtype)
        got, notes = inputs(given)
        assert got is given
        assert notes == []


def test_float64_becomes_float32() -> None:
    got, notes = inputs(torch.rand(3, 4).double())
    assert got.dtype == torch.float32
    assert notes == ["inputs were float64, now float32"]


def test_uint8_becomes_floats_in_0_to_1() -> None:
    got, notes = inputs(torch.tensor([[0, 51, 255]], dtype=torch.uint8))
    assert torch.allclose(got, torch.tensor([[0, 0.2, 1]]))
    assert notes == ["inputs were uint8, now floats in 0..1 (divided by 255)"]


def test_zeros_and_ones_stay_zeros_and_ones() -> None:
    for dtype in (torch.uint8, torch.bool):
        assert inputs(torch.tensor([[0, 1]]).to(dtype))[0].tolist() == [[0.0, 1.0]]


def test_integers_stay_token_ids() -> None:
    got, _ = inputs(torch.tensor([[3, 700]]))
    assert got.tolist() == [[3, 700]]
    assert not got.is_floating_point()


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("at", [2, 1500])
def test_the_first_sample_that_is_not_whole_is_named(bad: float, at: int) -> None:
    given = torch.zeros(2000, 3)
    given[at:, 1] = bad
    with pytest.raises(
        ValueError, match=f"inputs hold NaN or infinite values, first in sample {at}"
    ):
        fit(Data(given), PLAIN)
    with pytest.raises(
        ValueError, match=f"targets hold NaN or infinite values, first in sample {at}"
    ):
        fit(Data(torch.zeros(2000, 1), given[:, 1]), PLAIN)


# -- images --------------------------------------------------------------------------------


def test_images_given_channels_last_are_turned() -> None:
    given = torch.randint(0, 256, (2, 8, 6, 3), dtype=torch.uint8)
    got, notes = inputs(given, DataRequest(IMAGE))
    assert torch.equal(got, given.permute(0, 3, 1, 2) / 255)
    assert "images were given channels last, now channels first" in notes


@pytest.mark.parametrize("shape", [(2, 4, 4), (2, 1, 4, 4), (2, 4, 4, 1)])
def test_grey_images_are_repeated_for_a_network_of_three_channels(shape: tuple[int, ...]) -> None:
    given = torch.rand(shape)
    got, notes = inputs(given, DataRequest(IMAGE))
    assert got.shape == (2, 3, 4, 4)
    assert torch.equal(got[:, 2], given.reshape(2, 4, 4))
    assert any("images are grey" in note for note in notes)


def test_coloured_images_are_turned_grey_for_a_network_of_one_channel() -> None:
    given = torch.tensor([255, 0, 0], dtype=torch.uint8).reshape(1, 3, 1, 1)
    got, notes = inputs(given, DataRequest(InputSpec("image", 1)))
    assert got.flatten().tolist() == pytest.approx([76 / 255])
    assert any("turned grey" in note for note in notes)


def test_bytes_are_normalised_as_the_spec_says_and_floats_are_not() -> None:
    spec = InputSpec("image", 3, mean=(0.5, 0.5, 0.5), std=(0.5, 0.25, 1.0))
    white = torch.full((1, 3, 2, 2), 255, dtype=torch.uint8)
    got, notes = inputs(white, DataRequest(spec))
    assert got[0, :, 0, 0].tolist() == [1, 2, 0.5]
    assert notes[-1].startswith("images were normalised with mean (0.5, 0.5, 0.5)")
    as_integers, _ = inputs(white.long(), DataRequest(spec))
    assert torch.equal(as_integers, got)
    floats, notes = inputs(torch.ones(1, 3, 2, 2), DataRequest(spec))
    assert bool((floats == 1).all())
    assert "pass mean= and std= to do so" in notes[0]
    told, _ = inputs(torch.ones(1, 3, 2, 2), DataRequest(spec, mean=(1.0, 1.0, 1.0)))
    assert bool((told == 0).all())


def test_a_mean_for_other_channels_is_refused() -> None:
    with pytest.raises(ValueError, match=r"mean \(0.5, 0.5\) .* do not fit images of 3 channels"):
        inputs(torch.rand(1, 3, 2, 2), DataRequest(IMAGE, mean=(0.5, 0.5)))
    with pytest.raises(ValueError, match="std must be above 0"):
        inputs(torch.rand(1, 1, 2, 2), DataRequest(InputSpec("image", 1), std=(0.0,)))


def test_images_of_another_size_are_said_or_resized_when_asked() -> None:
    spec = InputSpec("image", 3, (8, 8))
    got, notes = inputs(torch.rand(2, 3, 4, 4), DataRequest(spec))
    assert got.shape[2:] == (4, 4)
    assert notes == [
        "images are 4×4 pixels, the network's own config says 8×8: pass size=(8, 8) to resize them"
    ]
    got, notes = inputs(torch.full((2, 3, 4, 4), 0.5), DataRequest(spec, size=(8, 6)))
    assert got.shape == (2, 3, 8, 6)
    assert torch.allclose(got, torch.tensor(0.5))
    assert notes == ["images were 4×4 pixels, now 8×6"]


# -- tokens --------------------------------------------------------------------------------


def test_masks_and_ids_by_name_are_integers() -> None:
    spec = InputSpec("tokens", vocab=10, keys=("input_ids", "attention_mask"))
    mask = torch.tensor([[1, 0]], dtype=torch.uint8)
    data, _ = fit(
        Data({"input_ids": torch.tensor([[9, 1]]).int(), "attention_mask": mask}), DataRequest(spec)
    )
    assert {tensor.dtype for tensor in data.tensors().values()} == {torch.int64}
    assert data.tensors()["attention_mask"].tolist() == [[1, 0]]


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("bad", [10, -1])
def test_ids_beyond_the_vocabulary_are_refused(named: bool, bad: int) -> None:
    ids = torch.tensor([[1, 2], [3, bad]])
    data = Data({"input_ids": ids}) if named else Data(ids)
    with pytest.raises(ValueError, match=rf"must be in 0..9, the network's vocabulary; got {bad}"):
        fit(data, DataRequest(InputSpec("tokens", vocab=10)))


# -- targets -------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int32, torch.bool, torch.int64])
def test_integers_of_any_width_are_classes(dtype: torch.dtype) -> None:
    got, notes = targets(torch.tensor([1, 0, 1]).to(dtype))
    assert got.dtype == torch.int64
    assert got.tolist() == [1, 0, 1]
    assert notes == []


def test_a_column_of_classes_is_flattened() -> None:
    got, notes = targets(torch.tensor([[1], [2]]))
    assert got.tolist() == [1, 2]
    assert notes == ["targets were (2, 1), now (2,)"]


def test_negative_classes_are_refused_with_their_sample() -> None:
    with pytest.raises(ValueError, match="from 0 up, got -1 in sample 2; count classes from 0"):
        targets(torch.tensor([0, 1, -1]))
    assert targets(torch.tensor([[0, -100]]))[0].tolist() == [[0, -100]]
    with pytest.raises(ValueError, match="got -101 in sample 1"):
        targets(torch.tensor([[0, -100], [0, -101]]))


def test_floats_stay_floats() -> None:
    assert targets(torch.tensor([0.5, 1.0])) == (pytest.approx(torch.tensor([0.5, 1.0])), [])
    got, notes = targets(torch.tensor([0.0, 2.0], dtype=torch.float64))
    assert got.dtype == torch.float32
    assert notes == ["targets were float64, now float32"]
