"""Do wrapped and parametrised networks come out with plain weights and the same answers?"""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune, spectral_norm, weight_norm

import pruneviz as pv
from pruneviz.network.replica import fingerprint
from pruneviz.sources.networks.unwrapped import unwrap

INPUTS = torch.randn(5, 6)


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)).eval()


def parametrised(model: nn.Sequential) -> None:
    parametrizations.weight_norm(model[0])


def orthogonal(model: nn.Sequential) -> None:
    parametrizations.orthogonal(model[0])


def masked(model: nn.Sequential) -> None:
    prune.l1_unstructured(model[0], "weight", 0.5)
    model(INPUTS)


def normalised(model: nn.Sequential) -> None:
    weight_norm(model[0])
    model(INPUTS)


def spectral(model: nn.Sequential) -> None:
    spectral_norm(model[0])
    model(INPUTS)


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
@pytest.mark.parametrize("way", [parametrised, orthogonal, masked, normalised, spectral])
def test_computed_weights_become_plain_in_a_copy(way) -> None:  # type: ignore[no-untyped-def]
    model = network()
    way(model)
    model.eval()
    keys, before = set(model.state_dict()), fingerprint(model)
    expected = model(INPUTS)
    plain, notes = unwrap(model)
    torch.testing.assert_close(plain(INPUTS), expected)
    assert set(plain.state_dict()) == set(network().state_dict())
    assert "weights of 0 are computed from others" in notes[0]
    assert set(model.state_dict()) == keys
    assert fingerprint(model) == before
    bench = pv.open(model, (INPUTS, torch.tensor([0, 1, 2, 0, 1])))
    pruned = bench.prune(pv.Plan(sparsity={"0": 0.5}))
    assert int((pruned.model[0].weight == 0).sum()) >= 24


def test_a_plain_network_comes_back_itself() -> None:
    model = network()
    assert unwrap(model) == (model, ())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_wrappers_are_taken_off_and_said() -> None:
    model = network()
    assert unwrap(nn.DataParallel(model))[0] is model
    inner, notes = unwrap(torch.compile(nn.DataParallel(model)))  # type: ignore[arg-type]
    assert inner is model
    assert [note.split()[3] for note in notes] == ["torch.compile", "DataParallel"]
