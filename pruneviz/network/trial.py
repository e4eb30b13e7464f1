"""Does a network without some units answer as it does with them masked?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from pruneviz.data import Inputs
from pruneviz.memory import trim
from pruneviz.network.double_precision import answer_in_double
from pruneviz.network.forward_pass import call_all, fit, words_of
from pruneviz.network.groups import Group, Groups, masks_of
from pruneviz.network.likeness import TOLERANCE, Likeness
from pruneviz.network.removal import lines_of, narrow, remove
from pruneviz.network.replica import overlaid, replica, state
from pruneviz.outputs import main_output

_SHARE = 0.3  # of a group's units go in its trial
_NOISE = 0.1
_ENOUGH = 3  # failures of the same layer in as many blocks tell enough of the others
_BLOCK = re.compile(r"\d+")
_NUMBERS = 2**20  # of an answer that are looked at at a time

Change = Callable[[str, Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class _NoisyNetwork:
    """model: of which each trial takes a copy with noise on it, so that no more than one is held.
    answer: what that copy, or one made of it, answers to inputs.
    """

    model: nn.Module
    inputs: Inputs
    answer: Callable[..., dict[str, Tensor]]


def parameter_masks(
    model: nn.Module, groups: Groups, kept: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Parameter -> bool of its shape, True = kept, for all that goes with the units of groups."""
    tensors = state(model)
    masks: dict[str, Tensor] = {}
    for name, line in kept.items():
        masks_of(groups.groups[name], line, tensors, masks)
    own = dict(model.named_parameters(remove_duplicate=False))
    return {name: mask for name, mask in masks.items() if name in own}


def prove(model: nn.Module, groups: Groups, example: Inputs) -> Groups:
    """`groups` without those whose trial fails; these are in `fixed`, with the reason.

    Some units of all groups are cut at once from a copy whose weights are shaken, so that no zero
    hides a mistake; where that fails the groups are halved until it is known which of them are to
    blame.
    """
    trim()
    noisy = _shaken(model, example)
    failed: dict[str, str] = {}
    stack = [list(groups.groups)]
    while stack:
        names = stack.pop()
        reason = _known_failure(names, failed) or (_try(noisy, groups, names) if names else None)
        if reason is None:
            continue
        if len(names) == 1:
            failed[names[0]] = reason
        else:
            middle = len(names) // 2
            stack += [names[middle:], names[:middle]]
    rest = [name for name in groups.groups if name not in failed]
    if failed and rest and _try(noisy, groups, rest) is not None:
        rest = _together(noisy, groups, rest, failed)
    trim()
    fixed = dict(groups.fixed)
    for name, reason in failed.items():
        fixed |= dict.fromkeys(groups.groups[name].layers, f"its trial cut failed: {reason}")
    return replace(groups, groups={name: groups.groups[name] for name in rest}, fixed=fixed)


def _known_failure(names: Sequence[str], failed: Mapping[str, str]) -> str | None:
    """Why a group need not be tried any more: those of the same name in other blocks all failed."""
    if len(names) != 1:
        return None
    same = [name for name in failed if _BLOCK.sub("", name) == _BLOCK.sub("", names[0])]
    return f"as in {same[0]!r}: {failed[same[0]]}" if len(same) >= _ENOUGH else None


def _together(
    noisy: _NoisyNetwork,
    groups: Groups,
    names: Sequence[str],
    failed: dict[str, str],
) -> list[str]:
    """Groups that hold together, taken in their order; each that spoils the rest is left out."""
    sound: list[str] = []
    for name in names:
        reason = _try(noisy, groups, [*sound, name])
        if reason is None:
            sound.append(name)
        else:
            failed[name] = f"together with others {reason}"
    return sound


def _try(noisy: _NoisyNetwork, groups: Groups, names: Sequence[str]) -> str | None:
    """Why a trial cut of these groups is no proof, or None where it is."""
    kept = {name: _some(groups.groups[name].units) for name in names}
    lines = lines_of(groups, kept)
    with torch.inference_mode():
        try:  # the quicker half first: where it fails no more needs to be done
            small = _noisy(
                noisy.model,
                remove(noisy.model, groups, kept),
                lambda name, tensor: narrow(tensor, lines.get(name, {})),
            )
            got = noisy.answer(small, noisy.inputs)
        except Exception as error:  # the network's own code meets sizes that it never saw
            return words_of(error)[:200]
        del small
        trim()
        masked = _noisy(noisy.model, noisy.model, _mask_change(noisy.model, groups, kept))
        reference = noisy.answer(masked, noisy.inputs)
    likeness = Likeness()
    try:
        likeness.add(reference, got)
    except ValueError as error:
        return str(error)
    return likeness.wrong(TOLERANCE)


def _mask_change(model: nn.Module, groups: Groups, kept: Mapping[str, Tensor]) -> Change:
    """What `parameter_masks` does to a parameter, whose mask is made when it is asked for."""
    parts: dict[str, list[tuple[Group, Tensor]]] = {}
    for name, line in kept.items():
        for place in groups.groups[name].places:
            part = replace(groups.groups[name], places=(place,))
            parts.setdefault(place.tensor, []).append((part, line))
    tensors = state(model)

    def mask_(name: str, tensor: Tensor) -> Tensor:
        masks: dict[str, Tensor] = {}
        for group, line in parts.get(name, ()):
            masks_of(group, line, tensors, masks)
        return tensor.masked_fill_(~masks[name], 0) if name in masks else tensor

    return mask_


def _some(units: int) -> Tensor:
    """Some units go, spread over all of them, at least one; at least one stays, but of a block."""
    if units == 1:
        return torch.zeros(1, dtype=torch.bool)
    count = min(max(1, round(_SHARE * units)), units - 1)
    gone = torch.linspace(0, units - 1, count + 2).round().long()[1:-1] if count > 1 else [0]
    kept = torch.ones(units, dtype=torch.bool)
    kept[gone] = False
    return kept


def _shaken(model: nn.Module, example: Inputs) -> _NoisyNetwork:
    """A copy with noise on every weight that answers in double where the network bears it."""
    network = _noisy(model, model, lambda _, tensor: tensor)
    inputs = fit(network, example)
    try:
        answer = answer_in_double(network, inputs)
        numbers = torch.split(answer[main_output(answer)].flatten(), _NUMBERS)
        if all(bool(torch.isfinite(part).all()) for part in numbers):
            return _NoisyNetwork(model, inputs, answer_in_double)
    except Exception:  # whatever a network raises in a precision that it was not made for
        pass
    return _NoisyNetwork(model, inputs, lambda one, *given: call_all(replica(one), *given))


def _noisy(model: nn.Module, network: nn.Module, change: Change) -> nn.Module:
    """`network` with the parameters of `model`, noise on each, as `change` makes them.

    One after the other: of the whole network with noise on it no more is held than that.
    """
    generator, tensors = torch.Generator().manual_seed(0), {}
    there = dict(network.named_parameters())
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            own = parameter.detach()
            if own.is_floating_point():
                spread = float(own.std()) if own.numel() > 1 else 0.0
                noise = torch.randn(own.shape, generator=generator)
                tensor = noise.mul_(_NOISE * max(spread, 0.1)).to(own).add_(own)
                del noise
            else:
                tensor = own.clone()
            if name in there:  # else it went with a block
                tensors[name] = change(name, tensor)
    return overlaid(network, tensors)
