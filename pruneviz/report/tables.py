"""Which tables stand in a report?"""

from __future__ import annotations

import pandas as pd

from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan
from pruneviz.recipes import Recipe
from pruneviz.scale import SHARE, Scale
from pruneviz.sensitivity.curves import Curves
from pruneviz.workbench import Workbench

_CURVES = 36


def layers(bench: Workbench, plan: Plan) -> pd.DataFrame:
    """What was asked of each layer and what it got."""
    pruned, table = bench.masks(plan).report, bench.layers.set_index("layer")
    frame = pd.DataFrame(
        {
            "layer": pruned["layer"],
            "kind": [table["kind"][name] for name in pruned["layer"]],
            "shape": [" × ".join(map(str, table["shape"][name])) for name in pruned["layer"]],
            "asked": [f"{100 * level:.1f} %" for level in pruned["asked"]],
            "cut": [f"{100 * got:.1f} %" for got in pruned["got"]],
            "kept": pruned["kept"].astype(int),
            "of": pruned["total"].astype(int),
            "goes with": [
                lead if lead != name else ""
                for name, lead in zip(pruned["layer"], table["group"][pruned["layer"]], strict=True)
            ],
            "what is wrong": pruned["collapse"],
        }
    )
    spare = [name for name in ("goes with", "what is wrong") if not frame[name].any()]
    return frame.drop(columns=spare)


def readable(visits: pd.DataFrame, word: str, scale: Scale = SHARE) -> pd.DataFrame:
    """Plans with what was measured of them, as people read it; word, scale: of the score."""

    def figure(value: float) -> str:
        return f"{scale.factor * value:.{2 if scale.share else 4}f}"

    table = pd.DataFrame(
        {
            "plan": visits["label"],
            "parameters": visits["params"],
            scale.axis(word): [figure(value) for value in visits["accuracy"]],
            "95 %": [
                f"{figure(low)} … {figure(high)}"
                for low, high in zip(visits["low"], visits["high"], strict=True)
            ],
            "loss": visits["loss"],
            "samples": visits["n"],
        }
    )
    return table.assign(note=visits["note"]) if visits["note"].any() else table


def change_by_class(result: Evaluation) -> pd.DataFrame:
    """Per cent right of each class, and the change in points with its 95 % interval."""
    rows, changes = [], result.by_class.changes
    for name, now in result.per_class.items():
        was = result.dense_per_class[name]
        shares = (f"{100 * was:.1f}", f"{100 * now:.1f}", f"{100 * (now - was):+.1f}")
        sure = changes.get(name)
        span = "" if sure is None else f"{100 * sure.low:+.1f} … {100 * sure.high:+.1f}"
        rows.append((name, *("" if was != was else share for share in shares), span))
    columns = [result.by_class.word, "dense, %", "pruned, %", "change, points", "95 %"]
    return pd.DataFrame(rows, columns=columns)


def count_table(bench: Workbench, plan: Plan) -> pd.DataFrame:
    """What is left, counted and not timed."""
    counts = bench.counts(plan)
    rows = [
        ("parameters", counts.params, counts.params_kept),
        ("parameters after removal", counts.params, counts.params_shrunk),
        ("MACs, ideal sparse engine", _number_text(counts.macs), _number_text(counts.macs_kept)),
        ("bytes, kept ones with one bit a weight (≈)", counts.bytes_dense, counts.bytes_sparse),
    ]
    return pd.DataFrame(rows, columns=["quantity", "dense", "pruned"])


def _number_text(number: int | None) -> int | str:
    return "unknown" if number is None else number


def charted_curves(curves: Curves) -> tuple[pd.DataFrame, dict[str, str]]:
    """The curves as `figures.curves_apart` takes them, a bounded number of them."""
    frame = curves.table
    names = [curve.slider.name for curve in curves.curves]
    if len(names) > _CURVES:
        first = {curve.slider.name for curve in curves.ranked()[:_CURVES]}
        names = [name for name in names if name in first]
    frame = frame[frame["layer"].isin(names)]
    return frame, {name: curves.words_of(name) for name in names}


def short(recipe: Recipe) -> str:
    """What nobody else can name, in a sentence; nothing where all has a name."""
    if not recipe.in_hand:
        return ""
    return f"In hand in Python, so without a name: {', '.join(recipe.in_hand)}."
