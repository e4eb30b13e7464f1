"""What does it take to do a session again?"""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version

from pruneviz.measuring.bench import Bench
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.measuring.ledger import Cost, Footprint
from pruneviz.plan import Plan
from pruneviz.sources import Provenance
from pruneviz.sources.open_request import OpenRequest
from pruneviz.training.steps import TrainingStep, steps_of_past

Place = tuple[str | int, ...]
COUNTS = ("params", "params_kept", "params_shrunk", "macs", "macs_kept")


@dataclass(frozen=True)
class RecipeResult:
    """What was measured, on the first n validation samples; numbers as in `Evaluation`.

    None for what could not be measured.
    """

    measure: str
    n: int
    accuracy: float | None
    low: float | None = None
    high: float | None = None
    loss: float | None = None
    delta: float | None = None
    delta_low: float | None = None
    delta_high: float | None = None


@dataclass(frozen=True)
class Recipe:
    """A plan, with what it was made for and what came of it; all but the plan may be missing.

    opening: what to open. name: of the network. in_hand: which of "model", "data", "metric" and
    "train" were things of Python that nobody else can name. weights, data: fingerprints. masks:
    their checksum. counts: of COUNTS.
    cost: network (dense, masked, shrunk, onnx) -> quantity -> number.
    made: the versions it was made with. training: steps before the plan is cut; each trains what
    came of the one before.
    lines: where each key stands in the file that it was read from; file: what that is called.
    """

    plan: Plan
    opening: OpenRequest | None = None
    name: str = ""
    in_hand: tuple[str, ...] = ()
    weights: str | None = None
    data: str | None = None
    masks: str | None = None
    expected: RecipeResult | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    cost: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    made: Mapping[str, str] = field(default_factory=dict)
    training: tuple[TrainingStep, ...] = ()
    lines: Mapping[Place, int] = field(default_factory=dict, compare=False, repr=False)
    file: str = field(default="recipe", compare=False, repr=False)

    def at(self, *place: str | int) -> str:
        """Where a key stands, as an error begins: "recipe.yaml, line 7: plan.seed"."""
        return place_text(self.file, self.lines, place)


def place_text(file: str, lines: Mapping[Place, int], place: Place) -> str:
    """A file, the line of a key in it (of what holds it, where it has none itself), the key."""
    near = next((lines[place[:n]] for n in range(len(place), -1, -1) if place[:n] in lines), None)
    line = "" if near is None else f", line {near}"
    return f"{file}{line}{': ' if place else ''}{'.'.join(map(str, place))}"


def recipe_of(
    bench: Bench, plan: Plan, result: Evaluation | None = None, cost: Cost | None = None
) -> Recipe:
    """The recipe of `plan` at `bench`, with what was measured of it so far.

    Of a network that was trained here it begins at the one that was opened.
    """
    source, counts = bench.source, bench.counts(plan)
    began = source.past or Provenance(
        source.name, bench.fingerprint, source.opened, source.unnamed, steps=()
    )
    return Recipe(
        plan=plan,
        opening=None if began.opened == OpenRequest("") else began.opened,
        name=began.name,
        in_hand=began.unnamed,
        weights=began.weights,
        data=bench.data_fingerprint,
        masks=bench.masks(plan).checksum,
        expected=None if result is None else _result_of(result),
        counts={n: k for n in COUNTS if (k := getattr(counts, n)) is not None},
        cost={} if cost is None else _costs(cost),
        made=versions(),
        training=steps_of_past(began),
    )


def versions() -> dict[str, str]:
    """What numbers depend on besides the recipe."""
    names = {name: version(name) for name in ("pruneviz", "torch")}
    return names | {"python": platform.python_version()}


def _result_of(result: Evaluation) -> RecipeResult:
    names = ("accuracy", "low", "high", "loss", "delta", "delta_low", "delta_high")
    numbers = {name: _number(getattr(result, name)) for name in names}
    return RecipeResult(measure=result.task.label, n=result.n, **numbers)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _costs(cost: Cost) -> dict[str, dict[str, float]]:
    networks = {"dense": cost.dense, "masked": cost.masked, "shrunk": cost.shrunk}
    costs = {name: _footprint(spent) for name, spent in networks.items() if spent is not None}
    costs["masked"]["bitmask"] = cost.bitmask.bytes
    if cost.onnx is not None:
        costs["onnx"] = {"file": cost.onnx.file, "milliseconds": 1000 * cost.onnx.latency.median}
    return costs


def _footprint(spent: Footprint) -> dict[str, float]:
    names = ("params", "zeros", "macs", "file", "zipped", "memory")
    every = {name: getattr(spent, name) for name in names}
    numbers: dict[str, float] = {n: number for n, number in every.items() if number is not None}
    return numbers | {"milliseconds": 1000 * spent.latency.median}
