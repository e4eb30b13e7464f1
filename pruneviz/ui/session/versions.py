"""Which versions of a network has this session made, and how do they compare?"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from pruneviz.measuring.evaluate import change
from pruneviz.plan import Plan
from pruneviz.tasks import Task
from pruneviz.ui.session import networks
from pruneviz.workbench import Workbench

_KEY, _BOUND = "versions", 24


@dataclass(frozen=True)
class Version:
    """One of a line of networks. parent: the name of the one it was made from, or "".

    plan: under which it is compared; how: it was made; params: that are left under the plan;
    seconds: an epoch of its training took at the end.
    """

    name: str
    parent: str
    bench: Workbench
    plan: Plan
    how: str
    params: int
    seconds: float | None = None


def first_of(name: str, bench: Workbench) -> Version:
    """A network as it was opened."""
    return Version(name, "", bench, Plan(), "as it was opened", bench.counts(Plan()).params)


def add(version: Version) -> None:
    """Keep a version in this session."""
    versions = _versions()
    versions[version.name] = version
    while len(versions) > _BOUND:
        del versions[next(iter(versions))]


def version_of(name: str) -> Version | None:
    """The version of this name."""
    return _versions().get(name)


def next_name(name: str) -> str:
    """What the next version made from `name` is called; short: a list of networks is narrow."""
    root, names, number = _root(name), _versions(), 1
    while f"{root} · v{number}" in names:
        number += 1
    return f"{root} · v{number}"


def family(name: str) -> list[Version]:
    """All that go back to the same network as `name`, in the order they were made."""
    root = _root(name)
    return [version for version in _versions().values() if _root(version.name) == root]


def table(versions: list[Version]) -> pd.DataFrame:
    """One row a version; changes are paired, on the same validation samples, from the first."""
    first = versions[0]
    results = [version.bench.evaluate(version.plan) for version in versions]
    task = first.bench.task
    rows = []
    for version, result in zip(versions, results, strict=True):
        delta, low, high = change(result.scores, results[0].scores, result.weight, task)
        rows.append(
            {
                "version": version.name,
                "made": version.how,
                task.word: task.score_text(result.accuracy),
                "95 %": task.interval_text(result.low, result.high),
                "change from the first (95 %)": "–"
                if version is first
                else change_words(task, delta, low, high),
                "parameters": f"{version.params:,} ({100 * version.params / first.params:.1f} %)",
                "an epoch": "–" if version.seconds is None else f"{version.seconds:.2g} s",
            }
        )
    return pd.DataFrame(rows)


def change_words(task: Task, delta: float, low: float, high: float) -> str:
    """A change in the task's unit with its interval; says so where none can be told."""
    words = task.scale.paired_text(delta, low, high)
    return f"{words}: no measurable change" if low <= 0 <= high else words


def _root(name: str) -> str:
    versions, names = _versions(), set[str]()
    while name in versions and versions[name].parent and name not in names:
        names.add(name)
        name = versions[name].parent
    return name


def _versions() -> dict[str, Version]:
    versions: dict[str, Version] = st.session_state.setdefault(_KEY, {})
    networks.beside(versions)
    return versions
