"""Which of a network's intermediate values are known already, so that a plan begins there?"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Mapping
from time import perf_counter, thread_time

import torch
from torch import Tensor, nn

from pruneviz.data import Data, Inputs
from pruneviz.measuring.answers import Run
from pruneviz.memory import note_spare
from pruneviz.network.forward_pass import call_all, first_float, fit, fit_like, out_of_memory
from pruneviz.network.graph import Graph
from pruneviz.network.graph_run import GraphRun, StepOrder, Value
from pruneviz.network.replica import first_names, replica
from pruneviz.tasks.several import Answer

Versions = Mapping[str, str]  # parameter that a plan changes -> what tells its tensor from others
# A step of the graph, how many threads work on it (their sums differ in the last digits), and what
# it depends on.
_Key = tuple[int, int, frozenset[tuple[str, str]]]

BYTES = 2**28  # of values that are kept, for all networks together
_RECENT = 8  # plans that a new one is compared with
_TELLS = 0.2  # of the network: how much must be run for its time to tell of the whole's

# (samples, seconds, seconds in which the thread computed) of the whole network.
Tell = Callable[[float, float, float], None]


class Frontiers:
    """One network, run by its graph from where a plan first differs from one before it.

    Of each plan the values are kept that cross from what has not changed since a plan before it
    to what has: the next plan that changes the same layers starts there. They are kept for as
    many samples as fit into `bound` bytes, the ones used last first. seconds: of each step of the
    graph, all that tells how much of the network a part of it is. Safe to share between threads.
    """

    def __init__(
        self,
        model: nn.Module,
        run: GraphRun,
        names: tuple[str, ...],
        bound: int,
        seconds: Mapping[int, float],
    ) -> None:
        self._model, self._network, self._names, self._bound = model, run, names, bound
        self._seconds, self._total = seconds, sum(seconds.values())
        self._like, self._first_names = first_float(model), first_names(model)
        self._lock = threading.Lock()
        self._values: OrderedDict[_Key, dict[tuple[int, int], Value]] = OrderedDict()
        self._full = 0
        self._recent: deque[dict[str, str]] = deque(maxlen=_RECENT)
        with _SHARING:
            _SHARERS.add(self)
        note_spare(self)

    def run(
        self, tensors: Mapping[str, Tensor], versions: Versions, tell: Tell = lambda *_: None
    ) -> Run:
        """What answers with `tensors` in place of the network's own; versions: of their names.

        A tied tensor may have any of its names. tell: is told how long the answers took, where
        that tells of the whole network.
        """
        first = self._first_names
        standing = {first.get(name, name): tensor for name, tensor in tensors.items()}
        versions = self._first(versions)
        keep = self._keep(versions)
        keys = self._keys(versions, keep)
        orders: dict[frozenset[int], StepOrder] = {}

        def answers(inputs: Inputs, which: slice) -> Answer:
            known = self._at_hand(keys, which)
            places = frozenset(known)
            if places not in orders:
                orders[places] = self._network.order(places)
            began, busy = perf_counter(), thread_time()
            try:
                arguments = fit_like(inputs, self._like)
                result, fresh = self._network.run(arguments, standing, known, orders[places], keep)
            except Exception as error:
                if out_of_memory(error):
                    self.let_go()
                    raise
                # In words of the network's own code, or with its answer.
                return call_all(replica(self._model), inputs, tensors)
            took, worked = perf_counter() - began, thread_time() - busy
            part = self._part(orders[places].steps)
            if part >= _TELLS:
                tell(part * (which.stop - which.start), took, worked)
            self._hold(fresh, keys, which)
            return dict(zip(self._names, result, strict=True))

        return answers

    def part_left(self, versions: Versions) -> float:
        """How much of the network the next plan runs that changes the same as this one, 0..1."""
        changed = self._network.dependent(self._nearest(self._first(versions)))
        return self._part(self._network.order(self._network.frontier(changed)).steps)

    def let_go(self) -> None:
        """Keep no values; the next plans fill them again."""
        with self._lock:
            self._values.clear()
            self._full = 0

    @property
    def bytes(self) -> int:
        """Memory that the values hold."""
        return self._full

    def _keep(self, versions: dict[str, str]) -> frozenset[int]:
        """The steps whose values the next plan will start from, if it changes the same."""
        nearest = self._nearest(versions)
        with self._lock:
            if versions in self._recent:
                self._recent.remove(versions)
            self._recent.append(versions)
        return frozenset(self._network.frontier(self._network.dependent(nearest)))

    def _nearest(self, versions: Versions) -> frozenset[str]:
        """In what a plan differs from the one before it that differs least; nothing: from none."""
        with self._lock:
            recent = [*self._recent]
        others = [self._difference(versions, other) for other in (*recent, {})]
        return min((names for names in others if names), key=len, default=frozenset())

    def _first(self, versions: Versions) -> dict[str, str]:
        return {self._first_names.get(name, name): version for name, version in versions.items()}

    def _part(self, steps: Collection[int]) -> float:
        """How much of the whole network's time these steps took when it was checked."""
        return sum(self._seconds.get(at, 0.0) for at in steps) / self._total if self._total else 1.0

    def _difference(self, one: Versions, other: Versions) -> frozenset[str]:
        return frozenset(n for n in {*one, *other} if one.get(n) != other.get(n))

    def _keys(self, versions: Versions, keep: frozenset[int]) -> dict[int, _Key]:
        """The steps whose values may be known or are to be kept, with what they depend on."""
        bits = {name: self._network.dependent((name,)) for name in versions}
        with self._lock:
            steps = {*keep, *(step for step, *_ in self._values)}
        keys, threads = {}, torch.get_num_threads()
        for step in steps:
            depends = self._network.depends(step)
            reached = (n for n, bit in bits.items() if bit & depends)
            keys[step] = (step, threads, frozenset((name, versions[name]) for name in reached))
        return keys

    def _at_hand(self, keys: Mapping[int, _Key], which: slice) -> dict[int, Value]:
        samples, known = (which.start, which.stop), {}
        with self._lock:
            for step, key in keys.items():
                held = self._values.get(key)
                if held is not None and samples in held:
                    self._values.move_to_end(key)
                    known[step] = held[samples]
        return known

    def _hold(self, fresh: Mapping[int, Value], keys: Mapping[int, _Key], which: slice) -> None:
        samples = (which.start, which.stop)
        stay = {keys[step] for step in fresh}
        bound = min(self._bound, self._share())
        with self._lock:
            self._make_room(0, stay, bound)  # others may keep something since then
            for step, value in fresh.items():
                size = _bytes(value)
                self._make_room(size, stay, bound)
                if self._full + size > bound:
                    continue
                held = self._values.setdefault(keys[step], {})
                if samples not in held:
                    held[samples] = value
                    self._full += size

    def _share(self) -> int:
        """Bytes for this one beside all others that keep something."""
        with _SHARING:
            others = sum(one is not self and one._full > 0 for one in _SHARERS)
        return BYTES // (1 + others)

    def _make_room(self, size: int, but: set[_Key], bound: int) -> None:
        """Let go of what was used longest ago, but of nothing that is just being kept."""
        for key in [key for key in self._values if key not in but]:
            if self._full + size <= bound:
                return
            self._full -= sum(map(_bytes, self._values.pop(key).values()))


