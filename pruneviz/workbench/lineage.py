"""From which network does a trained version come, by which way?"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pruneviz.measuring.bench import Bench
from pruneviz.measuring.counts import Counts
from pruneviz.plan import Plan
from pruneviz.pruning.chance import control_of
from pruneviz.pruning.labels import label
from pruneviz.training.initial_weights import start_of
from pruneviz.training.steps import steps_of_past
from pruneviz.workbench.purpose import scored_alike

KINDS = {
    "dense": "dense",
    "new": "new weights, not trained",
    "cut": "cut, not trained",
    "repaired": "repaired, not trained",
    "trained": "trained",
    "random": "random control",
    "elsewhere": "pruned elsewhere",
}
_DENSE = Plan()


def parent_of(bench: Bench) -> Bench | None:
    """The network that this one is a trained version of; None: it was opened as it is.

    One is made where its workbench is not at hand; it is scored as the version is.
    """
    source = bench.plain_source.parent
    if source is None or bench.given_parent is not None:
        return bench.given_parent
    return type(bench)(scored_alike(source, bench.plain_source))


def original_of(bench: Bench) -> Bench:
    """The network as it was first opened, which every version is compared with."""
    return bench if bench.parent is None else bench.parent.original


def of_original(counts: Counts, bench: Bench) -> Counts:
    """What is left of a version, and of how much when the network was first opened."""
    if bench.parent is None:
        return counts
    whole = bench.original.counts(_DENSE)
    return replace(counts, params=whole.params, macs=whole.macs, bytes_dense=whole.bytes_dense)


def ledger_words(bench: Bench) -> str:
    """What "dense" is in the ledger of a version; "" for a network as it was opened."""
    if bench.parent is None:
        return ""
    return (
        f"“dense” in this ledger is {bench.source.name} before anything is cut from it; its first "
        f"network, {bench.original.source.name}, has a ledger of its own."
    )


@dataclass(frozen=True)
class Landmark:
    """A point of the trade-off that every version of a network is seen beside.

    kind: of KINDS. bench, plan: what is measured; params: parameters left, None: as they are
    counted under the plan. name: of the network it is, or became.
    """

    kind: str
    bench: Bench
    plan: Plan
    name: str
    params: int | None = None

    @property
    def words(self) -> str:
        """What it is, in a few words."""
        cut = "" if self.plan.is_dense else f": {label(self.plan)}"
        return f"{self.name}, {KINDS[self.kind]}{cut}"

    @property
    def params_left(self) -> int:
        """Parameters that are left of it."""
        return self.bench.counts(self.plan).params_kept if self.params is None else self.params


def landmarks_of(bench: Bench) -> tuple[Landmark, ...]:
    """The original, and of each training since what it cut, repaired and trained, with a control.

    Nothing is measured. Of a network as it was opened: none.
    """
    if bench.parent is None:
        return ()
    marks = [Landmark("dense", bench.original, _DENSE, bench.original.source.name)]
    for version in _line(bench):
        marks += _marks_of(version)
    return tuple(marks)


def own_mark(version: Bench) -> Landmark:
    """What a training, or another tool, left, as a point."""
    past = version.source.past
    if past is None:
        return Landmark("elsewhere", version, version.plan, version.source.name)
    params = past.params if past is not None and past.params else None
    return Landmark("trained", version, _DENSE, version.source.name, params)


def _line(bench: Bench) -> list[Bench]:
    """From the first version to this one."""
    return [] if bench.parent is None else [*_line(bench.parent), bench]


def _marks_of(version: Bench) -> list[Landmark]:
    parent, marks, name = version.parent, list[Landmark](), version.source.name
    steps = steps_of_past(version.source.past)
    if parent is None or not steps:
        return [own_mark(version)]
    plan, begin = steps[-1].plan, start_of(parent, steps[-1].training)
    if begin is not parent:
        marks.append(Landmark("new", begin, _DENSE, name))
    if steps[-1].cuts:
        cut = replace(plan, repair=())
        marks.append(Landmark("cut", begin, cut, name))
        if plan.repair and begin is parent:
            marks.append(Landmark("repaired", begin, plan, name))
        control = control_of(cut)
        if control is not None:
            marks.append(Landmark("random", begin, control, name))
    return [*marks, own_mark(version)]
