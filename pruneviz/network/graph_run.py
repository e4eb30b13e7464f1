"""How is a network run from the middle, where what comes before is known already?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import Node
from torch.fx.node import map_arg

from pruneviz.network.graph import Graph
from pruneviz.network.replica import state

_HARMLESS = {torch.ops.aten.detach_.default}  # where no gradients are, it writes to nothing

Value = Any  # a tensor, or what an operation takes or gives beside tensors: a size, a tuple


class UnrunnableError(ValueError):
    """A graph holds what cannot be run one operation at a time; with what it is."""


@dataclass(frozen=True)
class _Step:
    """An operation, the places of its arguments, and the parameters it depends on, as bits.

    operation: of the node, or what gives the same without writing to its argument.
    """

    node: Node
    operation: Callable[..., Value]
    place: Mapping[Node, int]
    reads: tuple[int, ...]
    depends: int

    def apply(self, values: Mapping[int, Value]) -> Value:
        """The operation's value, of the values of its arguments, which may be nested."""

        def look(node: Node) -> Value:
            return values[self.place[node]]

        return self.operation(*map_arg(self.node.args, look), **map_arg(self.node.kwargs, look))


@dataclass(frozen=True)
class StepOrder:
    """Steps to be run, in order; done: step -> the steps whose values nobody reads after it."""

    steps: tuple[int, ...]
    done: Mapping[int, list[int]]


