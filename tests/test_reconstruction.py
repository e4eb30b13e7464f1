"""Are reconstructed weights those of least squares, in every kind of layer?"""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 (torch's own abbreviation)
from torch import Tensor, nn

from pruneviz.network.forward_pass import call
from pruneviz.network.groups import Group, Groups, Place
from pruneviz.pruning.repair.reconstruction import RIDGE
from tests.cases import slow_but
from tests.repairing import ALL, chain, convolutions, data, group, run


def test_a_twin_takes_over_its_twins_weights() -> None:
    model = chain()
    with torch.no_grad():
        model[0].weight[2] = model[0].weight[0]
        model[0].bias[2] = model[0].bias[0]
    samples = data(20_000, 4)
    groups = group(model, "0", "2")
    found, tensors, _ = run(model, groups, {"0": [2]}, samples, "reconstruct", samples=len(samples))
    expected = model[2].weight[:, 0] + model[2].weight[:, 2]
    torch.testing.assert_close(found["2.weight"][:, 0], expected, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(
        call(model, samples.inputs, tensors), model(samples.inputs), atol=1e-3, rtol=1e-3
    )


def least_squares(
    inputs: Tensor, outputs: Tensor, before: Tensor, samples: int, *, intercept: bool
) -> Tensor:
    """[outputs, inputs] nearest to `outputs` [rows, outputs], by torch's own solver.

    The ridge is so many more equations, which ask for the weights as they were before.
    """
    x, y = inputs.double(), outputs.double()
    if intercept:
        x, y = x - x.mean(0), y - y.mean(0)
    ridge = (x.square().sum() * RIDGE / samples).sqrt() * torch.eye(x.shape[1]).double()
    rows, wanted = torch.cat([x, ridge]), torch.cat([y, ridge @ before.double().T])
    return torch.linalg.lstsq(rows, wanted, driver="gelsd").solution.T.float()


@pytest.mark.parametrize("bias", [True, False])
def test_weights_are_those_of_least_squares(bias: bool) -> None:
    model, samples = chain(), data(300, 4)
    if not bias:
        model[2].bias = None
    found, _, _ = run(model, group(model, "0", "2"), {"0": [1]}, samples, "reconstruct")
    with torch.no_grad():
        hidden = model[1](model[0](samples.inputs))[:, [0, 2]]
        wanted = model(samples.inputs)
        before = model[2].weight[:, [0, 2]]
    expected = least_squares(hidden, wanted, before, 300, intercept=bias)
    torch.testing.assert_close(found["2.weight"][:, [0, 2]], expected)
    if bias:
        constant = wanted.mean(0) - expected @ hidden.mean(0)
        torch.testing.assert_close(found["2.bias"], constant)


@pytest.mark.parametrize(
    "settings",
    [{}, {"padding": 1, "stride": 2}, {"dilation": 2, "padding": 2}],
    ids=str,
)
@pytest.mark.parametrize("bias", slow_but(lambda bias: bias, [True, False]))
def test_convolutions_come_as_near_as_least_squares_can(
    settings: dict[str, int], bias: bool
) -> None:
    model, samples = convolutions(bias, **settings), data(20, 2, 7, 7)
    groups = group(model, "0", "3", "1")
    found, _, raw = run(model, groups, {"0": [1]}, samples, "reconstruct")
    assert set(found) == {"3.weight", "3.bias" if bias else "4.running_mean"}
    seen = copy.deepcopy(model)
    seen.load_state_dict({**seen.state_dict(), **raw})
    stay = [0, 2, 3]
    with torch.no_grad():
        inputs, wanted = seen[:3](samples.inputs)[:, stay], model[:4](samples.inputs)
        rows = F.unfold(inputs, 3, **settings).transpose(1, 2).flatten(0, 1)
        target = wanted.flatten(2).transpose(1, 2).flatten(0, 1)
        before = model[3].weight[:, stay].flatten(1)
        expected = least_squares(rows, target, before, 20, intercept=True)
        constant = target.mean(0) - expected @ rows.mean(0)
    close = {"atol": 1e-4, "rtol": 1e-4}
    torch.testing.assert_close(found["3.weight"][:, stay].flatten(1), expected, **close)
    if bias:
        torch.testing.assert_close(found["3.bias"], constant, **close)
    else:  # what is added to the outputs is taken off their mean
        torch.testing.assert_close(
            found["4.running_mean"], model[4].running_mean - constant, **close
        )


def test_grouped_convolutions_are_fitted_group_by_group() -> None:
    model, samples = convolutions(bias=True, groups=2), data(2000, 2, 5, 5)
    units = torch.tensor([0, 1, 0, 1])  # unit u: channel u of both groups
    old = group(model, "0", "3", "1").groups["0"]
    places = [Place(place.tensor, 0, units) for place in old.places[:-1]]
    places.append(Place("3.weight", 1, torch.arange(2)))
    groups = Groups({"0": Group("0", ("0",), 2, "filter", {"0": units}, ("3",), tuple(places))})
    with torch.no_grad():  # the two channels of each group are twins
        for tensor in (*model[0].parameters(), *model[1].parameters(), model[1].running_mean):
            tensor[1], tensor[3] = tensor[0], tensor[2]
    found, tensors, _ = run(model, groups, {"0": [1]}, samples, "reconstruct", samples=2000)
    assert "3.weight" in found
    torch.testing.assert_close(
        call(model, samples.inputs, tensors), model(samples.inputs), atol=1e-3, rtol=1e-3
    )


def test_positions_are_drawn_where_there_are_very_many() -> None:
    torch.manual_seed(7)
    model = nn.Sequential(nn.Conv2d(2, 3, 1), nn.ReLU(), nn.Conv2d(3, 2, 3, padding=1)).eval()
    with torch.no_grad():
        for tensor in model[0].parameters():
            tensor[2] = tensor[1]
    samples = data(4000, 2, 4, 4)  # 64,000 positions
    groups = group(model, "0", "2")
    found, tensors, _ = run(model, groups, {"0": [2]}, samples, "reconstruct", samples=4000)
    assert set(found) == {"2.weight", "2.bias"}
    torch.testing.assert_close(
        call(model, samples.inputs, tensors), model(samples.inputs), atol=1e-3, rtol=1e-3
    )


def test_behind_a_flatten_a_unit_has_many_inputs() -> None:
    model, samples = convolutions(), data(200, 2, 6, 6)
    groups = group(model, "3", "8", "4", each=4)
    found, tensors, raw = run(model, groups, {"3": [2]}, samples, "reconstruct", "fold")
    assert set(found) == {"8.weight", "8.bias"}
    dense = model(samples.inputs)

    def error(with_: dict[str, Tensor]) -> float:
        return float((call(model, samples.inputs, with_) - dense).square().mean().detach())

    _, folded, _ = run(model, groups, {"3": [2]}, samples, "fold")
    assert error(tensors) < error(folded) < error(raw)


class Attending(nn.Module):
    """torch's attention: tokens come first in what its projections are given."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 6)
        self.attention = nn.MultiheadAttention(6, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x)
        output, _ = self.attention(y, y, y)
        assert isinstance(output, Tensor)
        return output


def test_packed_projections_are_fitted_each() -> None:
    torch.manual_seed(4)
    model, samples = Attending().eval(), data(4000, 5, 4)
    with torch.no_grad():
        model.first.weight[5], model.first.bias[5] = model.first.weight[0], model.first.bias[0]
    old = group(model, "first", "first").groups["first"]
    places = (*old.places[:2], Place("attention.in_proj_weight", 1, torch.arange(6)))
    consumers = tuple(f"attention.{part}" for part in "qkv")
    groups = Groups({"first": Group("first", ("first",), 6, "neuron", old.rows, consumers, places)})
    found, tensors, _ = run(model, groups, {"first": [5]}, samples, "reconstruct", samples=4000)
    assert set(found) == {"attention.in_proj_weight", "attention.in_proj_bias"}
    with torch.no_grad():
        expected = model(samples.inputs)
        torch.testing.assert_close(
            call(model, samples.inputs, tensors), expected, atol=1e-3, rtol=1e-3
        )


class Twice(nn.Module):
    """One layer used two times."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.again = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        output = self.again(torch.relu(self.again(torch.relu(self.first(x)))))
        assert isinstance(output, Tensor)
        return output


def test_a_weight_that_is_used_twice_is_left_as_it_is() -> None:
    torch.manual_seed(5)
    model = Twice().eval()
    found, _, _ = run(model, group(model, "first", "again"), {"first": [1]}, data(30, 4), *ALL)
    assert found == {}
