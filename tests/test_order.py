"""Does the order of layers never contradict their curves, whatever the network?"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import nn

from pruneviz.data import Data
from pruneviz.plan import Plan
from pruneviz.sensitivity.curves import LOSE, Curves
from pruneviz.sensitivity.scan import scan
from pruneviz.sources import Source
from pruneviz.storage.measurement_store import MeasurementStore
from pruneviz.workbench import Workbench
from tests.cases import slow_but
from tests.conftest import NETWORKS

LEVELS = (0.1, 0.5, 0.9)


def check_order(found: Curves, lose: float) -> None:
    """Who surely loses at a level up to which another surely does not stands before it."""
    order = found.ranked(lose)
    assert set(order) == {curve for curve in found.curves if curve.points}
    for place, first in enumerate(order):
        assert found.words_of(first.slider.name, lose) != "most sensitive" or (
            place == 0 and first.loses(lose) is not None
        )
        for second in order[place + 1 :]:
            lost = [p.sparsity for p in second.points if p.sure_high < -lose]
            assert not lost or lost[0] > (first.robust(lose) or 0), (first, second)
            assert (first.loses(lose) or 2.0) <= (second.loses(lose) or 2.0)


def check_network(bench: Workbench) -> None:
    """The law over a cheap scan of single weights, at several losses."""
    found = scan(bench, Plan(), MeasurementStore(None), LEVELS)
    assert found.ranked()
    for lose in (LOSE, 0.05, 0.3):
        check_order(found, lose)


@pytest.mark.parametrize("name", slow_but(lambda name: "lenet" in name, NETWORKS))
def test_the_order_never_contradicts_the_curves_of_a_sample(
    benches: Callable[[str], Workbench], name: str
) -> None:
    check_network(benches(name))


# One of each kind of score: shares of classes, of positions, values, closeness.
@pytest.mark.parametrize(
    "name",
    slow_but(
        lambda name: name in ("1-D audio CNN", "LSTM classifier"),
        ("1-D audio CNN", "LSTM classifier", "GPT-2", "MLP regressor", "Detector, two scales"),
    ),
)
def test_the_order_never_contradicts_the_curves_of_the_zoo(
    benches: Callable[[str], Workbench], name: str
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_network(benches(name))


@pytest.mark.parametrize("seed", slow_but(lambda seed: seed in (0, 1, 3), range(6)))
def test_the_order_never_contradicts_the_curves_of_random_networks(seed: int) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        widths = torch.randint(3, 20, (4,)).tolist()
        parts = [nn.Sequential(nn.Linear(a, b), nn.ReLU()) for a, b in pairwise(widths)]
        model = nn.Sequential(*parts, nn.Linear(widths[-1], 3))
        inputs = torch.randn(600, widths[0])
        with torch.no_grad():
            data = Data(inputs, model(inputs).argmax(1))
    check_network(Workbench(Source("random", model.eval(), data, data, ("a", "b", "c"))))
