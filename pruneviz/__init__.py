"""See and steer neural-network pruning."""

from pruneviz import cores as _cores  # noqa: F401  # isort: skip
from pruneviz.data import Data
from pruneviz.measuring.counts import Counts
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.measuring.ledger import Cost
from pruneviz.network.graph import trace
from pruneviz.network.grouping import find_groups
from pruneviz.network.groups import Group, Groups
from pruneviz.network.layers import Layer, find_layers
from pruneviz.plan import Plan
from pruneviz.pruning.criteria import CRITERIA, Criterion, criterion
from pruneviz.pruning.evidence import Evidence
from pruneviz.pruning.gathering import gather
from pruneviz.pruning.prune import prune
from pruneviz.pruning.pruned import Pruned
from pruneviz.sources import Source
from pruneviz.training import Trained, Training, train
from pruneviz.workbench import Workbench
from pruneviz.workbench.opening import open_workbench as open

__all__ = [
    "CRITERIA",
    "Cost",
    "Counts",
    "Criterion",
    "Data",
    "Evaluation",
    "Evidence",
    "Group",
    "Groups",
    "Layer",
    "Plan",
    "Pruned",
    "Source",
    "Trained",
    "Training",
    "Workbench",
    "criterion",
    "find_groups",
    "find_layers",
    "gather",
    "open",
    "prune",
    "trace",
    "train",
]
