"""How do the inputs of a layer vary together?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from pruneviz.data import Data
from pruneviz.network.calls import Call, WeightListener
from pruneviz.network.forward_pass import at_work, call_all
from pruneviz.network.layers import Layer
from pruneviz.network.replica import first_names, leaves, replica
from pruneviz.network.weight_inputs import exact, rows_of
from pruneviz.progress import ShareDone, silent_share

DAMPING = 0.01  # of the mean diagonal, as published
WIDEST = 2**13  # inputs of a unit: beyond, a matrix takes more than half a gigabyte
_ROWS = 20_000  # of a layer, about: positions are chosen where there are more
_BYTES = 2**29  # of matrices that are held at a time
_NARROW = 1024  # inputs whose products are summed in float64
_RAISES = 6  # of damping, each tenfold, before a matrix counts as broken


def no_curvature(layer: Layer) -> str | None:
    """Why the inputs of this layer make no matrix XXᵀ that its weights share, or None."""
    inputs = layer.size // layer.units
    if layer.kind in ("embedding", "experts"):
        return "what its weights meet is not heard"
    if layer.turned and not layer.flat:
        return "in a transposed convolution the weights of a unit meet other inputs at each place"
    if inputs > WIDEST:
        return f"a unit has {inputs:,} inputs; beyond {WIDEST:,} the matrix XXᵀ takes too much"
    return None


def inverse_diagonals(
    model: nn.Module,
    layers: Mapping[str, Layer],
    data: Data,
    batch: int,
    progress: ShareDone = silent_share,
) -> dict[str, Tensor]:
    """Layer -> the diagonal of H⁻¹, float64, broadcasting over its weight; see `cholesky_factor`.

    XXᵀ is the mean over about 20,000 rows of each layer (positions are chosen where there are
    more, always the same ones). As many layers pass at once as leave the matrices within 512 MiB.
    Layers of which `no_curvature` tells why, and those that never ran, are left out.
    """
    able = {name: layer for name, layer in layers.items() if no_curvature(layer) is None}
    rounds = list(_rounds(able))
    result: dict[str, Tensor] = {}
    for place, names in enumerate(rounds):
        grams = _pass(model, {n: able[n] for n in names}, data, batch)
        for name in names:
            if name in grams:
                result[name] = _diagonal(able[name], grams.pop(name))
        progress((place + 1) / len(rounds))
    return result


def cholesky_factor(gram: Tensor, damping: float = DAMPING) -> Tensor:
    """The lower Cholesky factor of H = gram + λI, λ = damping × the mean of gram's diagonal.

    gram: [..., inputs, inputs]. λ is raised tenfold as long as H has no factor; NaN where the
    matrix is broken.
    """
    mean = gram.diagonal(dim1=-2, dim2=-1).mean(-1, keepdim=True)
    eye = torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)
    least = torch.finfo(gram.dtype).tiny ** 0.5
    for step in range(_RAISES):
        shift = (mean * damping * 10**step).clamp(min=least)
        factor, wrong = torch.linalg.cholesky_ex(gram + shift.unsqueeze(-1) * eye)
        if not bool(wrong.any()):
            assert isinstance(factor, Tensor)
            return factor
    return torch.full_like(gram, torch.nan)


def rows_each(samples: int) -> int:
    """How many positions of each of so many samples are taken."""
    return -(-_ROWS // max(1, samples))


def gram_of(call: Call, each: int, first: int, samples: int) -> tuple[Tensor, int]:
    """Σ over rows of x·xᵀ [groups, fan-in, fan-in] in float64, and how many rows there were.

    The arguments are those of `chosen_rows`.
    """
    layer = call.layer
    inputs = layer.size // layer.units
    shape = (layer.groups, inputs, inputs)
    total = torch.zeros(shape, dtype=torch.float64, device=call.inputs.device)
    count = 0
    for rows in chosen_rows(call, each, first, samples):
        # Wide ones in float32, which takes half the time: damping is far above what it loses.
        rows = rows.double() if inputs <= _NARROW else rows
        total += torch.einsum("rgi,rgj->gij", rows, rows)
        count += len(rows)
    return total, count


def chosen_rows(call: Call, each: int, first: int = 0, samples: int = 0) -> Iterator[Tensor]:
    """The inputs that a layer's weights meet in a call, [rows, groups, fan-in], part by part.

    each: how many positions of an item are taken at most; always the same ones, moved on by one
    from item to item. first: how many items came before, where items are samples: `samples` of
    them; where they are not, all start at the same place.
    """
    call = replace(call, inputs=exact(call.inputs.detach()))
    layer, inputs = call.layer, call.inputs
    by_sample = inputs.ndim == 3 and len(inputs) == samples and not call.samples_second
    if layer.flat and not by_sample:
        rows = call.rows(inputs).unsqueeze(1)
        yield from torch.split(rows, max(1, _BYTES // (32 * rows.shape[2])))
        return
    items = inputs if layer.flat else call.rows(inputs)
    output = call.part(call.output)
    positions = inputs.shape[1] if layer.flat else math.prod(output.shape[-(items.ndim - 2) :])
    begin = first if len(items) == samples else 0
    at = _positions(len(items), positions, each, begin).to(inputs.device)
    wide = layer.groups * (layer.size // layer.units) * at.shape[1]
    step = max(1, _BYTES // (32 * wide))
    for start in range(0, len(items), step):
        part = slice(start, start + step)
        some = replace(call, inputs=items[part])
        yield rows_of(some, len(items[part]), at[part]).movedim(3, 1).flatten(0, 1)


def _positions(items: int, positions: int, each: int, begin: int) -> Tensor:
    # [items, how many are taken]
    if each >= positions:
        return torch.arange(positions).expand(items, positions)
    generator = torch.Generator().manual_seed(0)
    start = torch.randperm(positions, generator=generator)[:each]
    return (start + torch.arange(begin, begin + items).unsqueeze(1)) % positions


def _rounds(layers: Mapping[str, Layer]) -> Iterator[list[str]]:
    names: list[str] = []
    held = 0
    for name, layer in layers.items():
        size = 8 * layer.groups * (layer.size // layer.units) ** 2
        if names and held + size > _BYTES:
            yield names
            names, held = [], 0
        names.append(name)
        held += size
    if names:
        yield names


def _pass(
    model: nn.Module, layers: Mapping[str, Layer], data: Data, batch: int
) -> dict[str, Tensor]:
    # Layer -> [groups, fan-in, fan-in], the mean over the rows of x·xᵀ, in float64.
    copy, modules, names = replica(model), leaves(model), first_names(model)
    each = rows_each(len(data))
    sums: dict[str, Tensor] = {}
    counts = dict.fromkeys(layers, 0)
    start = 0

    def hear(call: Call) -> None:
        name = call.layer.name
        total, rows = gram_of(call, each, start, len(part))
        sums[name] = sums[name] + total if name in sums else total
        counts[name] += rows

    heard = {name: modules[one] for name, one in names.items()}
    for start in range(0, len(data), batch):
        part = data.take(slice(start, start + batch))
        what = f"gathering evidence on calibration samples {start}..{start + len(part) - 1}"
        with torch.no_grad(), WeightListener(layers, heard, hear), at_work(what):
            call_all(copy, part.inputs, modules)
    return {name: total / max(1, counts[name]) for name, total in sums.items()}


def _diagonal(layer: Layer, gram: Tensor) -> Tensor:
    factor = cholesky_factor(gram)
    diagonal = torch.cholesky_inverse(factor).diagonal(dim1=-2, dim2=-1)
    diagonal = diagonal.reshape(layer.groups, *layer.shape[1:])
    repeats = layer.units // layer.groups
    return diagonal.repeat_interleave(repeats, 0) if layer.groups > 1 else diagonal
