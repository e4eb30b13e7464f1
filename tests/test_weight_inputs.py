"""Do unfolded inputs and output gradients give what autograd gives, sample by sample?"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from pruneviz.network.calls import Call, WeightListener
from pruneviz.network.layers import find_layers
from pruneviz.network.weight_inputs import gradient_sums, input_squares, rows_of, unit_rows

SAMPLES = 3
CONVOLUTIONS = {
    "conv1d": (lambda: nn.Conv1d(4, 6, 3, stride=2, padding=1, groups=2), (4, 9)),
    "dilated": (lambda: nn.Conv2d(3, 4, (2, 3), dilation=(2, 1), padding=(0, 2)), (3, 7, 5)),
    "depthwise": (lambda: nn.Conv2d(4, 8, 3, groups=4, stride=(1, 2)), (4, 6, 7)),
    "same, even kernel": (lambda: nn.Conv2d(2, 3, (4, 2), padding="same"), (2, 5, 5)),
    "valid": (lambda: nn.Conv1d(2, 3, 4, padding="valid"), (2, 5)),
    "circular": (lambda: nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular"), (2, 5, 5)),
    "reflect": (lambda: nn.Conv2d(2, 3, 3, padding=(2, 1), padding_mode="reflect"), (2, 5, 5)),
    "conv3d": (
        lambda: nn.Conv3d(2, 4, (1, 2, 3), stride=(1, 2, 1), padding=(1, 0, 1), groups=2),
        (2, 3, 5, 4),
    ),
    "linear": (lambda: nn.Linear(4, 3), (4,)),
    "linear on tokens": (lambda: nn.Linear(4, 3), (5, 4)),
    "linear on a grid": (lambda: nn.Linear(4, 3), (2, 5, 4)),
}
TRANSPOSED = {
    "transposed 1d": (
        lambda: nn.ConvTranspose1d(4, 6, 3, 2, padding=1, groups=2, output_padding=1),
        (4, 9),
    ),
    "transposed 2d": (
        lambda: nn.ConvTranspose2d(4, 6, (3, 2), (2, 1), padding=(1, 0), dilation=(1, 2)),
        (4, 5, 6),
    ),
    "transposed 3d": (lambda: nn.ConvTranspose3d(2, 2, 2, stride=2), (2, 3, 3, 3)),
}
ALL = CONVOLUTIONS | TRANSPOSED


class Windows(nn.Module):
    """A linear layer that sees windows put beside the samples."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x.reshape(-1, 2, 4)).reshape(len(x), -1)


def heard(model: nn.Module, inputs: Tensor) -> tuple[list[Call], Tensor]:
    calls: list[Call] = []
    used = dict(model.named_parameters())
    with WeightListener(find_layers(model), used, calls.append):
        output = model(inputs)
    return calls, output


def check_gradients(model: nn.Module, inputs: Tensor) -> None:
    calls, output = heard(model, inputs)
    ahead = torch.randn_like(output)
    grads = torch.autograd.grad(output, [call.output for call in calls], ahead)
    for call, grad in zip(calls, grads, strict=True):
        each = torch.stack(
            [
                call.layer.canonical(
                    torch.autograd.grad(
                        model(inputs[i : i + 1]),
                        model.get_parameter(call.layer.weight),
                        ahead[i : i + 1],
                    )[0]
                )
                for i in range(len(inputs))
            ]
        )
        found = gradient_sums([(call, grad)], len(inputs))
        torch.testing.assert_close(found["g"], each.sum(0))
        torch.testing.assert_close(found["size"], each.abs().sum(0))
        torch.testing.assert_close(found["power"], each.square().sum(0))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_a_layer_is_a_matrix_product_over_what_it_unfolds(case: str) -> None:
    make, shape = CONVOLUTIONS[case]
    module, inputs = make(), torch.randn(SAMPLES, *shape)
    layer = find_layers(module)[""]
    (call,), output = heard(module, inputs)
    rows = rows_of(call, SAMPLES)  # [n, groups, fan-in, positions]
    weight = module.weight.reshape(rows.shape[1], -1, rows.shape[2])
    product = torch.einsum("goi,ngip->ngop", weight, rows).flatten(1, 2)
    torch.testing.assert_close(product + module.bias.unsqueeze(1), unit_rows(output, layer))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_single_positions_can_be_asked_for(case: str) -> None:
    make, shape = CONVOLUTIONS[case]
    (call,), _ = heard(make(), torch.randn(SAMPLES, *shape))
    rows = rows_of(call, SAMPLES)
    at = torch.randint(rows.shape[3], (SAMPLES, 4))
    expected = torch.take_along_dim(rows, at[:, None, None], 3)
    assert torch.equal(rows_of(call, SAMPLES, at), expected)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("case", ALL)
def test_gradients_are_those_of_a_loop_over_samples(case: str) -> None:
    make, shape = ALL[case]
    check_gradients(make().double(), torch.randn(SAMPLES, *shape, dtype=torch.float64))


def test_windows_beside_the_samples_belong_to_their_samples() -> None:
    check_gradients(Windows().double(), torch.randn(SAMPLES, 6, 4, dtype=torch.float64))


@pytest.mark.parametrize("case", TRANSPOSED)
def test_a_transposed_weight_meets_the_inputs_of_its_channel(case: str) -> None:
    make, shape = TRANSPOSED[case]
    module, inputs = make(), torch.randn(SAMPLES, *shape)
    layer = find_layers(module)[""]
    (call,), _ = heard(module, inputs)
    found = input_squares(call).expand(layer.shape)
    channels = inputs.square().sum([0, *range(2, inputs.ndim)]).reshape(module.groups, -1)
    for unit in range(layer.units):
        group = unit // (layer.units // module.groups)
        expected = channels[group].reshape(-1, *[1] * (len(layer.shape) - 2))
        torch.testing.assert_close(found[unit], expected.expand(layer.shape[1:]))
