"""What does a lesson know of what a reader has on the screen?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pruneviz.allocation.devices import KIB, needs
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.measuring.ledger import Cost
from pruneviz.plan import Plan
from pruneviz.training import Trained
from pruneviz.workbench import Workbench

# Name -> what it says of the plan that was settled on.
NAMES = {
    "network": "the name of the network in the list",
    "criterion": "its criterion, such as 'random'",
    "granularity": "what is cut: 'weight', 'neuron', 'head', 'block' or N:M",
    "scope": "where importances compete: 'layer', 'global' or 'alike'",
    "relative": "whether scores are relative to their layer",
    "least": "the least sparsity that is asked of a layer that may be pruned, 0 to 1",
    "most": "the greatest sparsity that is asked of any layer, 0 to 1",
    "sparsity": "a function: the sparsity asked of a layer, as sparsity('fc1')",
    "accuracy": "the accuracy, 0 to 1",
    "low": "the lower end of its interval",
    "high": "the upper end of its interval",
    "delta": "accuracy minus that of the dense network",
    "delta_low": "the lower end of the interval of that change",
    "delta_high": "the upper end of the interval of that change",
    "kept": "the share of all parameters that is kept, 0 to 1",
    "macs": "the share of all multiply-accumulates that an ideal engine would do, 0 to 1",
    "worst": "the class that lost most",
    "worst_delta": "how much that class lost, as a share of its samples",
    "focus": "the layer in focus",
    "tab": "the tab that is open below the board",
    "own": "whether it is a network that the reader brought along",
    "undone": "whether something is undone",
    "repaired": "whether a repair is switched on",
    "repair": "a function: whether a repair is switched on, as repair('recalibrate')",
    "scanned": "whether the page Sensitivity was opened, and has a scan of such plans",
    "most_sensitive": "the layer that such a scan found most sensitive, or ''",
    "ledger": "whether the ledger of this plan was measured",
    "zipped": "from the ledger: the zipped file against the dense file, 0 to 1",
    "file": "from the ledger: the file that ordinary software opens, against the dense one",
    "time": "from the ledger: the time of one batch against the dense network, masked or, of whole "
    "units, shrunk; both by their lower quartiles, which other work on the machine disturbs least",
    "stored": "the share of the parameters that is stored once cut units are taken out, 0 to 1",
    "flash": "KiB of those at 8 bits each",
    "ram": "KiB of the activations at 8 bits each; 0 until the page Small devices measured them",
    "trained": "the method of the last training of this plan on the page Train, or ''",
    "trained_accuracy": "the accuracy that it ended with",
    "train_accuracy": "its accuracy on the samples that it learned from",
    "trained_samples": "how many those were",
    "silent": "how many silent units it cut",
    "new_weights": "of lottery tickets with controls: the accuracy of the same mask on new weights",
    "random_mask": "of lottery tickets with controls: that of a random mask",
}
# What can be guessed.
SHARES = ("accuracy", "kept", "macs", "file", "zipped", "time", "stored", "trained_accuracy")
COUNTS = ("trained_samples", "silent")
SIZES = ("flash", "ram")  # in KiB


@dataclass(frozen=True)
class Elsewhere:
    """What other pages found out of the plan.

    cost: the ledger. trained: the last training. peak: bytes of float32 activations, 0: unknown.
    scanned: whether the curves of the page Sensitivity were looked at.
    """

    cost: Cost | None = None
    trained: Trained | None = None
    peak: int = 0
    scanned: bool = False


def situation(
    bench: Workbench,
    name: str,
    plan: Plan,
    *,
    focus: str = "",
    tab: str = "",
    undone: bool = False,
    own: bool = False,
    elsewhere: Elsewhere | None = None,
) -> dict[str, Any] | None:
    """Every one of NAMES, of a plan that was measured in full; None until it is.

    name: of the network in the list. own: whether the reader brought it along.
    """
    other = Elsewhere() if elsewhere is None else elsewhere
    n = bench.samples_measured(plan)
    if n < len(bench.source.validation):
        return None
    result, counts, dense = bench.evaluate(plan, n), bench.counts(plan), bench.counts(Plan())
    levels = [plan.sparsity.get(each, 0.0) for each in bench.layer_of if each not in bench.locks]
    return {
        "network": name,
        "criterion": plan.criterion,
        "granularity": plan.granularity,
        "scope": plan.scope,
        "relative": plan.relative,
        "least": min(levels, default=0.0),
        "most": max(plan.sparsity.values(), default=0.0),
        "sparsity": _sparsity(bench, plan),
        **{each: getattr(result, each) for each in _MEASURED},
        "kept": counts.params_kept / dense.params_kept,
        "macs": (counts.macs_kept or 0) / (dense.macs_kept or 1),
        **_worst(result),
        "focus": focus,
        "tab": tab,
        "own": own,
        "undone": undone,
        "repaired": bool(plan.repair),
        "repair": lambda name: name in plan.repair,
        **_scan(bench, plan, looked=other.scanned),
        **_ledger(other.cost),
        **_device(counts.params_shrunk, dense.params_shrunk, other.peak),
        **_training_facts(other.trained, plan),
    }


def _scan(bench: Workbench, plan: Plan, *, looked: bool) -> dict[str, object]:
    ranking = bench.studies.known_curves(plan).ranked() if looked else ()
    first = next((curve.slider.name for curve in ranking), "")
    return {"scanned": bool(ranking), "most_sensitive": first}


_MEASURED = ("accuracy", "low", "high", "delta", "delta_low", "delta_high")


def _sparsity(bench: Workbench, plan: Plan) -> Callable[[str], float]:
    def sparsity(layer: str) -> float:
        if layer not in bench.layer_of:
            raise KeyError(f"{bench.name} has no layer {layer!r}")
        return plan.sparsity.get(layer, 0.0)

    return sparsity


def _worst(result: Evaluation) -> dict[str, object]:
    dense: Mapping[str, float] = result.dense_per_class
    change = {each: share - dense[each] for each, share in result.per_class.items()}
    worst = min(change, key=change.__getitem__, default="")
    return {"worst": worst, "worst_delta": change.get(worst, 0.0)}


def _ledger(cost: Cost | None) -> dict[str, object]:
    if cost is None:
        return {"ledger": False, "zipped": 1.0, "file": 1.0, "time": 1.0}
    used = cost.shrunk or cost.masked
    return {
        "ledger": True,
        "zipped": used.zipped / cost.dense.file,
        "file": used.file / cost.dense.file,
        "time": used.latency.low / cost.dense.latency.low,
    }


def _device(params: int, dense: int, peak: int) -> dict[str, object]:
    need = needs(params, peak)
    return {
        "stored": params / dense,
        "flash": need.weights / KIB,
        "ram": need.activations / KIB,
    }


def _training_facts(trained: Trained | None, plan: Plan) -> dict[str, object]:
    if trained is None or trained.asked != plan:
        words: dict[str, object] = dict.fromkeys(_TRAINED, 0.0)
        return words | {"trained": ""}
    table = trained.table
    aside = table["aside"].astype(bool)
    end, controls = table[~aside].iloc[-1], table[aside]
    events = trained.events.to_dict("records")
    silent = sum(int(event["number"]) for event in events if event["kind"] == "silent")
    return {
        "trained": trained.training.method,
        "trained_accuracy": float(end["accuracy"]),
        "train_accuracy": float(end["train_accuracy"]),
        "trained_samples": trained.training.samples or 0,
        "silent": silent,
        "new_weights": _last(controls, "new weights"),
        "random_mask": _last(controls, "random mask"),
    }


_TRAINED = (
    "trained_accuracy",
    "train_accuracy",
    "trained_samples",
    "silent",
    "new_weights",
    "random_mask",
)


def _last(controls: pd.DataFrame, leg: str) -> float:
    rows = controls[controls["leg"].astype(str).str.startswith(leg)]
    return float(rows["accuracy"].iloc[-1]) if len(rows) else 0.0
