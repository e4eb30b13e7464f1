"""How do visits stand in a table, and how does one of them come back?"""

from __future__ import annotations

import json
from functools import lru_cache

import pandas as pd
import streamlit as st

from pruneviz.history import ModelVersion
from pruneviz.plan import Plan
from pruneviz.pruning.labels import label
from pruneviz.pruning.prune import check
from pruneviz.ui.session import Session, arrive, networks, versions
from pruneviz.ui.workbench.live import reach

_HERE, _THERE = "●", "○"


@lru_cache(maxsize=5_000)
def words_of(plan: str) -> str:
    """A plan as the history holds it, in a few words."""
    try:
        return label(Plan.from_dict(json.loads(plan)))
    except (ValueError, TypeError, RecursionError):
        return "a plan that cannot be read"
    except KeyError as error:  # somebody's own criterion, which is not there today
        return f"a plan by {error.args[0]!r}"


def name_of(row: pd.Series) -> str:
    """The plan of a visit in a few words: dense is the network as it was first opened, and what
    training, or another tool, made of it, with nothing more cut, is called by its own name.
    """
    words = words_of(row["plan"])
    origin = versions.origin_of(row["model"]) if words == label(Plan()) else ""
    if origin:
        return f"{row['model']} {origin}"
    return words


def table(tree: pd.DataFrame, here: int | None) -> pd.DataFrame:
    """The tree as people read it, one row a visit; here: the one on the screen."""
    marks = [_HERE if number == here else _THERE for number in tree["id"]]
    skipped = [f"⋮{hidden} " if hidden else "" for hidden in tree["hidden"]]
    words = [name_of(row) for _, row in tree.iterrows()]
    share = 100 * tree["params_kept"] / tree["params"]
    when = pd.to_datetime(tree["last"], unit="s", utc=True).dt.tz_convert(_zone())
    return pd.DataFrame(
        {
            "plan": [
                f"{line}{mark} {skip}{text}"
                for line, mark, skip, text in zip(tree["line"], marks, skipped, words, strict=True)
            ],
            "branch": tree["branch"],
            "score": _points(tree["accuracy"]),
            "95 %": [
                "" if pd.isna(low) else f"{100 * low:.1f} – {100 * high:.1f}"
                for low, high in zip(tree["low"], tree["high"], strict=True)
            ],
            "change": _points(tree["delta"]),
            "kept": share,
            "n": tree["n"],
            "visits": tree["times"],
            "last": when,
            "note": tree["note"],
            "network": tree["model"],
            "number": tree["id"],
        }
    )


def _points(shares: pd.Series) -> list[float]:
    """In points, as Python writes them elsewhere: a browser rounds what lies half way up."""
    return [round(100 * share, 1) for share in shares]


def title(row: pd.Series) -> str:
    """A visit in a line of a list."""
    score = "" if pd.isna(row["accuracy"]) else f" · {100 * row['accuracy']:.1f} %"
    name = f" · “{row['name']}”" if row["name"] else ""
    return f"{row['id']} · {name_of(row)}{score}{name}"


def version_of(row: pd.Series) -> ModelVersion:
    """The model that a visit was made with."""
    return ModelVersion(row["model"], row["weights"], row["data"])


def refusal(session: Session, made_for: ModelVersion) -> str | None:
    """Why a plan of the history is not for the network of this session, or None."""
    bench = session.bench
    if bench.fingerprint != made_for.weights:
        return (
            f"This plan was made for the weights {made_for.weights} of {made_for.name!r}; open is "
            f"{session.name!r} with {bench.fingerprint}"
        )
    if bench.data_fingerprint != made_for.data:
        return (
            f"This plan was measured on other data ({made_for.data}; open is "
            f"{bench.data_fingerprint}). Open {made_for.name!r} with the data it had"
        )
    return None


def restore(session: Session, made_for: ModelVersion, plan: Plan) -> Session:
    """Make a plan of the history the next step; where another network is open, its own is opened.

    ValueError says why it cannot be.
    """
    if session.name != made_for.name:
        versions.open_named(made_for.name)
        session = networks.begin(made_for.name)
    reason = refusal(session, made_for)
    if reason is not None:
        raise ValueError(reason)
    check(plan, session.bench.layer_of)
    reach(session, plan, lambda: plan, lambda session: arrive(session, plan))
    return session


def _zone() -> str:
    return st.context.timezone or "UTC"
