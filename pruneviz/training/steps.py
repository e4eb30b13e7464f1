"""How is a training written down in plain values?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pruneviz.network.replica import fingerprint
from pruneviz.plan import Plan
from pruneviz.sources import Provenance, Source
from pruneviz.training.settings import Training


@dataclass(frozen=True)
class TrainingStep:
    """One training: what it cuts, and how it trains."""

    plan: Plan
    training: Training

    @property
    def cuts(self) -> bool:
        """Whether anything is cut by it."""
        return self.training.method != "dense" and not self.plan.is_dense

    def as_dict(self) -> dict[str, object]:
        """Plain values; the plan beside the settings."""
        return {"plan": self.plan.as_dict(), **self.training.as_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, object], plan: Plan) -> TrainingStep:
        """The step that plain values describe; plan: where they have none of their own.

        ValueError names what does not belong.
        """
        rest = dict(values)
        own = rest.pop("plan", None)
        own_plan = Plan.from_dict(own) if isinstance(own, Mapping) else plan
        return cls(own_plan, Training.from_dict(rest))


def past_of(origin: Source, step: TrainingStep, plan: Plan, params: int) -> Provenance:
    """The past of what came of a training that began at `origin`; plan, params: as there."""
    before = origin.past
    if before is None:
        weights = fingerprint(origin.model)
        before = Provenance(origin.name, weights, origin.opened, origin.unnamed, ())
    return replace(before, steps=(*before.steps, step.as_dict()), plan=plan, params=params)


def steps_of_past(past: Provenance | None) -> tuple[TrainingStep, ...]:
    """The steps of a past; none where there is none."""
    return () if past is None else tuple(TrainingStep.from_dict(one, Plan()) for one in past.steps)
