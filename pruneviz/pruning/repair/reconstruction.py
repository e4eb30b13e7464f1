"""Which weights on the inputs that stay come nearest to a layer's dense outputs?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pruneviz.data import Data
from pruneviz.network.calls import Call
from pruneviz.network.weight_inputs import exact, rows_of, unit_rows
from pruneviz.progress import ShareDone, silent_share
from pruneviz.pruning.repair.consumers import Consumer, RepairedNetwork, apply, plain

# Of the inputs' variance, times inputs / samples: the fewer samples there are for each weight, the
# nearer it stays to what it was. Without, as many samples as inputs can do worse than no repair.
RIDGE = 0.1
ROWS = 50_000  # equations a layer, about: positions are drawn where there are more
_WIDEST = 2**13  # inputs of a unit beyond which the equations take too long
_BYTES = 2**29  # of the inputs and outputs of the largest layer, all samples at once
_TARGETS = 2**27  # dense outputs that are kept
_UNFOLDED = 2**22  # inputs that are unfolded at a time


def can_be_fitted(consumer: Consumer) -> bool:
    """Whether the weights of this consumer can be fitted in closed form.

    Not those of transposed convolutions, where the weights of a unit meet each position in a way
    of its own, and not more than 8,192 inputs of a unit.
    """
    layer = consumer.layer
    if layer.turned and not layer.flat:
        return False
    blocks = list(_blocks(consumer))
    whole = sum(len(block.rows) * len(block.columns) for block in blocks)
    narrow = all(len(block.columns) <= _WIDEST for block in blocks)
    return narrow and whole == int(consumer.kept.count_nonzero())


def reconstruct(
    network: RepairedNetwork,
    consumers: Mapping[str, Consumer],
    repaired: Mapping[str, Tensor],
    data: Data,
    strength: float = RIDGE,
    progress: ShareDone = silent_share,
) -> dict[str, Tensor]:
    """Weights (and constants) of `consumers`, all of which `can_be_fitted`, in their places.

    All samples pass at once, so that each layer is fitted on what the layers before it give, those
    repaired already included; as many as leave the largest layer's inputs and outputs within 512
    MiB. strength: of the ridge, times the inputs' variance. Weights that are used several times in
    a pass are left as they are, and so are those that meet other rows in the pruned network than
    in the dense one.
    """
    data = data.first(_samples_at_once(network, consumers, data))
    units = sum(consumer.layer.units for consumer in consumers.values())
    rows = min(ROWS, _TARGETS // max(1, units))
    targets: dict[str, tuple[Tensor, Tensor | None]] = {}
    uses: Counter[str] = Counter()
    tensors: dict[str, Tensor] = {}

    def note(call: Call) -> None:
        uses[call.layer.name] += 1
        values = unit_rows(plain(call).output, call.layer)
        which = _draw(values, rows)
        targets[call.layer.name] = (_at(values, which).clone(), which)

    def mend(whole: Call) -> Tensor | None:
        name = whole.layer.name
        if uses[name] != 1:
            return None
        call = plain(whole)
        outputs, which = targets.pop(name)
        if len(unit_rows(call.output, call.layer)) != len(outputs):
            return None
        change = _fit(call, consumers[name], outputs, which, strength / len(data))
        progress(0.5 + 0.5 * (1 - len(targets) / max(1, len(uses))))
        if change is None:
            return None
        weight, shift = change
        _enter(network, consumers[name], tensors, repaired, weight, shift)
        dtype = whole.output.dtype
        output = whole.output.clone()
        whole.part(output).add_(apply(whole, weight.to(dtype), shift.to(dtype)))
        return output

    dense, cut = network.tensors({}, cut=False), network.tensors(repaired)
    network.run(data.inputs, dense, network.listener(dense, consumers, note))
    progress(0.5)
    network.run(data.inputs, cut, network.listener(cut, consumers, mend))
    return tensors


def _samples_at_once(
    network: RepairedNetwork, consumers: Mapping[str, Consumer], data: Data
) -> int:
    # How many samples may pass at once.
    sizes = [1]
    tensors = network.tensors({}, cut=False)

    def weigh(call: Call) -> None:
        sizes.append(call.inputs.nbytes + call.output.nbytes)

    network.run(data.first(1).inputs, tensors, network.listener(tensors, consumers, weigh))
    return max(1, min(len(data), _BYTES // max(sizes)))


def _enter(
    network: RepairedNetwork,
    consumer: Consumer,
    tensors: dict[str, Tensor],
    repaired: Mapping[str, Tensor],
    weight: Tensor,
    shift: Tensor,
) -> None:
    layer, current = consumer.layer, {**network.dense, **repaired}
    values = tensors.get(layer.weight, network.dense[layer.weight]).clone()
    layer.canonical(values).add_(weight.to(values))
    tensors[layer.weight] = values
    if consumer.constant is not None:
        consumer.constant.add(current, tensors, shift)


@dataclass(frozen=True, eq=False)
class _Block:
    """The units of one group of a convolution that stay, and the inputs of theirs that do.

    rows: int64, among the units of the group. columns: int64, among its inputs × kernel.
    """

    group: int
    rows: Tensor
    columns: Tensor


def _blocks(consumer: Consumer) -> Iterator[_Block]:
    kept = torch.unflatten(consumer.kept.flatten(1), 0, (consumer.layer.groups, -1))
    for group, inside in enumerate(kept):
        rows, columns = inside.any(1).nonzero()[:, 0], inside.any(0).nonzero()[:, 0]
        yield _Block(group, rows, columns)


def _draw(values: Tensor, rows: int) -> Tensor | None:
    """Positions [items, each] of values [items, units, positions], about `rows` in all.

    Always the same ones; None where there are no more than that.
    """
    items, _, positions = values.shape
    each = max(1, rows // items)
    if each >= positions:
        return None
    generator = torch.Generator().manual_seed(0)
    return torch.randint(positions, (items, each), generator=generator).to(values.device)


def _at(values: Tensor, which: Tensor | None) -> Tensor:
    return values if which is None else torch.take_along_dim(values, which.unsqueeze(1), 2)


def _fit(
    call: Call, consumer: Consumer, targets: Tensor, which: Tensor | None, ridge: float
) -> tuple[Tensor, Tensor] | None:
    # The change of the weight [units, ...] and of the constant [units]; None if none is sound.
    layer, device = call.layer, targets.device
    missing = exact(targets) - exact(_at(unit_rows(call.output, layer), which))
    missing = torch.unflatten(missing, 1, (layer.groups, -1))
    weight = torch.zeros(layer.groups, layer.units // layer.groups, layer.size // layer.units)
    weight, shift = weight.double().to(device), torch.zeros(weight.shape[:2]).double().to(device)
    blocks = list(_blocks(consumer))
    sums = [_Sums(len(b.columns), len(b.rows), device) for b in blocks]
    for start, rows in _unfold(call, missing.shape[-1], which):
        rest = missing[start : start + len(rows)]
        for block, total in zip(blocks, sums, strict=True):
            inputs = rows[:, block.group].movedim(1, -1).flatten(0, 1)
            outputs = rest[:, block.group].movedim(1, -1).flatten(0, 1)
            total.add(inputs[:, block.columns], outputs[:, block.rows])
    for block, total in zip(blocks, sums, strict=True):
        change, constant = total.solve(ridge, intercept=consumer.constant is not None)
        weight[block.group, block.rows.unsqueeze(1), block.columns] = change.T
        shift[block.group, block.rows] = constant
    if not bool(weight.isfinite().all() & shift.isfinite().all()):
        return None
    return weight.reshape(layer.shape), shift.reshape(layer.units)


def _unfold(call: Call, positions: int, which: Tensor | None) -> Iterator[tuple[int, Tensor]]:
    # (first item, [items, groups, fan-in, positions]), a part of all items at a time.
    layer = call.layer
    one = positions * layer.groups * (layer.size // layer.units)
    step = max(1, _UNFOLDED // max(1, one))
    for start in range(0, len(call.inputs), step):
        part = slice(start, start + step)
        inputs, at = call.inputs[part], None if which is None else which[part]
        yield start, rows_of(replace(call, inputs=inputs), len(inputs), at)


class _Sums:
    """The normal equations of one block, in float64."""

    def __init__(self, inputs: int, outputs: int, device: torch.device) -> None:
        def zeros(*shape: int) -> Tensor:
            return torch.zeros(shape, dtype=torch.float64, device=device)

        self.n = 0
        self.gram, self.cross = zeros(inputs, inputs), zeros(inputs, outputs)
        self.inputs, self.outputs = zeros(inputs), zeros(outputs)

    def add(self, inputs: Tensor, outputs: Tensor) -> None:
        """Add equations: inputs [rows, inputs] should give outputs [rows, outputs]."""
        x, y = inputs.double(), outputs.double()
        self.n += len(x)
        self.gram += x.T @ x
        self.cross += x.T @ y
        self.inputs += x.sum(0)
        self.outputs += y.sum(0)

    def solve(self, strength: float, *, intercept: bool) -> tuple[Tensor, Tensor]:
        """Weights [inputs, outputs] and constants [outputs], zero without an intercept."""
        gram, cross = self.gram, self.cross
        if intercept:
            gram = gram - self.inputs.outer(self.inputs) / self.n
            cross = cross - self.inputs.outer(self.outputs) / self.n
        tiny = torch.finfo(torch.float64).tiny
        ridge = (gram.diagonal().sum() * strength).clamp(min=tiny)
        factor, _ = torch.linalg.cholesky_ex(gram + ridge * torch.eye(len(gram)).to(gram))
        weights = torch.cholesky_solve(cross, factor)
        if not intercept:
            return weights, torch.zeros_like(self.outputs)
        return weights, (self.outputs - self.inputs @ weights) / self.n
