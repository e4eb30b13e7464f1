"""Is the mean of what is cut folded into what follows?"""

from __future__ import annotations

import torch
from torch import nn

from pruneviz.data import Data
from pruneviz.network.forward_pass import call
from pruneviz.network.groups import Group, Groups, Place
from tests.repairing import chain, convolutions, data, group, run


def test_a_mean_is_folded_by_hand() -> None:
    model = chain()
    with torch.no_grad():
        model[0].weight.copy_(torch.eye(4)[:3])
        model[0].bias.zero_()
        model[2].weight.copy_(torch.tensor([[1.0, 2.0, 3.0], [-1.0, 0.5, 4.0]]))
        model[2].bias.copy_(torch.tensor([10.0, 20.0]))
    inputs = torch.tensor([[1.0, 2.0, 3.0, 9.0], [5.0, 6.0, -7.0, 9.0]])  # ReLU: 3 and 0
    found, _, _ = run(model, group(model, "0", "2"), {"0": [1, 2]}, Data(inputs), "fold")
    # mean of unit 1: 4, of unit 2: 1.5
    assert found["2.bias"].tolist() == [10 + 2 * 4 + 3 * 1.5, 20 + 0.5 * 4 + 4 * 1.5]
    assert list(found) == ["2.bias"]


def test_a_constant_unit_is_folded_without_loss() -> None:
    model = chain()
    with torch.no_grad():
        model[0].weight[1] = 0
        model[0].bias[1] = 0.7
    samples = data(50, 4)
    found, tensors, raw = run(model, group(model, "0", "2"), {"0": [1]}, samples, "fold", batch=16)
    assert list(found) == ["2.bias"]
    torch.testing.assert_close(call(model, samples.inputs, tensors), model(samples.inputs))
    assert not torch.allclose(call(model, samples.inputs, raw), model(samples.inputs))


def test_without_a_bias_the_running_mean_takes_it() -> None:
    model, samples = convolutions(), data(6, 2, 5, 5)
    with torch.no_grad():
        model[1].weight[2] = 0
        model[1].bias[2] = 0.9
    found, tensors, _ = run(model, group(model, "0", "3", "1"), {"0": [2]}, samples, "fold")
    assert list(found) == ["4.running_mean"]
    torch.testing.assert_close(call(model, samples.inputs, tensors), model(samples.inputs))


def test_with_neither_bias_nor_norm_nothing_can_be_folded() -> None:
    model = chain()
    model[2].bias = None
    found, _, _ = run(model, group(model, "0", "2"), {"0": [1]}, data(9, 4), "fold")
    assert found == {}


def test_the_mean_output_stays_with_padding_and_a_transposed_convolution() -> None:
    torch.manual_seed(3)
    for second in (
        nn.Conv2d(4, 3, 3, padding=1, stride=2, dilation=2),
        nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1),
    ):
        model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), second).eval()
        samples = data(7, 2, 6, 6)
        groups = group(model, "0", "2")
        if second.transposed:
            places = (*groups.groups["0"].places[:2], Place("2.weight", 0, torch.arange(4)))
            old = groups.groups["0"]
            groups = Groups({"0": Group("0", ("0",), 4, "filter", old.rows, ("2",), places)})
        for names in (("fold",), ("fold", "reconstruct"))[: 1 + second.transposed]:
            found, tensors, _ = run(model, groups, {"0": [0, 3]}, samples, *names, batch=3)
            assert list(found) == ["2.bias"]
            torch.testing.assert_close(
                call(model, samples.inputs, tensors).mean((0, 2, 3)),
                model(samples.inputs).mean((0, 2, 3)),
            )
