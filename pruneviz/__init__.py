"""See and steer neural-network pruning."""

from pruneviz import cores as _cores  # noqa: F401  # isort: skip
from pruneviz.graph import trace
from pruneviz.measuring.cost import Cost
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.opening import open_workbench as open
from pruneviz.plan import Plan
from pruneviz.pruning.criteria import CRITERIA, Criterion, criterion
from pruneviz.pruning.evidence import Evidence
from pruneviz.pruning.gathering import gather
from pruneviz.pruning.layers import Layer, find_layers
from pruneviz.pruning.prune import Pruned, prune
from pruneviz.sources import Data, Source
from pruneviz.workbench import Workbench

__all__ = [
    "CRITERIA",
    "Cost",
    "Criterion",
    "Data",
    "Evaluation",
    "Evidence",
    "Layer",
    "Plan",
    "Pruned",
    "Source",
    "Workbench",
    "criterion",
    "find_layers",
    "gather",
    "open",
    "prune",
    "trace",
]
