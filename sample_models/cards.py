"""What does a sample network's card say, measured on samples it has never seen?"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import asdict

import torch
from torch import nn

from pruneviz.data import Outcome
from pruneviz.measuring.counts import macs_of_network
from pruneviz.measuring.evaluate import Evaluation, summarise
from pruneviz.tasks import Task
from sample_models.fit import Recipe
from sample_models.material import Material
from sample_models.writer import WriterRecipe


def card(
    name: str,
    model: nn.Module,
    outcome: Outcome,
    material: Material,
    task: Task,
    recipe: Recipe | WriterRecipe,
    seed: int,
) -> dict[str, object]:
    """All that is known of a trained network; accuracy with its 95 % interval, as fractions.

    outcome: what the model answered on the validation samples. MACs are for one sample, parameters
    are counted. Of a language model also what beside its score is measured, and each skill.
    """
    data = material.validation
    result = summarise(outcome, outcome, data.targets, material.classes, len(data), task)
    return {
        "name": name,
        "description": (inspect.getdoc(type(model)) or name).splitlines()[0],
        "parameters": sum(p.numel() for p in model.parameters()),
        "macs": macs_of_network(model, data),
        "accuracy": result.accuracy,
        "low": result.low,
        "high": result.high,
        "n": result.n,
        "loss": result.loss,
        **(_of_skills(result) if task.name == "skills" else {}),
        "seed": seed,
        "recipe": {"optimiser": "AdamW", "schedule": "one-cycle", **asdict(recipe)},
        "torch": str(torch.__version__),
    }


def _of_skills(result: Evaluation) -> dict[str, object]:
    beside = {
        name: {"value": result.measures[name], "low": low, "high": high}
        for name, (low, high) in result.intervals.items()
    }
    skills = {name: asdict(level) for name, level in result.by_class.levels.items()}
    return {"beside": beside, "skills": skills}


def summary(card: Mapping[str, object]) -> str:
    """One line of a card, for the terminal."""
    return (
        f"{card['name']}: {card['accuracy']:.2%} right "
        f"(95 % interval {card['low']:.2%} to {card['high']:.2%}, n = {card['n']}), "
        f"{card['parameters']:,} parameters, {card['macs']:,} MACs"
    )
