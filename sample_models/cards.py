"""What does a sample network's card say, measured on digits it has never seen?"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import asdict

import torch
from torch import nn

from pruneviz.data import Data, Outcome
from pruneviz.measuring.counts import macs_of_network
from pruneviz.measuring.intervals import wilson
from sample_models.fit import Recipe


def card(
    name: str, model: nn.Module, outcome: Outcome, data: Data, recipe: Recipe, seed: int
) -> dict[str, object]:
    """All that is known of a trained network; accuracy with its 95 % interval, as fractions.

    outcome: what the model answered on data. MACs are for one sample, parameters are counted.
    """
    assert data.targets is not None
    hits, n = int((outcome.predicted == data.targets).sum()), len(data)
    low, high = wilson(hits, n)
    return {
        "name": name,
        "description": (inspect.getdoc(type(model)) or name).splitlines()[0],
        "parameters": sum(p.numel() for p in model.parameters()),
        "macs": macs_of_network(model, data),
        "accuracy": hits / n,
        "low": low,
        "high": high,
        "n": n,
        "loss": outcome.loss.mean().item(),
        "seed": seed,
        "recipe": {"optimiser": "AdamW", "schedule": "one-cycle", **asdict(recipe)},
        "torch": str(torch.__version__),
    }


def summary(card: Mapping[str, object]) -> str:
    """One line of a card, for the terminal."""
    return (
        f"{card['name']}: {card['accuracy']:.2%} right "
        f"(95 % interval {card['low']:.2%} to {card['high']:.2%}, n = {card['n']}), "
        f"{card['parameters']:,} parameters, {card['macs']:,} MACs"
    )
