"""How important is a weight or a unit?"""

# The order in which the files are read is the order of the table on the screen.
from pruneviz.pruning.criteria import weights  # isort: skip
from pruneviz.pruning.criteria import activations  # isort: skip
from pruneviz.pruning.criteria import gradients  # isort: skip
from pruneviz.pruning.criteria.table import (
    CRITERIA,
    Criterion,
    criterion,
    find_criterion,
    has_own_criteria,
)

__all__ = [
    "CRITERIA",
    "Criterion",
    "activations",
    "criterion",
    "find_criterion",
    "gradients",
    "has_own_criteria",
    "weights",
]
