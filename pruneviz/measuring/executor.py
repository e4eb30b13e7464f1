"""Who measures the parts of a study: processes of this machine, or a Ray cluster?"""

from __future__ import annotations

import os
import pickle
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from pruneviz.measuring import ray_workers
from pruneviz.measuring.bench import Bench
from pruneviz.measuring.crew import Crew, Part, Setup
from pruneviz.measuring.processes import ProcessWorker
from pruneviz.progress import Progress
from pruneviz.pruning.criteria import has_own_criteria
from pruneviz.storage.measurement_store import Memory

VARIABLE = "PRUNEVIZ_WORKERS"
_PAYS = 20.0  # seconds of work that are worth more processes, which begin in ten
_KINDS = "a number of processes from 1 on, 'ray', or 'ray:' and the address of a cluster"

Workers = int | str
"""How many processes of this machine, or "ray", or "ray:ADDRESS" of a cluster."""


def check_workers(workers: object) -> Workers:
    """What names workers; ValueError names what does not."""
    if isinstance(workers, str) and (workers == "ray" or workers[:4] == "ray:" != workers):
        return workers
    if type(workers) is not int or workers < 1:
        raise ValueError(f"workers must be {_KINDS}, got {workers!r}")
    return workers


def read_workers(text: str) -> Workers:
    """`check_workers` of what somebody wrote: digits are a number."""
    return check_workers(int(text) if text.isdecimal() else text)


def usual_workers() -> Workers:
    """Those that the environment variable PRUNEVIZ_WORKERS names, or one; ValueError names it."""
    text = os.environ.get(VARIABLE, "1")
    try:
        return read_workers(text)
    except ValueError:
        raise ValueError(f"{VARIABLE} must be {_KINDS}, got {text!r}") from None


def workers_worth(seconds: float) -> Workers:
    """The usual ones for work of so many seconds; one where they would take longer to begin."""
    return usual_workers() if seconds > _PAYS else 1


def measure_apart(
    bench: Bench,
    parts: Mapping[str, Part],
    memory: Memory,
    known: Mapping[str, str],
    evidence: Sequence[str],
    workers: Workers,
    progress: Progress,
) -> None:
    """Have `parts` measured by `workers`, each with a copy of the network and its data.

    What they measure is in `memory` at once. Whatever they leave undone is for the caller: where
    too many of them ended before their time, where none can be given the network, and what follows
    on a part that failed. known: what of `memory` they may use. `progress` may raise to stop: no
    process is left behind then. What did not go as it should is told as RuntimeWarnings.
    ValueError where there is no Ray, or no cluster at the address.
    """
    for note in _measure(bench, parts, memory, known, evidence, workers, progress):
        warnings.warn(note, RuntimeWarning, stacklevel=3)


def _measure(
    bench: Bench,
    parts: Mapping[str, Part],
    memory: Memory,
    known: Mapping[str, str],
    evidence: Sequence[str],
    workers: Workers,
    progress: Progress,
) -> list[str]:
    """The same; returns sentences on what did not go as it should."""
    if has_own_criteria():
        return ["criteria of your own are not known to other processes: one process measures"]
    try:
        share = workers if isinstance(workers, int) else 1
        setup = pickle.dumps(_setup(bench, known, evidence, share))
    except Exception as error:  # whatever a network of somebody's own raises
        return [f"the network cannot be sent to other processes ({error}): one process measures"]
    if isinstance(workers, int):
        return _hear(Crew(ProcessWorker, setup, parts, min(workers, len(parts))), memory, progress)
    progress("starting Ray", 0.0)
    with ray_workers.cluster(workers.partition(":")[2]) as (start, most):
        return _hear(Crew(start, setup, parts, min(most, len(parts))), memory, progress)


def _hear(crew: Crew, memory: Memory, progress: Progress) -> list[str]:
    try:
        crew.hear(memory, progress)
    finally:
        crew.end()
    return crew.notes


def _setup(bench: Bench, known: Mapping[str, str], evidence: Sequence[str], share: int) -> Setup:
    """share: how many processes share the cores of this machine."""
    source, parent = bench.plain_source, bench.parent
    if parent is not None and source.parent is None:
        source = replace(source, parent=parent.plain_source)
    threads = torch.get_num_threads()
    each = max(1, threads // share)
    return Setup(source, dict(known), tuple(evidence), bench.identity, threads, each)
