"""Which module ran each operation of a graph?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.fx import Node

from pruneviz.data import Inputs
from pruneviz.network.forward_pass import call_all
from pruneviz.network.graph import Graph
from pruneviz.network.groups import Skip
from pruneviz.network.replica import replica

_TYPES = (torch.ops.aten.to.dtype, torch.ops.aten.to.dtype_layout)
_ROOT = "network"  # what `trace` wraps a network in


class ModuleCalls:
    """The operations of a graph by the module that ran them."""

    def __init__(self, graph: Graph) -> None:
        nodes = [node for node in at_work(graph) if _works(node)]
        self._operations = Counter(path for node in nodes for path in _around(_path(node)))
        self._nodes = nodes

    def skip(
        self,
        total: Node,
        entry: Node,
        last: Node,
        sums: frozenset[Node],
        dead: frozenset[Node],
    ) -> Skip:
        """How the branch of a sum is passed by: its modules, the outermost that run nothing else.

        A module that does nothing but to add the branch to what it is given hands that on.
        """
        path = _path(total)
        mine = {node for node in self._nodes if path in _around(_path(node))}
        if path and mine <= dead | sums | {total} and path not in _around(_path(entry)):
            return Skip(path, entry.name, total.name, {}, {path: 0})
        nodes = [node for node in dead if _works(node)]
        inside = Counter(p for node in nodes for p in _around(_path(node)))
        gone = {p for p, number in inside.items() if p and number == self._operations[p]}
        outermost = {p for p in gone if gone.isdisjoint(_around(p.rpartition(".")[0]))}
        silent = self._silent(last, dead, outermost)
        common = _common([_path(node) for node in nodes])
        through = dict.fromkeys(sorted(outermost - silent), 0)
        return Skip(common, entry.name, total.name, dict.fromkeys(sorted(silent), 0), through)

    def inside(self, nodes: Iterable[Node], skip: Skip) -> list[Node]:
        """Those nodes that modules run which are passed by; the code around them still runs."""
        gone = {*skip.silent, *skip.through}
        return [node for node in nodes if gone.intersection(_around(_path(node)))]

    def _silent(self, last: Node, dead: frozenset[Node], outermost: Collection[str]) -> set[str]:
        """The modules whose values reach the end of a branch through no other module of it."""
        silent, stack, visited = set(), [last], set()
        while stack:
            node = stack.pop()
            if node in visited or node not in dead or node.op != "call_function":
                continue
            visited.add(node)
            own = next((path for path in _around(_path(node)) if path in outermost), None)
            if own is None:
                stack += node.all_input_nodes
            else:
                silent.add(own)
        return silent


def at_work(graph: Graph) -> list[Node]:
    """The nodes that an answer depends on: not those that only check a tensor, say."""
    wanted: set[Node] = set()
    for node in reversed(graph.nodes):
        if node.op == "output" or node in wanted:
            wanted |= {node, *node.all_input_nodes}
    return [node for node in graph.nodes if node in wanted]


def returned_values(model: nn.Module, paths: Collection[str], example: Inputs) -> dict[str, int]:
    """How many values these modules return in a tuple; 0: a tensor alone."""
    values: dict[str, int] = {}
    network = replica(model)

    def hook(path: str) -> object:
        def note(module: nn.Module, args: object, output: object) -> None:
            values[path] = len(output) if isinstance(output, tuple) else 0

        return note

    for path in paths:
        network.get_submodule(path).register_forward_hook(hook(path))  # type: ignore[arg-type]
    with torch.inference_mode():
        call_all(network, example)
    return values


def _works(node: Node) -> bool:
    """Whether an operation makes a tensor of its own: sizes, and what is turned into the type that
    it has, may be read anywhere behind it.
    """
    value = node.meta.get("val")
    if node.op != "call_function" or isinstance(value, int | float | torch.SymInt | torch.SymFloat):
        return False
    if node.target in _TYPES and isinstance(value, Tensor):
        before = node.all_input_nodes[0].meta.get("val")
        return not isinstance(before, Tensor) or before.dtype != value.dtype
    return True


def _path(node: Node) -> str:
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    path = str(stack[-1][0]) if stack else ""
    return path.removeprefix(_ROOT).removeprefix(".") if path.startswith(_ROOT) else ""


def _around(path: str) -> Iterator[str]:
    """The paths of the modules around an operation, from the inside, with its own."""
    while path:
        yield path
        path = path.rpartition(".")[0]


def _common(paths: Collection[str]) -> str:
    """The innermost module that holds all of these."""
    common = min(paths, key=len, default="")
    while common and not all(common in _around(path) for path in paths):
        common = common.rpartition(".")[0]
    return common