class GraphRun:
    """The operations of a graph, each run only where its value is not known.

    The graph's own operations are run on the very tensors that the network's code would run them
    on, so that the answers are the same to the last bit; whoever relies on it compares them once.
    A step that writes to its argument gives a new value instead, which all after it read.
    Raises UnrunnableError for a graph with a step inside that writes to what others may be views
    of, or that holds a graph of its own.
    """

    def __init__(self, model: nn.Module, graph: Graph) -> None:
        self._own = state(model)
        self._bits: dict[str, int] = {}
        self._steps: dict[int, _Step] = {}
        self._fixed: dict[int, tuple[str, Tensor]] = {}  # place -> parameter's name, tensor
        self._inputs: list[int] = []
        place: dict[Node, int] = {}  # where a node's value stands when the next step reads it
        one: dict[Node, tuple[Node, ...]] = {}  # the nodes that are one tensor, written to in turn
        depends: dict[int, int] = {}
        for at, node in enumerate(graph.nodes):
            if node.op == "placeholder":
                depends[at] = self._placeholder(graph, node.name, at)
            elif node.op == "call_function":
                at_hand = {other: place[other] for other in node.all_input_nodes}
                reads = tuple(at_hand.values())
                depends[at] = 0
                for other in reads:
                    depends[at] |= depends[other]
                first = tuple(node.all_input_nodes[:1])
                written = one.get(first[0], first) if first else first
                operation = _pure(node, written)
                self._steps[at] = _Step(node, operation, at_hand, reads, depends[at])
                if operation is not node.target:
                    one |= dict.fromkeys((*written, node), (*written, node))
                    place |= dict.fromkeys(written, at)
            elif node.op == "output":
                self._answers = [place[other] for other in node.all_input_nodes]
            else:
                raise UnrunnableError(f"{node.name} ({node.op})")
            place[node] = at
        self._depends = depends

    def _placeholder(self, graph: Graph, name: str, at: int) -> int:
        if name in graph.inputs:
            self._inputs.append(at)
        elif name in graph.parameters:
            parameter = graph.parameters[name]
            self._fixed[at] = (parameter, self._own[parameter])
            return self._bits.setdefault(parameter, 1 << len(self._bits))
        elif name in graph.constants:
            self._fixed[at] = ("", graph.constants[name])
        else:
            raise UnrunnableError(f"the graph's input {name}")
        return 0

    def dependent(self, names: Iterable[str]) -> int:
        """The bits of these parameters; of names that the graph does not read, none."""
        bits = 0
        for name in names:
            bits |= self._bits.get(name, 0)
        return bits

    def depends(self, place: int) -> int:
        """The bits of the parameters that the value of this step depends on."""
        return self._depends[place]

    def frontier(self, changed: int) -> tuple[int, ...]:
        """The steps whose values do not depend on `changed` and are read by steps that do.

        Without those that no parameter reaches, as views of the samples.
        """
        reads = {
            other
            for step in self._steps.values()
            if step.depends & changed
            for other in step.reads
            if other in self._steps and self._depends[other] and not self._depends[other] & changed
        }
        return tuple(sorted(reads))

    def order(self, known: Collection[int]) -> StepOrder:
        """The steps to be run for an answer where the values of the steps in `known` are there."""
        wanted, stack = set(), list(self._answers)
        while stack:
            at = stack.pop()
            if at in self._steps and at not in wanted and at not in known:
                wanted.add(at)
                stack += self._steps[at].reads
        steps = tuple(sorted(wanted))
        return StepOrder(steps, self._last_reads(steps))

    def run(
        self,
        inputs: Tensor | Mapping[str, Tensor],
        tensors: Mapping[str, Tensor],
        known: Mapping[int, Value],
        order: StepOrder,
        keep: Collection[int],
        seconds: dict[int, float] | None = None,
    ) -> tuple[list[Tensor], dict[int, Value]]:
        """The tensors of the answer, and the values of those steps in `keep` that were run.

        inputs: samples [n, ...], as `fit` gives them. tensors: what stands in for parameters and
        buffers, by name. known: step -> value. order: as `order(known)` gives it.
        seconds: where the time of each step is added to.
        """
        given = [inputs] if isinstance(inputs, Tensor) else list(inputs.values())
        values: dict[int, Value] = dict(zip(self._inputs, given, strict=True)) | dict(known)
        kept: dict[int, Value] = {}
        for at in order.steps:
            step = self._steps[at]
            for other in step.reads:
                if other in self._fixed:
                    name, tensor = self._fixed[other]
                    values[other] = tensors.get(name, tensor)
            began = perf_counter()
            value = values[at] = step.apply(values)
            if seconds is not None:
                seconds[at] = seconds.get(at, 0.0) + perf_counter() - began
            if at in keep:
                kept[at] = value
            for gone in order.done.get(at, ()):
                del values[gone]
        return [values[at] for at in self._answers], kept

    def _last_reads(self, steps: tuple[int, ...]) -> dict[int, list[int]]:
        last: dict[int, int] = {}
        for at in steps:
            for other in self._steps[at].reads:
                if other in self._steps:
                    last[other] = at
        done: dict[int, list[int]] = {}
        for other, at in last.items():
            if other not in self._answers:
                done.setdefault(at, []).append(other)
        return done


def _pure(node: Node, written: tuple[Node, ...]) -> Callable[..., Value]:
    """The node's operation, or one that gives its value without writing to its first argument.

    written: the nodes whose tensor that argument is.
    """
    operation = node.target
    assert callable(operation)
    schema = getattr(operation, "_schema", None)
    if schema is None or not schema.is_mutable or operation in _HARMLESS:
        return operation
    name = schema.name.removeprefix("aten::")
    twins = getattr(torch.ops.aten, name.removesuffix("_"), None) if name.endswith("_") else None
    twin: Callable[..., Value] | None = getattr(twins, schema.overload_name or "default", None)
    known = node.args[0] in written and _is_fresh(written[0])
    if twin is None or not known or any(_may_view(user) for one in written for user in one.users):
        raise UnrunnableError(f"{operation}, which writes to a tensor")
    return twin


def _is_fresh(node: Node) -> bool:
    """Whether a node's value has memory of its own."""
    return node.op == "call_function" and not _may_view(node)


def _may_view(node: Node) -> bool:
    """Whether a node's value may share memory with an argument that it does not write to."""
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        return True
    return not schema.is_mutable and any(one.alias_info is not None for one in schema.returns)
