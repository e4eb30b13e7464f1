"""Are bytes those of something that was really encoded, and can be read back?"""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from pruneviz.measuring.sizes import (
    as_bitmask,
    as_csr,
    encoded_bytes,
    file_bytes,
    file_tensors,
    zipped_bytes,
)

# 4×4, twelve of them zero.
SPARSE = torch.zeros(4, 4)
SPARSE[0, 1], SPARSE[1, 0], SPARSE[1, 3], SPARSE[3, 2] = 1.0, 2.0, -3.0, 4.0


def linear(weight: Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    layer.weight.data = weight.clone()
    return layer


def header(tensors: dict[str, Tensor]) -> int:
    """Bytes of a safetensors file that are no tensor: a length of 8 bytes, and that much text."""
    return 8 + int.from_bytes(save(tensors)[:8], "little")


def test_a_file_is_its_tensors_behind_a_header() -> None:
    tensors = file_tensors(linear(SPARSE))
    assert file_bytes(tensors) == 4 * 16 + header(tensors)


def test_a_bitmask_is_a_bit_an_entry_and_the_values() -> None:
    parts = as_bitmask(SPARSE)
    # Rows 0100 1001 0000 0010, the first bit of a byte highest.
    assert parts["bits"].tolist() == [0b01001001, 0b00000010]
    assert parts["values"].tolist() == [1.0, 2.0, -3.0, 4.0]
    encoded = encoded_bytes({"weight": SPARSE}, as_bitmask)
    assert encoded.bytes - header({f"weight.{n}": t for n, t in parts.items()}) == 2 + 4 * 4
    assert (encoded.dense, encoded.tensors) == (0, 1)


def test_csr_is_values_columns_and_where_rows_begin() -> None:
    parts = as_csr(SPARSE)
    assert parts["values"].tolist() == [1.0, 2.0, -3.0, 4.0]
    assert parts["columns"].tolist() == [1, 0, 3, 2]
    assert parts["rows"].tolist() == [0, 1, 3, 3, 4]
    assert parts["columns"].dtype == parts["rows"].dtype == torch.int32
    encoded = encoded_bytes({"weight": SPARSE}, as_csr)
    assert encoded.bytes - header({f"weight.{n}": t for n, t in parts.items()}) == 4 * (4 + 4 + 5)


@pytest.mark.parametrize("shape", [(4, 4), (6, 3, 3, 3), (17,), (1, 9), (3, 0), (0, 3)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_what_is_encoded_can_be_read_back(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    tensor = torch.randn(shape).to(dtype) * (torch.rand(shape) < 0.3)
    bitmask, csr = as_bitmask(tensor), as_csr(tensor)
    flags = np.unpackbits(bitmask["bits"].numpy(), count=tensor.numel()).astype(bool)
    again = torch.zeros(tensor.numel(), dtype=dtype)
    again[torch.from_numpy(flags)] = bitmask["values"]
    assert torch.equal(again.reshape(shape), tensor)

    table = (
        torch.zeros_like(tensor).reshape(tensor.shape[0] if len(shape) > 1 else 1, -1)
        if (tensor.numel())
        else tensor
    )
    for row, (start, stop) in enumerate(zip(csr["rows"][:-1], csr["rows"][1:], strict=True)):
        for place in range(int(start), int(stop)):
            table[row, csr["columns"][place]] = csr["values"][place]
    assert torch.equal(table.reshape(shape), tensor)


def test_a_tensor_that_an_encoding_makes_larger_stays_dense() -> None:
    full = {"a": torch.ones(4, 4), "b": SPARSE}
    encoded = encoded_bytes(full, as_bitmask)
    assert (encoded.dense, encoded.tensors) == (1, 2)
    parts = {"a": full["a"]} | {f"b.{n}": t for n, t in as_bitmask(SPARSE).items()}
    assert encoded.bytes == file_bytes(parts) == 64 + 18 + header(parts)
    assert encoded_bytes({"a": full["a"]}, as_csr).bytes == file_bytes({"a": full["a"]})


def test_zipped_is_deflate_at_level_six_of_the_same_file() -> None:
    tensors = file_tensors(linear(torch.randn(700, 2000)))  # more than one piece
    done: list[float] = []
    assert zipped_bytes(tensors, done.append) == len(zlib.compress(save(tensors), 6))
    assert done == sorted(done)
    assert len(done) > 1


def test_zipping_stops_where_its_progress_raises() -> None:
    def stop(done: float) -> None:
        raise KeyError(done)

    with pytest.raises(KeyError):
        zipped_bytes({"a": torch.ones(3)}, stop)


def test_zeros_are_worth_a_bit_or_less_in_an_archive() -> None:
    weight = torch.randn(100, 100)
    whole = zipped_bytes(file_tensors(linear(weight)))
    none = zipped_bytes(file_tensors(linear(weight * 0)))
    assert whole > 0.9 * 40_000
    assert none < 400


def test_zeros_have_no_sign() -> None:
    weight = torch.randn(100, 100)
    masked = weight * (torch.rand(100, 100) < 0.1)
    assert torch.signbit(masked[masked == 0]).any(), "a product with False keeps the sign"
    tensors = file_tensors(linear(masked))
    assert not torch.signbit(tensors["weight"][tensors["weight"] == 0]).any()
    assert torch.equal(tensors["weight"], masked)


def test_tied_tensors_are_stored_once_and_buffers_too() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.norm = nn.Linear(4, 4, bias=False), nn.BatchNorm1d(4)
            self.other = nn.Linear(4, 4, bias=False)
            self.other.weight = self.one.weight
            self.register_buffer("passing", torch.ones(1000), persistent=False)

    network = Tied()
    tensors = file_tensors(network)
    assert set(tensors) == set(network.state_dict()) - {"other.weight"}
    assert file_bytes(tensors) == 4 * (16 + 4 * 4) + 8 + header(tensors)


def test_what_is_stored_shares_nothing_with_the_network() -> None:
    network = nn.BatchNorm1d(4)
    for tensor in file_tensors(network).values():
        tensor.add_(1)
    assert network.weight.tolist() == [1.0] * 4
    assert int(network.num_batches_tracked or 0) == 0


def test_the_file_reads_back_as_the_network() -> None:
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3)).half()
    again = load(save(file_tensors(network)))
    for name, tensor in network.state_dict().items():
        assert torch.equal(again[name], tensor)
        assert again[name].dtype == tensor.dtype
    assert io.BytesIO(save(again)).getbuffer().nbytes == file_bytes(file_tensors(network))
