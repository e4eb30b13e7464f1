"""Does a network without some units answer as it does with them masked?"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from pruneviz.data import Inputs
from pruneviz.network.calling import call, call_all, fitting
from pruneviz.network.groups import Groups, masks_of
from pruneviz.network.removal import remove
from pruneviz.network.replica import masked, replica, state

TOLERANCE = 1e-5
_SHARE = 0.3  # of a group's units go in its trial
_NOISE = 0.1
_TIES = 1e-3  # of an output's whole numbers may differ
_ENOUGH = 3  # failures of the same layer in as many blocks tell enough of the others
_BLOCK = re.compile(r"\d+")


def mismatch(
    expected: Mapping[str, Tensor], got: Mapping[str, Tensor], allowed: float | None = None
) -> str | None:
    """What is wrong with the outputs of a smaller network, by the masked one's; None where nothing.

    allowed: relative difference; None: `tolerance` of each output's dtype.
    """
    if list(expected) != list(got):
        return f"it answers with {', '.join(got)}, not with {', '.join(expected)}"
    for name, tensor in expected.items():
        wrong = _mismatch(tensor, got[name], allowed)
        if wrong is not None:
            return wrong if len(expected) == 1 else f"output {name!r}: {wrong}"
    return None


def _mismatch(expected: Tensor, got: Tensor, allowed: float | None) -> str | None:
    if got.shape != expected.shape:
        return f"it answers in shape {tuple(got.shape)}, not {tuple(expected.shape)}"
    if not expected.numel():
        return None
    if expected.is_complex():
        return _mismatch(torch.view_as_real(expected), torch.view_as_real(got), allowed)
    if not expected.is_floating_point():  # a tie of two scores may fall either way
        share = float((expected != got).double().mean())
        return None if share <= _TIES else f"{share:.0%} of its whole numbers differ"
    broken = ~torch.isfinite(expected)
    if not torch.equal(broken, ~torch.isfinite(got)):
        return "its answers are broken in other places than those of the masked network"
    apart = 0.0 if bool(broken.all()) else difference(expected[~broken], got[~broken])
    if apart < (tolerance(expected.dtype) if allowed is None else allowed):
        return None
    return f"its answers differ by {apart:.0e} from those of the masked network"


def difference(one: Tensor, other: Tensor) -> float:
    """The largest difference of two answers, relative to the largest number in the first."""
    scale = one.abs().max().clamp(min=torch.finfo(one.dtype).tiny)
    return float((one - other).abs().max() / scale)


def tolerance(dtype: torch.dtype) -> float:
    """How far apart two answers may lie that are the same: a few steps of short number formats."""
    return max(TOLERANCE, 4 * torch.finfo(dtype).eps)


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


def proved(model: nn.Module, groups: Groups, example: Inputs) -> Groups:
    """`groups` without those whose trial fails; these are in `fixed`, with the reason.

    Some units of all groups are cut at once from a copy whose weights are shaken, so that no zero
    hides a mistake; where that fails the groups are halved until it is known which of them are to
    blame.
    """
    network, inputs = _shaken(model, example)
    failed: dict[str, str] = {}
    waiting = [list(groups.groups)]
    while waiting:
        names = waiting.pop()
        reason = _known(names, failed) or (_try(network, groups, names, inputs) if names else None)
        if reason is None:
            continue
        if len(names) == 1:
            failed[names[0]] = reason
        else:
            middle = len(names) // 2
            waiting += [names[middle:], names[:middle]]
    rest = [name for name in groups.groups if name not in failed]
    if failed and rest and _try(network, groups, rest, inputs) is not None:
        rest = _together(network, groups, rest, inputs, failed)
    fixed = dict(groups.fixed)
    for name, reason in failed.items():
        fixed |= dict.fromkeys(groups.groups[name].layers, f"its trial cut failed: {reason}")
    return replace(groups, groups={name: groups.groups[name] for name in rest}, fixed=fixed)


def _known(names: Sequence[str], failed: Mapping[str, str]) -> str | None:
    """Why a group need not be tried any more: those of the same name in other blocks all failed."""
    if len(names) != 1:
        return None
    same = [name for name in failed if _BLOCK.sub("", name) == _BLOCK.sub("", names[0])]
    return f"as in {same[0]!r}: {failed[same[0]]}" if len(same) >= _ENOUGH else None


def _together(
    network: nn.Module,
    groups: Groups,
    names: Sequence[str],
    inputs: Inputs,
    failed: dict[str, str],
) -> list[str]:
    """Groups that hold together, taken in their order; each that spoils the rest is left out."""
    held: list[str] = []
    for name in names:
        reason = _try(network, groups, [*held, name], inputs)
        if reason is None:
            held.append(name)
        else:
            failed[name] = f"together with others {reason}"
    return held


def _try(network: nn.Module, groups: Groups, names: Sequence[str], inputs: Inputs) -> str | None:
    """Why a trial cut of these groups is no proof, or None where it is."""
    kept = {name: _some(groups.groups[name].units) for name in names}
    with torch.inference_mode():
        try:  # the quicker half first: where it fails no more needs to be done
            got = call_all(remove(network, groups, kept), inputs)
        except Exception as error:  # the network's own code meets sizes that it never saw
            return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        masks = parameter_masks(network, groups, kept)
        expected = call_all(replica(network), inputs, masked(state(network), masks))
    return mismatch(expected, got, TOLERANCE)


def _some(units: int) -> Tensor:
    """Some units go, spread over all of them, at least one; at least one stays."""
    count = min(max(1, round(_SHARE * units)), units - 1)
    gone = torch.linspace(0, units - 1, count + 2).round().long()[1:-1] if count > 1 else [0]
    kept = torch.ones(units, dtype=torch.bool)
    kept[gone] = False
    return kept


def _shaken(model: nn.Module, example: Inputs) -> tuple[nn.Module, Inputs]:
    """A copy with noise on every weight, in double precision where the network bears it."""
    try:
        network = _noisy(model).double()
        with torch.inference_mode():
            inputs = fitting(network, example)
            if bool(torch.isfinite(call(network, inputs)).all()):
                return network, inputs
    except (RuntimeError, ValueError, TypeError):
        pass
    network = _noisy(model)
    return network, fitting(network, example)


def _noisy(model: nn.Module) -> nn.Module:
    network = copy.deepcopy(model).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.is_floating_point():
                noise = torch.randn(parameter.shape, generator=generator) * _NOISE
                spread = float(parameter.std()) if parameter.numel() > 1 else 0.0
                parameter.add_((noise * max(spread, 0.1)).to(parameter))
    return network
