"""What makes up best for single weights that are cut?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from pruneviz.data import Data
from pruneviz.network.calls import Call
from pruneviz.progress import ShareDone, silent_share
from pruneviz.pruning.curvature import cholesky_factor, gram_of, no_curvature, rows_each
from pruneviz.pruning.repair.consumers import Consumer, RepairedNetwork, apply, plain

BLOCK = 128  # inputs, as published
_AFFORDABLE = 10**11  # multiplications of a layer, about: beyond, columns are taken in order
_BYTES = 2**29  # of the inputs and outputs of the largest layer, all samples at once
_HELD = 2**24  # numbers of the systems that are solved at a time


def can_be_updated(consumer: Consumer) -> bool:
    """Whether the inputs of this layer make a matrix that its weights share."""
    return no_curvature(consumer.layer) is None


def update(
    network: RepairedNetwork,
    consumers: Mapping[str, Consumer],
    data: Data,
    progress: ShareDone = silent_share,
) -> dict[str, Tensor]:
    """Weights of `consumers`, all of which `can_be_updated`, in their places.

    All samples pass at once, so that each layer is updated on what the layers before it give, those
    updated already included, and one layer's matrix is held at a time; as many samples as leave the
    largest layer's inputs and outputs within 512 MiB. Weights that are used several times in a pass
    are left as they are. What `progress` raises stops the work.
    """
    samples, uses = _look(network, consumers, data)
    data = data.first(samples)
    tensors: dict[str, Tensor] = {}
    count = 0

    def mend(whole: Call) -> Tensor | None:
        nonlocal count
        name = whole.layer.name
        if uses[name] != 1:
            return None
        new = _updated_weight(network, consumers[name], plain(whole), samples)
        count += 1
        progress(min(1.0, count / len(uses)))
        if new is None:
            return None
        layer = consumers[name].layer
        values = tensors.get(layer.weight, network.dense[layer.weight]).clone()
        own = layer.canonical(values)
        kept = consumers[name].kept
        change = torch.where(kept, new.to(own) - own, torch.zeros_like(own))
        own.add_(change)
        tensors[layer.weight] = values
        output = whole.output.clone()
        whole.part(output).add_(apply(whole, change.to(output.dtype)))
        return output

    cut = network.tensors({})
    network.run(data.inputs, cut, network.listener(cut, consumers, mend))
    return tensors


def optimum(weight: Tensor, kept: Tensor, gram: Tensor) -> Tensor:
    """The rows [units, inputs] nearest to `weight` in what they put out, zero where not kept.

    gram: H, symmetric and positive definite. Row by row the solution of
    H_KK · (ŵ_K − w_K) = H_KC · w_C, K: what is kept, C: what is cut.
    """
    missing = (weight * ~kept) @ gram
    result = weight * kept
    counts = kept.sum(1)
    order = counts.argsort()
    for rows in _chunks(order, counts):
        most = int(counts[rows].max())
        places = kept[rows].to(torch.int8).argsort(dim=1, descending=True, stable=True)[:, :most]
        inside = torch.arange(most, device=weight.device) < counts[rows].unsqueeze(1)
        both = inside.unsqueeze(1) & inside.unsqueeze(2)
        system = gram[places.unsqueeze(2), places.unsqueeze(1)]
        system = torch.where(both, system, torch.eye(most).to(system))
        right = torch.where(inside, missing[rows].gather(1, places), 0.0)
        factor, _ = torch.linalg.cholesky_ex(system)
        change = torch.cholesky_solve(right.unsqueeze(2), factor)[..., 0]
        result[rows] = result[rows].scatter_add(1, places, torch.where(inside, change, 0.0))
    return result


def in_order(weight: Tensor, kept: Tensor, upper: Tensor, block: int = BLOCK) -> Tensor:
    """Rows in which one column after the other is cut, and those behind it make up for it.

    upper: U of H⁻¹ = Uᵀ·U; its row j, over U_jj, is what is left of H⁻¹ once the columns before j
    are gone. Columns behind a block are brought up to date at its end. SparseGPT, algorithm 1.
    """
    result = weight.clone()
    for start in range(0, result.shape[1], block):
        end = min(start + block, result.shape[1])
        part, own = result[:, start:end], upper[start:end, start:end]
        errors = torch.zeros_like(part)
        for j in range(end - start):
            errors[:, j] = torch.where(kept[:, start + j], 0.0, part[:, j] / own[j, j])
            part[:, j:] -= errors[:, j : j + 1] * own[j, j:]
        result[:, end:] -= errors @ upper[start:end, end:]
    return result * kept


def _updated_weight(
    network: RepairedNetwork, consumer: Consumer, call: Call, samples: int
) -> Tensor | None:
    # [units, inputs, ...], None if none is sound.
    layer = consumer.layer
    gram, rows = gram_of(call, rows_each(samples), 0, samples)
    dense = layer.canonical(network.dense[layer.weight])
    weight = torch.unflatten(dense.flatten(1).double(), 0, (layer.groups, -1))
    kept = torch.unflatten(consumer.kept.flatten(1), 0, (layer.groups, -1))
    gram = gram / max(1, rows)
    parts = [_group(*one) for one in zip(weight, kept, gram, strict=True)]
    new = torch.cat(parts).reshape(layer.shape)
    return new if bool(new.isfinite().all()) else None


def _group(weight: Tensor, kept: Tensor, gram: Tensor) -> Tensor:
    # Of one group of a convolution: the optimum where it is affordable. Rows of which nothing is
    # cut, or nothing kept, stay.
    factor = cholesky_factor(gram)
    rows = kept.any(1) & ~kept.all(1)
    if float(kept[rows].sum(1).double().pow(3).sum()) / 3 <= _AFFORDABLE:
        new = optimum(weight[rows], kept[rows], factor @ factor.T)
    else:
        inverse = torch.cholesky_inverse(factor)
        del factor
        upper, _ = torch.linalg.cholesky_ex(inverse, upper=True)
        new = in_order(weight[rows], kept[rows], upper)
    result = weight * kept
    result[rows] = new
    return result


def _chunks(order: Tensor, counts: Tensor) -> Iterator[Tensor]:
    # Rows of about as many kept weights together.
    start = len(order)
    while start > 0:
        most = max(1, int(counts[order[start - 1]]))
        size = max(1, min(start, _HELD // most**2))
        yield order[start - size : start]
        start -= size


def _look(
    network: RepairedNetwork, consumers: Mapping[str, Consumer], data: Data
) -> tuple[int, Counter[str]]:
    # How many samples may pass at once, and how often each layer is used in a pass.
    sizes, uses = [1], Counter[str]()
    tensors = network.tensors({})

    def weigh(call: Call) -> None:
        sizes.append(call.inputs.nbytes + call.output.nbytes)
        uses[call.layer.name] += 1

    network.run(data.first(1).inputs, tensors, network.listener(tensors, consumers, weigh))
    return max(1, min(len(data), _BYTES // max(sizes))), uses
