"""What did tracing the network give, if it was tried already?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import torch
from torch import nn

from pruneviz.data import Data
from pruneviz.network.blocks import find_blocks
from pruneviz.network.forward_pass import fit
from pruneviz.network.graph import Graph, UntraceableError, trace
from pruneviz.network.group_search import find_groups
from pruneviz.network.groups import Groups
from pruneviz.network.layers import Layer
from pruneviz.network.replica import replica
from pruneviz.plan import WIDTHS

Find = Callable[[nn.Module, Mapping[str, Layer], Graph], Groups]


class GraphCache:
    """A network's graph, traced once, and the groups in it, when somebody first asks for them.

    data: of which the first two samples (or the only one, twice) are sent through.
    """

    def __init__(self, model: nn.Module, data: Data, layers: Mapping[str, Layer]) -> None:
        self._model, self._data, self._layers = model, data, layers
        self._lock = threading.Lock()
        self._found: Graph | ValueError | None = None
        self._groups: Groups | ValueError | None = None
        self._blocks: Groups | ValueError | None = None

    @property
    def graph(self) -> Graph:
        """The graph; ValueError if the network cannot be traced."""
        with self._lock:
            if self._found is None:
                self._found = self._trace()
            if isinstance(self._found, ValueError):  # a second try would take as long
                raise self._found
            return self._found

    @property
    def groups(self) -> Groups:
        """The groups of units that can be removed; ValueError if it cannot be traced."""
        graph = self.graph
        with self._lock:
            if self._groups is None:
                self._groups = self._read(find_groups, graph)
            if isinstance(self._groups, ValueError):
                raise self._groups
            return self._groups

    @property
    def blocks(self) -> Groups:
        """The blocks that can be left out, as groups; ValueError if it cannot be traced."""
        graph = self.graph
        with self._lock:
            if self._blocks is None:
                self._blocks = self._read(find_blocks, graph)
            if isinstance(self._blocks, ValueError):
                raise self._blocks
            return self._blocks

    def groups_for(self, granularity: str) -> Groups | None:
        """The groups that a granularity cuts the units of; None where it cuts single weights."""
        if granularity == "block":
            return self.blocks
        return self.groups if granularity in WIDTHS else None

    def groups_or_none(self) -> Groups | None:
        """The groups, or None if the network cannot be traced."""
        try:
            return self.groups
        except ValueError:
            return None

    def graph_or_none(self) -> Graph | None:
        """The graph, or None if the network cannot be traced."""
        try:
            return self.graph
        except ValueError:
            return None

    @property
    def graph_at_hand(self) -> Graph | None:
        """The graph, if it was traced already; None while it is traced, or if it cannot be."""
        found = self._found
        return found if isinstance(found, Graph) else None

    @property
    def was_traced(self) -> bool:
        """Whether tracing has ended, with a graph or without."""
        return self._found is not None

    def _trace(self) -> Graph | ValueError:
        example = self._data.first(2)
        if len(example) < 2:
            example = example.take(torch.tensor([0, 0]))
        try:
            network = replica(self._model)
            return trace(network, fit(network, example.inputs), self._layers)
        except UntraceableError as error:
            return error
        except Exception as error:  # graphs are as various as networks are
            return UntraceableError(self._model, error)

    def _read(self, find: Find, graph: Graph) -> Groups | ValueError:
        try:
            return find(self._model, self._layers, graph)
        except Exception as error:
            return UntraceableError(self._model, error)
