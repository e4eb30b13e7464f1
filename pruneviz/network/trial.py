"""Does a network without some units answer as it does with them masked?"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from pruneviz.data import Inputs
from pruneviz.memory import trim
from pruneviz.network.calling import call_all, fit, words_of
from pruneviz.network.double_precision import answer_in_double
from pruneviz.network.groups import Groups, masks_of
from pruneviz.network.likeness import TOLERANCE, Likeness
from pruneviz.network.removal import remove
from pruneviz.network.replica import replica, state
from pruneviz.outputs import main_output

_SHARE = 0.3  # of a group's units go in its trial
_NOISE = 0.1
_ENOUGH = 3  # failures of the same layer in as many blocks tell enough of the others
_BLOCK = re.compile(r"\d+")


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
    network = _noisy(noisy.model)
    with torch.inference_mode():
        try:  # the quicker half first: where it fails no more needs to be done
            got = noisy.answer(remove(network, groups, kept), noisy.inputs)
        except Exception as error:  # the network's own code meets sizes that it never saw
            return words_of(error)[:200]
        _mask_(network, parameter_masks(network, groups, kept))
        reference = noisy.answer(network, noisy.inputs)
    likeness = Likeness()
    try:
        likeness.add(reference, got)
    except ValueError as error:
        return str(error)
    return likeness.wrong(TOLERANCE)


def _mask_(network: nn.Module, masks: Mapping[str, Tensor]) -> None:
    for name, parameter in network.named_parameters(remove_duplicate=False):
        if name in masks:
            parameter.masked_fill_(~masks[name], 0)


def _some(units: int) -> Tensor:
    """Some units go, spread over all of them, at least one; at least one stays."""
    count = min(max(1, round(_SHARE * units)), units - 1)
    gone = torch.linspace(0, units - 1, count + 2).round().long()[1:-1] if count > 1 else [0]
    kept = torch.ones(units, dtype=torch.bool)
    kept[gone] = False
    return kept


def _shaken(model: nn.Module, example: Inputs) -> _NoisyNetwork:
    """A copy with noise on every weight that answers in double where the network bears it."""
    network = _noisy(model)
    inputs = fit(network, example)
    try:
        answer = answer_in_double(network, inputs)
        if bool(torch.isfinite(answer[main_output(answer)]).all()):
            return _NoisyNetwork(model, inputs, answer_in_double)
    except Exception:  # whatever a network raises in a precision that it was not made for
        pass
    return _NoisyNetwork(model, inputs, lambda one, *given: call_all(replica(one), *given))


def _noisy(model: nn.Module) -> nn.Module:
    network = copy.deepcopy(model).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.is_floating_point():
                noise = torch.randn(parameter.shape, generator=generator)
                spread = float(parameter.std()) if parameter.numel() > 1 else 0.0
                parameter.add_(noise.mul_(_NOISE * max(spread, 0.1)).to(parameter))
    return network