_SHARERS: weakref.WeakSet[Frontiers] = weakref.WeakSet()
_SHARING = threading.Lock()


def _bytes(value: Value) -> int:
    """What a value keeps in memory: of a view all that it is a view of."""
    if isinstance(value, Tensor):
        return value.untyped_storage().nbytes()
    return sum(map(_bytes, value)) if isinstance(value, tuple | list) else 0


def frontiers(
    model: nn.Module, graph: Graph, data: Data, block: int, bound: int = BYTES
) -> Frontiers | str:
    """The frontiers of a network whose graph gives its very answers, or the sentence on why not.

    Both are run on the first block of `data` and on the last, which may be of another size.
    """
    try:
        run = GraphRun(model, graph)
        last = (len(data) - 1) // block * block
        names: tuple[str, ...] = ()
        seconds: dict[int, float] = {}
        for begin in dict.fromkeys((0, last)):
            inputs = data.inputs_of(slice(begin, min(begin + block, len(data))))
            with torch.inference_mode():
                own = call_all(replica(model), inputs)
                mine, _ = run.run(fit(model, inputs), {}, {}, run.order(()), (), seconds)
            names = tuple(own)
            pairs = zip(own.values(), mine, strict=True)
            if not all(_equal(one, other) for one, other in pairs):
                return "every plan runs the whole network: its graph gives slightly other answers"
    except Exception as error:
        if out_of_memory(error):
            return "every plan runs the whole network: memory is too little to keep parts of it"
        return f"every plan runs the whole network: its graph cannot be run in parts ({error})"
    return Frontiers(model, run, names, bound, seconds)


def _equal(one: Tensor, other: Tensor) -> bool:
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    return bool(((one == other) | (one.isnan() & other.isnan())).all())
