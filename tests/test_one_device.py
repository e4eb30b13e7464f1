"""Does a training on one device need nothing of several, and give the same numbers?"""

from __future__ import annotations

import sys

import pandas as pd
import pytest
import torch
from torch import nn

import pruneviz as pv
from pruneviz.training import Training
from pruneviz.training.one_device import OneDevice
from tests.small import small_bench


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_numbers_are_those_of_fabric(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    training = Training("gradual", epochs=2, batch=8, every=2, precision=precision)
    plan = pv.Plan(sparsity={"0": 0.5})
    own = small_bench().train(plan, training)
    from lightning_fabric import Fabric

    fabric = Fabric(accelerator="cpu", devices=1, precision=precision)  # type: ignore[arg-type]
    monkeypatch.setattr("pruneviz.training.result.device_for", lambda _: fabric)
    theirs = small_bench().train(plan, training)
    columns = ["loss", "validation_loss", "accuracy"]
    pd.testing.assert_frame_equal(own.table[columns], theirs.table[columns], check_exact=True)
    for mine, other in zip(own.model.parameters(), theirs.model.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=0)


def test_half_precision_is_used_inside_and_float32_outside() -> None:
    inside = []

    class Listener(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            answer = super().forward(x)
            inside.append(answer.dtype)
            return answer

    answer = OneDevice("cpu", "bf16-mixed").setup_module(Listener(3, 2))(torch.ones(4, 3))
    assert inside == [torch.bfloat16]
    assert answer.dtype == torch.float32


@pytest.mark.parametrize(
    ("accelerator", "precision", "words"),
    [
        ("abacus", "32-true", "this machine has .*cpu"),
        ("cpu", "16-mixed", "16-mixed needs a GPU; on the CPU train in bf16-mixed or 32-true"),
    ],
)
def test_what_is_not_here_is_refused(accelerator: str, precision: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        OneDevice(accelerator, precision)


def test_several_devices_say_what_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)
    with pytest.raises(ValueError, match=r"pip install 'pruneviz\[devices\]', or train on one"):
        small_bench().train(pv.Plan(sparsity={"0": 0.5}), Training(devices=2, accelerator="cpu"))
