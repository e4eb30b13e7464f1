"""What has one reader tried for a goal?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pruneviz.lessons.goal import PASSED, GoalVerdict
from pruneviz.plan import Plan

_LONGEST = 1_000_000
_MOST = 5000  # attempts that are told apart


@dataclass(frozen=True)
class GoalRecord:
    """attempts: what tells their plans apart, in order. best: the verdict of the best one, as
    plain values, with its plan; {} before any.
    """

    attempts: tuple[str, ...] = ()
    best: Mapping[str, Any] = field(default_factory=dict)

    def place(self, plan: Plan) -> int:
        """The how-manieth attempt a plan is, or would be; from 1."""
        name = _name(plan)
        return self.attempts.index(name) + 1 if name in self.attempts else len(self.attempts) + 1

    def attempt(self, plan: Plan, verdict: GoalVerdict) -> GoalRecord:
        """With a plan that was judged; one that was tried before is no new attempt."""
        name, best = _name(plan), self.best
        if name in self.attempts or len(self.attempts) >= _MOST:
            return self
        if not best or verdict.rank > tuple(best["rank"]):
            best = {
                "rank": list(verdict.rank),
                "word": verdict.word,
                "accuracy": verdict.accuracy,
                "kept": verdict.kept,
                "plan": plan.as_dict(),
            }
        return replace(self, attempts=(*self.attempts, name), best=best)

    @property
    def passed(self) -> bool:
        """Whether an attempt has reached the goal for sure."""
        return bool(self.best) and self.best["word"] == PASSED

    def as_text(self) -> str:
        """As it is kept."""
        return json.dumps({"attempts": self.attempts, "best": dict(self.best)})

    @classmethod
    def from_text(cls, text: str | None) -> GoalRecord:
        """What was kept; a new one where it cannot be read."""
        try:
            values = json.loads(text or "{}") if len(text or "") <= _LONGEST else {}
            best = dict(values.get("best", {}))
            if best:
                Plan.from_dict(best["plan"])
                best = best | {"rank": [float(x) for x in best["rank"]]}
                _ = str(best["word"]), float(best["accuracy"]), float(best["kept"])
            return cls(tuple(str(name) for name in values.get("attempts", ())), best)
        except (ValueError, TypeError, AttributeError, KeyError):
            return cls()


def _name(plan: Plan) -> str:
    text = json.dumps(plan.as_dict(), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
