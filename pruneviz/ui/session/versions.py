"""Which versions of a network has this session made, and how do they compare?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import streamlit as st

from pruneviz import limits
from pruneviz.measuring.score import change
from pruneviz.plan import Plan
from pruneviz.storage.faults import public
from pruneviz.tasks import Task
from pruneviz.training import METHODS, Trained, reopen
from pruneviz.training.checkpoints import trainings
from pruneviz.training.stored_versions import find_version, keep_version, stored_versions
from pruneviz.ui.session import cached, networks, shelves
from pruneviz.ui.session.score_source import base_of
from pruneviz.workbench import Workbench
from pruneviz.workbench.version_files import VersionFile, keep_file, version_files
from pruneviz.workbench.version_files import key_of as file_key

_KEY, _BOUND = "versions", 24
_TRAINED, _ELSEWHERE = "as trained", "as another tool left it"
_FLOAT = 4  # bytes


@dataclass(frozen=True)
class Version:
    """One of a line of networks. parent: the name of the one it was made from, or "".

    plan: under which it is compared; how: it was made; params: that are left under the plan;
    seconds: an epoch of its training took at the end. key: of its training or its file, by which it
    is found again in another tab and after a restart; "" where it is not kept.
    """

    name: str
    parent: str
    bench: Workbench
    plan: Plan
    how: str
    params: int
    seconds: float | None = None
    key: str = ""


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


def origin_of(name: str) -> str:
    """How a network of this name, however it is scored, came to be, where it is a version."""
    base = base_of(name)
    here = _versions().get(base)
    if here is not None and here.parent:
        return _TRAINED if here.bench.source.past is not None else _ELSEWHERE
    if here is not None:
        return ""
    if any(one.name == base for one in stored_versions(cached.training_folder())):
        return _TRAINED
    files = version_files(cached.versions_folder())
    return _ELSEWHERE if any(one.name == base for one in files) else ""


def key_of(name: str) -> str:
    """By which key a network of this name is found again, however it is scored; "" for most."""
    version = _versions().get(base_of(name))
    return "" if version is None else version.key


def trained_version(
    parent: str, name: str, bench: Workbench, trained: Trained, key: str = ""
) -> Version:
    """What a training made of the network `parent`."""
    last = trained.table[~trained.table["aside"].astype(bool)].iloc[-1]
    how, params = METHODS[trained.training.method].label, int(last["params"])
    return Version(name, parent, bench, trained.plan, how, params, float(last["seconds"]), key)


def open_file(parent: str, content: bytes, file: str, name: str, key: str = "") -> str:
    """Open what another tool made of the network `parent` as a version; returns its name.

    name: that it would have in the list. key: under which it is kept already.
    """
    bench = networks.open_bench(parent)
    shelves.make(len(content), "what you upload")
    with limits.tighter(parameters=limits.limit("app_bytes") // _FLOAT):
        made = bench.version(content, file)
    if version_of(parent) is None:
        add(first_of(parent, bench))
    name, plan = networks.keep(name, made), made.plan
    params = made.counts(plan).params_kept
    add(Version(name, parent, made, plan, "pruned elsewhere", params, key=key))
    return name


def store_file(parent: str, content: bytes, file: str, name: str) -> None:
    """Keep the file of the version `name`, so that its address opens it again.

    OSError: it cannot be written.
    """
    version = _versions()[name]
    key = file_key(networks.open_bench(parent).fingerprint, content)
    place = cached.versions_folder()
    kept = VersionFile(place / key, name, file, parent, key_of(parent))
    keep_file(place, key, content, kept, limits.limit("training_bytes"))
    _versions()[name] = replace(version, key=key)


def file_here(parent: str, content: bytes) -> str | None:
    """The name under which this file is open already as a version of `parent`."""
    return _open_under(file_key(networks.open_bench(parent).fingerprint, content))


def with_weights(weights: str) -> Workbench | None:
    """The network of these weights (their fingerprint) among the versions that are open here."""
    benches = [version.bench for version in _versions().values()]
    return next((bench for bench in benches if bench.fingerprint == weights), None)


def store(folder: Path, name: str, parent: str) -> tuple[str, str]:
    """Keep a finished training as a version; returns its name and its key.

    What is one already has the name it has. OSError: it cannot be written.
    """
    for version in stored_versions(folder.parent):
        if version.training.folder == folder:
            return version.name, version.key
    if not any(one.folder == folder and one.done >= 1 for one in trainings(folder.parent)):
        raise OSError("its last epoch is not on disk")
    keep_version(folder, name, parent, key_of(parent))
    return name, folder.name


def open_version(key: str, depth: int = 0) -> str:
    """Open the version with this key, and those it was made from; returns its name in the list.

    ValueError says what of it is not there.
    """
    here = _open_under(key)
    if here is not None:
        return here
    files = version_files(cached.versions_folder())
    file = next((one for one in files if one.key == key), None)
    stored = file or find_version(cached.training_folder(), key)
    if depth == _BOUND:
        raise ValueError(f"the version {stored.name!r} comes of more than {_BOUND} others")
    parent = stored.model
    if stored.parent:
        base = open_version(stored.parent, depth + 1)
        parent = base + parent.removeprefix(base_of(parent))
    try:
        bench = networks.open_bench(parent)
        if isinstance(stored, VersionFile):
            content = stored.content(bench.fingerprint)
            return open_file(parent, content, stored.file, stored.name, key)
        trained = reopen(bench, stored.training)
    except (ValueError, OSError) as error:
        reason = public(error)
        raise ValueError(f"the version {stored.name!r} cannot be opened: {reason}") from None
    if version_of(parent) is None:
        add(first_of(parent, bench))
    made = Workbench(trained.source(stored.name), bench)
    name = networks.keep(stored.name, made)
    add(trained_version(parent, name, made, trained, key))
    return name


def next_name(name: str) -> str:
    """What the next version made from `name` is called; short: a list of networks is narrow."""
    root, number = _root(name), 1
    stored = {version.name for version in stored_versions(cached.training_folder())}
    names = stored | {*_versions()}
    while f"{root} · v{number}" in names:
        number += 1
    return f"{root} · v{number}"


def family(name: str) -> list[Version]:
    """All that go back to the same network as `name`, in the order they were made."""
    root = _root(name)
    return [version for version in _versions().values() if _root(version.name) == root]


def others(name: str) -> list[Workbench]:
    """The networks of the line of `name` that were trained, itself left out."""
    return [version.bench for version in family(name) if version.name != name and version.parent]


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


def open_named(name: str) -> None:
    """Open the version of this name, if there is one that is kept and not open."""
    base = base_of(name)
    if base not in networks.names():
        stored = stored_versions(cached.training_folder())
        keys = {one.name: one.key for one in version_files(cached.versions_folder())}
        keys |= {one.name: one.key for one in reversed(stored)}
        if base in keys:
            open_version(keys[base])


def is_open(key: str) -> bool:
    """Whether the version with this key is open in this session."""
    return _open_under(key) is not None


def _open_under(key: str) -> str | None:
    return next((each.name for each in _versions().values() if key and each.key == key), None)


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
