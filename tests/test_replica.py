"""Does one network serve many at once without ever being written to?"""

from __future__ import annotations

import copy

import torch
from torch import nn

from pruneviz.network.replica import apply_masks, fingerprint, replica, state
from pruneviz.workbench import Workbench


def small() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def test_a_replica_shares_every_parameter_but_no_buffer_or_module(bench: Workbench) -> None:
    model = bench.source.model
    copied = replica(model)
    ours, theirs = state(model), state(copied)
    assert ours.keys() == theirs.keys()
    for name in ours:
        shared = ours[name].data_ptr() == theirs[name].data_ptr()
        assert shared == (name in dict(model.named_parameters())), name
        assert torch.equal(ours[name], theirs[name])
    assert not {id(m) for m in model.modules()} & {id(m) for m in copied.modules()}


def test_a_replica_is_in_eval_mode_and_leaves_the_original_in_its_own() -> None:
    model = small().train()
    assert not any(m.training for m in replica(model).modules())
    assert all(m.training for m in model.modules())


def test_swapping_parameters_in_a_replica_does_not_touch_the_original() -> None:
    model = small().eval()
    before = fingerprint(model)
    x = torch.ones(2, 3)
    zeros = {name: torch.zeros_like(p) for name, p in model.named_parameters()}
    answered = torch.func.functional_call(replica(model), zeros, (x,))
    assert not answered.any()
    assert model(x).any()
    assert fingerprint(model) == before


def test_the_state_has_buffers_and_tied_weights_under_each_name() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Linear(3, 3))
    model[2].weight = model[0].weight
    tensors = state(model)
    assert tensors.keys() == model.state_dict().keys()
    assert tensors["0.weight"].data_ptr() == tensors["2.weight"].data_ptr()
    assert not any(t.requires_grad for t in tensors.values())


def test_only_what_a_mask_changes_is_multiplied() -> None:
    weights = {"a": torch.tensor([1.0, 2.0, 3.0]), "b": torch.tensor([4.0]), "c": torch.ones(1)}
    masks = {"a": torch.tensor([True, False, True]), "b": torch.tensor([True])}
    found = apply_masks(weights, masks)
    assert found.keys() == {"a"}
    assert found["a"].tolist() == [1, 0, 3]
    assert weights["a"].tolist() == [1, 2, 3]


def test_the_fingerprint_sees_every_bit() -> None:
    model = small()
    before = fingerprint(model)
    assert len(before) == 12
    assert fingerprint(copy.deepcopy(model)) == before
    for name, tensor in state(model).items():
        changed = copy.deepcopy(model)
        with torch.no_grad():
            value = state(changed)[name].reshape(-1)
            bits = value.view(torch.int32 if tensor.element_size() == 4 else torch.int64)
            bits[-1] ^= 1
        assert fingerprint(changed) != before, name


def test_the_fingerprint_sees_names_and_takes_any_dtype_and_layout() -> None:
    one, other = nn.Module(), nn.Module()
    one.a, other.b = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    assert fingerprint(one) != fingerprint(other)
    strided = nn.Linear(3, 4)
    strided.weight = nn.Parameter(strided.weight.detach().t().contiguous().t())
    plain = copy.deepcopy(strided)
    plain.weight = nn.Parameter(strided.weight.detach().contiguous())
    assert fingerprint(strided) == fingerprint(plain)
    assert len(fingerprint(nn.Linear(3, 4).bfloat16())) == 12
