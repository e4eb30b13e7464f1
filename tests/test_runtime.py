"""Does a network in ONNX Runtime answer as torch does, or say why it is not there?"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from pruneviz.measuring.runtime import in_onnx_runtime
from pruneviz.network.replica import fingerprint
from pruneviz.plan import Plan
from pruneviz.workbench import Workbench
from tests.cases import slow_but
from tests.conftest import NETWORKS

pytest.importorskip("onnxruntime")


class Named(nn.Module):
    """Takes its tensors by name, in another order than they are given, and returns a mapping."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(10, 4)

    def forward(self, mask: Tensor, ids: Tensor) -> dict[str, Tensor]:
        return {"logits": self.words(ids) * mask[..., None], "other": ids}


class Choosy(nn.Module):
    """Branches on what it is given: no graph can say it."""

    def forward(self, x: Tensor) -> Tensor:
        return x + 1 if float(x.sum()) > 0 else x - 1


class Moody(nn.Module):
    """Says that all is well while it is traced, and something else when it runs."""

    def forward(self, x: Tensor) -> Tensor:
        return x if torch.compiler.is_compiling() else 2 * x


@pytest.mark.slow
@pytest.mark.parametrize("name", slow_but(lambda name: name == "lenet5", NETWORKS))
def test_the_sample_networks_answer_alike(benches: Callable[[str], Workbench], name: str) -> None:
    bench = benches(name)
    inputs = bench.source.validation.first(3).inputs
    running = in_onnx_runtime(bench.source.model, inputs)
    assert running.difference < 1e-5
    assert running.bytes > 0.9 * bench.counts(Plan()).bytes_dense
    answer = running.call()
    assert isinstance(answer, list)
    torch.testing.assert_close(
        torch.from_numpy(answer[0]), bench.source.model.eval()(inputs), rtol=1e-4, atol=1e-4
    )


@pytest.mark.slow
def test_inputs_by_name_find_their_places() -> None:
    given = {"ids": torch.tensor([[1, 2, 3]]), "mask": torch.tensor([[1.0, 0.0, 2.0]])}
    running = in_onnx_runtime(Named(), given)
    assert running.difference < 1e-6


@pytest.mark.slow
def test_nothing_is_printed_written_or_warned(capsys: pytest.CaptureFixture[str]) -> None:
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Flatten()).train()
    before = fingerprint(network)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        in_onnx_runtime(network, torch.randn(2, 1, 6, 6))
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "")
    assert fingerprint(network) == before
    assert network.training


@pytest.mark.slow
def test_what_cannot_be_exported_is_said_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match=r"cannot be run in ONNX Runtime: .+") as error:
        in_onnx_runtime(Choosy(), torch.ones(1, 3))
    assert len(str(error.value)) < 250
    assert "\n" not in str(error.value)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "")


@pytest.mark.slow
def test_other_answers_than_torchs_are_refused() -> None:
    with pytest.raises(ValueError, match=r"differ from torch's by 5.0e-01 of the largest"):
        in_onnx_runtime(Moody(), torch.ones(1, 3))


def test_bfloat16_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="bfloat16"):
        in_onnx_runtime(nn.Linear(3, 2).bfloat16(), torch.ones(1, 3))


@pytest.mark.parametrize(
    "name", slow_but(lambda name: name == "onnxscript", ["onnxruntime", "onnxscript"])
)
def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ValueError, match=rf"{name}.*pip install 'pruneviz\[export\]'"):
        in_onnx_runtime(nn.Linear(3, 2), torch.ones(1, 3))
