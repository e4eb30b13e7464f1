"""Which residual branches of a network can be passed by, with nothing changed in shape?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.fx import Node

from pruneviz.network.coupling.products import products_between
from pruneviz.network.graph import Graph
from pruneviz.network.groups import Group, Groups, Place, Product
from pruneviz.network.layers import Layer
from pruneviz.network.module_calls import ModuleCalls, at_work, returned_values
from pruneviz.network.replica import first_names
from pruneviz.network.trial import prove

_ATEN = torch.ops.aten
_SUMS = (_ATEN.add.Tensor, _ATEN.add_.Tensor)
NO_BLOCK = "no residual connection passes it by"
_PROJECTION = "the shortcut beside it is a projection ({}): no input of its shape passes it by"
_SHORTCUT = "it is the projection of a shortcut: no input of its shape passes it by"
_READ = "what its branch computes is read elsewhere, too"
_SHARED = "its branch works with weights of {}, which stay"
_OUTER = "its branch holds blocks of its own; leave those out"
_NO_MODULE = "{!r} of its branch belongs to a module that computes more than the branch"


@dataclass(frozen=True)
class _Branch:
    """A term of a sum that can be left out. total: the sum; entry: what goes past it; last: the
    term; sums: the additions that lead from it to the total; dead: all that only it reads.
    """

    total: Node
    entry: Node
    last: Node
    sums: frozenset[Node]
    dead: frozenset[Node]


def find_blocks(model: nn.Module, layers: Mapping[str, Layer], graph: Graph) -> Groups:
    """The blocks of `model`: each a group of one unit, which goes with all its parameters.

    A block is a term f(x, …) of a sum in which x stands, too: without it the sum is x, of the same
    shape. Each counts only after a trial: without it the network must answer as with all its
    parameters zero. `fixed` says of every other layer why it must stay.

    >>> class Residual(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.one, self.head = nn.Linear(4, 4), nn.Linear(4, 2)
    ...     def forward(self, x):
    ...         return self.head(x + self.one(x).relu())
    >>> pv.open(Residual().eval(), torch.randn(40, 4)).blocks["block"].tolist()
    ['one']
    """
    reader = _BranchReader(model, layers, graph)
    groups: dict[str, Group] = {}
    fixed: dict[str, str] = {}
    products: list[Product] = []
    for branch in reader.branches:
        members = reader.members(branch)
        outcome = reader.group(branch, members)
        if isinstance(outcome, Group):
            groups[outcome.name] = outcome
            products.append(reader.product(branch, outcome))
        else:
            fixed |= dict.fromkeys(members, outcome)
    taken = {name for group in groups.values() for name in group.layers}
    reasons = dict.fromkeys(layers, NO_BLOCK) | reader.projections | fixed
    fixed = {name: why for name, why in reasons.items() if name not in taken}
    order = {name: place for place, name in enumerate(layers)}
    groups = {name: groups[name] for name in sorted(groups, key=order.__getitem__)}
    groups = _with_values(model, groups, graph)
    own = tuple(product for product in products if product.fixed)
    proved = prove(model, Groups(groups, fixed, products=own), graph.example)
    there = proved.groups.keys()
    return replace(proved, products=tuple(p for p in own if p.axes[0][1].keys() <= there))


def _with_values(model: nn.Module, groups: Mapping[str, Group], graph: Graph) -> dict[str, Group]:
    """Groups whose stand-ins return as many values as the modules that they stand for."""
    skips = [group.skip for group in groups.values() if group.skip is not None]
    paths = {path for skip in skips for path in (*skip.silent, *skip.through)}
    values = returned_values(model, paths, graph.example)
    result = {}
    for name, group in groups.items():
        assert group.skip is not None
        silent = {path: values.get(path, 0) for path in group.skip.silent}
        through = {path: values.get(path, 0) for path in group.skip.through}
        result[name] = replace(group, skip=replace(group.skip, silent=silent, through=through))
    return result


class _BranchReader:
    """Reads branches off a graph."""

    def __init__(self, model: nn.Module, layers: Mapping[str, Layer], graph: Graph) -> None:
        self._graph, self._names = graph, first_names(model)
        self._parameters = dict(model.named_parameters())
        self._modules = ModuleCalls(graph)
        self._nodes = at_work(graph)
        self._place = {node: place for place, node in enumerate(self._nodes)}
        self._weights: dict[str, list[str]] = {}  # parameter -> layers that are (a part of) it
        for name, layer in layers.items():
            self._weights.setdefault(self._names[layer.weight], []).append(name)
        self._layers, self._before = layers, self._ancestors()
        self.projections: dict[str, str] = {}
        self.branches = self._innermost([b for total in self._totals() for b in self._terms(total)])

    def _ancestors(self) -> dict[Node, int]:
        """Node -> the nodes that its value depends on, itself included, as bits."""
        before: dict[Node, int] = {}
        for node, place in self._place.items():
            bits = 1 << place
            for other in node.all_input_nodes:
                bits |= before[other]
            before[node] = bits
        return before

    def _reads(self, node: Node, other: Node) -> bool:
        return bool(self._before[node] >> self._place[other] & 1)

    def _totals(self) -> Iterator[Node]:
        """The sums that are no term of another sum alone."""
        for node in self._nodes:
            users = self._users(node)
            if _is_sum(node) and not (len(users) == 1 and _is_sum(users[0])):
                yield node

    def _users(self, node: Node) -> list[Node]:
        return [user for user in node.users if user in self._place]

    def _terms(self, total: Node) -> Iterator[_Branch]:
        terms = list(self._flat(total, frozenset([total])))
        branches = []
        for last, sums in terms:
            entry = next((e for e, _ in terms if e is not last and self._passes(e, last)), None)
            if entry is not None and _shape(entry) == _shape(total):
                branches.append(_Branch(total, entry, last, sums, self._dead(last)))
        yield from branches
        if not branches:
            self._projections([last for last, _ in terms])

    def _flat(self, total: Node, sums: frozenset[Node]) -> Iterator[tuple[Node, frozenset[Node]]]:
        """The terms of a sum of sums, each with the additions between it and the total."""
        for term in total.args[:2]:
            assert isinstance(term, Node)
            if _is_sum(term) and len(self._users(term)) == 1:
                yield from self._flat(term, sums | {term})
            else:
                yield term, sums

    def _passes(self, entry: Node, last: Node) -> bool:
        """Whether `last` is computed of what `entry` is, or is a view of, without parameters."""
        stack = [entry]
        while stack:
            node = stack.pop()
            if self._reads(last, node) and node.op == "call_function":
                return True
            if node.name in self._graph.inputs and self._reads(last, node):
                return True
            if node.op == "call_function" and not self._own(node):
                stack += node.all_input_nodes
        return False

    def _own(self, node: Node) -> bool:
        """Whether an operation reads a parameter."""
        return any(other.name in self._graph.parameters for other in node.all_input_nodes)

    def _dead(self, last: Node) -> frozenset[Node]:
        """All that nobody reads once this term is left out; nothing if others read the term."""
        if len(self._users(last)) != 1:
            return frozenset()
        dead = {last}
        for node in reversed(self._nodes[: self._place[last]]):
            if self._reads(last, node) and all(user in dead for user in self._users(node)):
                dead.add(node)
        return frozenset(dead)

    def _parameters_of(self, dead: frozenset[Node]) -> list[str]:
        """Parameters that only dead nodes read."""
        gone: dict[str, bool] = {}
        for node in self._nodes:
            name = self._graph.parameters.get(node.name)
            if node.op == "placeholder" and name in self._parameters:
                gone[name] = gone.get(name, True) and node in dead
        return [name for name, all_of_it in gone.items() if all_of_it]

    def members(self, branch: _Branch) -> list[str]:
        """The layers whose weights a branch reads."""
        read = {
            self._graph.parameters.get(other.name)
            for node in branch.dead or {branch.last}
            for other in (node, *node.all_input_nodes)
        }
        own = {name for weight in read if weight for name in self._weights.get(weight, ())}
        return [name for name in self._layers if name in own]

    def _projections(self, terms: Sequence[Node]) -> None:
        """Note why the layers of terms that are all computed of one value must stay."""
        parts = [self._dead(term) for term in terms]
        none: frozenset[Node] = frozenset()
        pairs = zip(terms, parts, strict=True)
        layers = [self.members(_Branch(term, term, term, none, dead)) for term, dead in pairs]
        common = -1
        for term in terms:
            common &= self._before[term]
        shared = [n for n in self._nodes if n.op == "call_function" and common & self._bit(n)]
        if len(terms) < 2 or not all(layers) or not shared:
            return
        shortcut = min(layers, key=len)
        for names in layers:
            reason = _SHORTCUT if names is shortcut else _PROJECTION.format(", ".join(shortcut[:2]))
            self.projections |= dict.fromkeys(names, reason)

    def _bit(self, node: Node) -> int:
        return 1 << self._place[node]

    def _innermost(self, branches: list[_Branch]) -> list[_Branch]:
        """Branches that hold a layer; `dead` of one around others is emptied."""
        own = [b for b in branches if self.members(b)]
        return [
            replace(b, dead=frozenset())
            if any(o.total in b.dead and o is not b for o in own)
            else b
            for b in own
        ]

    def product(self, branch: _Branch, group: Group) -> Product:
        """What is multiplied in a block apart from its layers."""
        assert group.skip is not None
        nodes = self._modules.inside(branch.dead, group.skip)
        unit = {group.name: torch.zeros(1, dtype=torch.int64)}
        return Product(products_between(self._graph, nodes), ((1, unit),))

    def group(self, branch: _Branch, members: Sequence[str]) -> Group | str:
        """A block as a group of one unit, or why it is none."""
        if not branch.dead:
            return _READ if len(self._users(branch.last)) != 1 else _OUTER
        parameters = self._parameters_of(branch.dead)
        weights = {self._names[self._layers[name].weight]: name for name in members}
        stays = [name for weight, name in weights.items() if weight not in parameters]
        if stays:
            return _SHARED.format(stays[0])
        skip = self._modules.skip(branch.total, branch.entry, branch.last, branch.sums, branch.dead)
        gone = (*skip.silent, *skip.through)
        names = {first: name for name, first in self._names.items()}
        for parameter in parameters:
            owners = (parameter, names[parameter])
            if not any(name.startswith(f"{path}.") for path in gone for name in owners):
                return _NO_MODULE.format(parameter)
        one = torch.zeros(1, dtype=torch.int64)
        return Group(
            members[0],
            tuple(members),
            1,
            "block",
            {name: one.expand(self._layers[name].units) for name in members},
            (),
            tuple(Place(name, 0, _whole(self._parameters[name])) for name in parameters),
            skip,
        )


def _is_sum(node: Node) -> bool:
    if node.target not in _SUMS or len(node.args) < 2 or node.kwargs.get("alpha", 1) != 1:
        return False
    return all(isinstance(term, Node) and _is_float(term) for term in node.args[:2])


def _is_float(node: Node) -> bool:
    value = node.meta.get("val")
    return isinstance(value, Tensor) and value.is_floating_point()


def _shape(node: Node) -> str:
    return str(tuple(node.meta["val"].shape))


def _whole(parameter: Tensor) -> Tensor:
    return torch.zeros(parameter.shape[0] if parameter.ndim else 1, dtype=torch.int64)
