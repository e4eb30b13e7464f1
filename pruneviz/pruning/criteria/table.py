"""Which criteria are there, and what does each one need?"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from pruneviz.plan import WIDTHS
from pruneviz.pruning.evidence import TOLD, Evidence

Score = Callable[[Evidence], Tensor]

WEIGHT, PATTERN, NEURON, BLOCK = "weight", "N:M", "neuron", "block"
EVERYWHERE = (WEIGHT, PATTERN, NEURON)


@dataclass(frozen=True)
class Criterion:
    """One way to say how important a weight or a unit is; higher = keep.

    score: Evidence -> scores shaped like the weight, or [units] for criteria of units only.
    unit: Evidence -> [units], where a unit's score is not the sum of its weights' scores. joint:
    whether it looks at what is known of whole units: `contribution`, which of a unit of several
    rows is summed before, `written` or `read`.
    needs: fields of Evidence it looks at beyond the weight. granularities: "weight", "N:M",
    "neuron", "block".

    >>> pv.CRITERIA["magnitude"].granularities
    ('weight', 'N:M', 'neuron', 'block')
    """

    name: str
    label: str
    score: Score
    needs: tuple[str, ...]
    granularities: tuple[str, ...]
    formula: str
    symbols: str
    source: str
    unit: Score | None = None
    joint: bool = False

    @property
    def meaning(self) -> str:
        """The docstring of the score function: what it means in plain words."""
        return inspect.getdoc(self.score) or ""

    @property
    def needs_gathering(self) -> bool:
        """Whether evidence must be gathered first: more than weights and graph tell."""
        return bool(set(self.needs) - TOLD)

    @property
    def needs_data(self) -> bool:
        """Whether calibration data must have passed through the network."""
        return bool(set(self.needs) - TOLD - {"flow"})

    def allows(self, granularity: str) -> bool:
        """Whether it is defined for "weight", "neuron" (and so "head"), "block" or an "N:M"."""
        kind = NEURON if granularity in WIDTHS else PATTERN if ":" in granularity else granularity
        return kind in self.granularities


CRITERIA: dict[str, Criterion] = {}


def criterion(
    name: str,
    label: str,
    *,
    formula: str,
    symbols: str,
    source: str,
    needs: tuple[str, ...] = (),
    granularities: tuple[str, ...] = EVERYWHERE,
    unit: Score | None = None,
    joint: bool = False,
) -> Callable[[Score], Score]:
    """Enter the decorated score function into CRITERIA; its docstring is shown to users.

    >>> @pv.criterion("cubes", "Cubes", formula="s = |w|³", symbols="w: a weight", source="own")
    ... def cubes(evidence):
    ...     "The size of a weight, cubed."
    ...     return evidence.weight.abs() ** 3
    >>> pv.CRITERIA.pop("cubes").label
    'Cubes'
    """

    def enter(score: Score) -> Score:
        if name in CRITERIA:
            raise ValueError(f"criterion {name!r} is in the table already")
        CRITERIA[name] = Criterion(
            name, label, score, needs, granularities, formula, symbols, source, unit, joint
        )
        return score

    return enter


def find_criterion(name: str, granularity: str) -> Criterion:
    """The criterion of this name; ValueError if it is unknown or undefined for the granularity."""
    result = CRITERIA.get(name)
    if result is None:
        raise ValueError(f"unknown criterion {name!r}; known are {', '.join(CRITERIA)}")
    if not result.allows(granularity):
        raise ValueError(
            f"criterion {name!r} is not defined for granularity {granularity!r}, only for "
            f"{', '.join(result.granularities)}; choose one of these"
        )
    return result


def has_own_criteria() -> bool:
    """Whether somebody has entered a criterion of their own, which may change under its name."""
    return any(not c.score.__module__.startswith("pruneviz.") for c in CRITERIA.values())
