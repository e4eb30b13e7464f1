"""Which units of a network does a narrower one of the same kind still have?"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pruneviz.network.groups import Group, Groups, Place
from pruneviz.network.removal import lines_of, narrow, remove
from pruneviz.network.replica import state

_SHOWN = 10
Tensors = Mapping[str, Tensor]


def is_narrower(dense: Tensors, small: Tensors) -> bool:
    """Whether some tensor has another shape than in the dense network, and none a longer side."""
    pairs = [(tensor.shape, small[name].shape) for name, tensor in dense.items() if name in small]
    within = all(
        len(whole) == len(part) and all(a >= b for a, b in zip(whole, part, strict=True))
        for whole, part in pairs
    )
    return within and any(whole != part for whole, part in pairs)


def blank(model: nn.Module, groups: Groups, small: Tensors) -> nn.Module:
    """`model` with as many units of each group as the shapes of `small` (tensors by name) tell.

    Which of them they are is not known: its weights are still to be replaced. ValueError names
    tensors whose shape no removal of whole units explains.
    """
    network = remove(model, groups, _first(groups, _counts(groups, state(model), small)))
    own = state(network)
    wrong = [
        f"{name} {list(small[name].shape)} where units leave {list(tensor.shape)}"
        for name, tensor in own.items()
        if name in small and small[name].shape != tensor.shape
    ]
    if wrong:
        more = ", …" if len(wrong) > _SHOWN else ""
        raise ValueError(
            f"no removal of whole units explains {len(wrong)} shapes: "
            f"{', '.join(wrong[:_SHOWN])}{more}; give the network itself (in Python), or a file "
            "of it with unsafe=True (--unsafe-load)"
        )
    return network


def match(model: nn.Module, groups: Groups, small: Tensors) -> dict[str, Tensor] | None:
    """Group -> bool [units], which of them `small` has; None where its weights do not tell.

    A unit is the same where all its weights are, bit for bit, and their order is as it was. The
    answer is proved: `model` without the other units has exactly the tensors of `small`.
    """
    dense = state(model)
    counts = _counts(groups, dense, small)
    lines = {
        name: torch.ones(group.units, dtype=torch.bool)
        for name, group in groups.groups.items()
        if counts.get(name, group.units) == group.units
    }
    unknown = [name for name in groups.groups if name not in lines]
    by_tensor: dict[str, list[tuple[str, Place]]] = {}
    for name, group in groups.groups.items():
        for place in group.places:
            by_tensor.setdefault(place.tensor, []).append((name, place))
    strict = True  # first by units that nothing else resembles; dead ones may be alike
    while unknown:
        found = None
        for name in unknown:
            looks = _looks(groups, groups.groups[name], counts, by_tensor, lines, dense, small)
            found = None if looks is None else _in_order(*looks, strict=strict)
            if found is not None:
                lines[name] = found
                unknown.remove(name)
                break
        if found is None and not strict:
            return None
        strict = found is not None or not strict
    own = state(remove(model, groups, lines))
    proved = all(
        name in small and torch.equal(own[name], small[name]) for name in _file_names(model)
    )
    return lines if proved else None


def _file_names(model: nn.Module) -> list[str]:
    """Names of what a file holds: buffers that are not kept in it are worked out anew."""
    own = state(model)
    return [name for name in model.state_dict() if name in own]


def _counts(groups: Groups, dense: Tensors, small: Tensors) -> dict[str, int]:
    """Group -> how many of its units are left, where the shapes tell; else it is left out."""
    sides: dict[tuple[str, int], list[tuple[str, Tensor]]] = {}
    for name, group in groups.groups.items():
        if group.skip is None:
            for place in group.places:
                sides.setdefault((place.tensor, place.dim), []).append((name, place.unit))
    counts: dict[str, int] = {}
    for (tensor, dim), here in sides.items():
        if tensor not in small or len(here) > 1:
            continue  # a side of several groups follows from the others
        name, unit = here[0]
        units, stay = groups.groups[name].units, int((unit < 0).sum())
        each = (len(unit) - stay) // units
        left, rest = divmod(small[tensor].shape[dim] - stay, max(each, 1))
        if rest or not 1 <= left <= units or counts.setdefault(name, left) != left:
            raise ValueError(
                f"{tensor} has {small[tensor].shape[dim]} of {dense[tensor].shape[dim]} entries in "
                f"dimension {dim}, which are not whole units of {name!r} ({units} of {each}, as "
                "its other tensors have them)"
            )
    return counts


def _first(groups: Groups, counts: Mapping[str, int]) -> dict[str, Tensor]:
    return {name: torch.arange(groups.groups[name].units) < left for name, left in counts.items()}


def _looks(
    groups: Groups,
    group: Group,
    counts: Mapping[str, int],
    by_tensor: Mapping[str, list[tuple[str, Place]]],
    lines: Mapping[str, Tensor],
    dense: Tensors,
    small: Tensors,
) -> tuple[list[bytes], list[bytes]] | None:
    """What is known of each unit in the dense network, and of each in the small one: its weights
    in all tensors where it is known what else is gone. None where there is no such tensor.
    """
    was = [b""] * group.units
    now = [b""] * counts[group.name]
    seen = False
    for place in group.places:
        beside = [name for name, _ in by_tensor[place.tensor] if name != group.name]
        twice = len(by_tensor[place.tensor]) - len(beside) > 1
        if twice or any(name not in lines for name in beside) or place.tensor not in small:
            continue
        dims = lines_of(groups, {name: lines[name] for name in beside}).get(place.tensor, {})
        whole, part = narrow(dense[place.tensor], dims), small[place.tensor]
        unit = place.unit[dims[place.dim]] if place.dim in dims else place.unit
        # Where the units that are left stand does not depend on which they are.
        inside = unit[(unit < 0) | (unit < len(now))]
        if part.dtype != whole.dtype or len(inside) != part.shape[place.dim]:
            return None
        seen = True
        _append(was, whole, place.dim, unit)
        _append(now, part, place.dim, inside)
    return (was, now) if seen else None


def _append(looks: list[bytes], tensor: Tensor, dim: int, unit: Tensor) -> None:
    rows = tensor.detach().cpu().movedim(dim, 0).reshape(len(unit), -1).contiguous()
    for at in range(len(looks)):
        looks[at] += rows[unit == at].reshape(-1).view(torch.uint8).numpy().tobytes()


def _in_order(was: list[bytes], now: list[bytes], *, strict: bool) -> Tensor | None:
    """bool [len(was)]: which of them `now` are, in the same order; strict: where each is unique."""
    if strict and len({*was}) < len(was):
        return None
    kept, at = torch.zeros(len(was), dtype=torch.bool), 0
    for look in now:
        while at < len(was) and was[at] != look:
            at += 1
        if at == len(was):
            return None
        kept[at], at = True, at + 1
    return kept
