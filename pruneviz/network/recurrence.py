"""What does a recurrent layer of torch compute, its products taken one by one?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own abbreviation)
from torch import Tensor

State = tuple[Tensor, ...]  # hidden, and of an LSTM its cell, [rows, size] each
Linear = Callable[[Tensor, Tensor, Tensor | None], Tensor]
# What inputs and hidden state were made into, [rows, gates × size] each, and the state before.
_Step = Callable[[Tensor, Tensor, State], State]


def _lstm(read: Tensor, held: Tensor, state: State) -> State:
    enter, forget, new, out = (read + held).chunk(4, -1)
    cell = forget.sigmoid() * state[1] + enter.sigmoid() * new.tanh()
    return out.sigmoid() * cell.tanh(), cell


def _gru(read: Tensor, held: Tensor, state: State) -> State:
    (reset, update, new), (reset_held, update_held, new_held) = read.chunk(3, -1), held.chunk(3, -1)
    old = (update + update_held).sigmoid()
    new = (new + (reset + reset_held).sigmoid() * new_held).tanh()
    return ((1 - old) * new + old * state[0],)


def _tanh(read: Tensor, held: Tensor, state: State) -> State:
    return ((read + held).tanh(),)


def _relu(read: Tensor, held: Tensor, state: State) -> State:
    return ((read + held).relu(),)


_LAYERS: Mapping[object, _Step] = {
    torch.lstm: _lstm,
    torch.gru: _gru,
    torch.rnn_tanh: _tanh,
    torch.rnn_relu: _relu,
}
_CELLS: Mapping[object, _Step] = {
    torch.lstm_cell: _lstm,
    torch.gru_cell: _gru,
    torch.rnn_tanh_cell: _tanh,
    torch.rnn_relu_cell: _relu,
}


def weights_of(func: object, args: Sequence[Any]) -> Sequence[Tensor]:
    """The parameters that a recurrent function of torch is given; none for other functions.

    Known are calls with arguments by their place, as torch's own modules make them.
    """
    if func in _CELLS and len(args) >= 4:
        return tuple(args[2:4])
    if func in _LAYERS and len(args) == 9:
        return tuple(args[3 if _is_packed(args) else 2])
    return ()


def recur(func: object, args: Sequence[Any], linear: Linear) -> Any:
    """The result of a recurrent function of torch for arguments that have `weights_of`.

    linear: called as linear(inputs, weight, bias) for every product: by the inputs of a layer once,
    [samples, steps, size] (of a packed sequence [rows, size]), by its hidden state [samples, size]
    once a step.
    """
    if func in _CELLS:
        return _cell(_CELLS[func], args, linear)
    return _layers(_LAYERS[func], args, linear)


def _is_packed(args: Sequence[Any]) -> bool:
    return not isinstance(args[3], bool)  # else it says whether there are biases


def _cell(step: _Step, args: Sequence[Any], linear: Linear) -> Tensor | State:
    inputs, before, *parameters = args
    inward, onward, bias_in, bias_on = (*parameters, None, None)[:4]
    state = (before,) if isinstance(before, Tensor) else tuple(before)
    after = step(linear(inputs, inward, bias_in), linear(state[0], onward, bias_on), state)
    return after[0] if isinstance(before, Tensor) else after


def _layers(step: _Step, args: Sequence[Any], linear: Linear) -> State:
    sizes = None
    if _is_packed(args):
        sizes, batch_first = args[1].tolist(), False
        values, before, parameters, biased, count, dropout, train, both = (args[0], *args[2:])
    else:
        values, before, parameters, biased, count, dropout, train, both, first = args
        batch_first = not first
    values = values.transpose(0, 1) if batch_first else values
    begin = (before,) if isinstance(before, Tensor) else tuple(before)
    directions = 2 if both else 1
    each = len(parameters) // (count * directions)
    ends: list[State] = []
    for place in range(count):
        sides = []
        for side in range(directions):
            own = parameters[len(ends) * each :][:each]
            state = tuple(part[len(ends)] for part in begin)
            outputs, end = _walk(
                step, values, sizes, state, _by_name(own, biased), side == 1, linear
            )
            sides.append(outputs)
            ends.append(end)
        values = torch.cat(sides, -1)
        if dropout and place + 1 < count:
            values = F.dropout(values, dropout, train)
    return (
        values.transpose(0, 1) if batch_first else values,
        *map(torch.stack, zip(*ends, strict=True)),
    )


def _by_name(own: Sequence[Tensor], biased: bool) -> dict[str, Tensor]:
    names = ("inward", "onward", *(("bias_in", "bias_on") if biased else ()), "projection")
    return dict(zip(names, own, strict=False))


def _walk(
    step: _Step,
    values: Tensor,
    sizes: list[int] | None,
    state: State,
    own: Mapping[str, Tensor],
    backward: bool,
    linear: Linear,
) -> tuple[Tensor, State]:
    """What one direction of one layer says, laid out as `values`, and its state at the end."""
    product = linear(values, own["inward"], own.get("bias_in"))
    reads = list(product.unbind(1) if sizes is None else torch.split(product, sizes))
    outputs: list[Tensor] = []
    for read in reversed(reads) if backward else reads:
        # Of a packed sequence the longest come first: those behind have ended, or not begun.
        before = tuple(part[: len(read)] for part in state)
        after = step(read, linear(before[0], own["onward"], own.get("bias_on")), before)
        if "projection" in own:
            after = (linear(after[0], own["projection"], None), *after[1:])
        outputs.append(after[0])
        pairs = zip(after, state, strict=True)
        state = tuple(torch.cat([new, old[len(new) :]]) for new, old in pairs)
    if backward:
        outputs.reverse()
    return (torch.stack(outputs, 1) if sizes is None else torch.cat(outputs)), state
