"""How is a network trained, and pruned while it trains?"""

from pruneviz.training.methods import METHODS, Method
from pruneviz.training.result import Trained, reopen, train
from pruneviz.training.run import EpochRow, Event, Moment
from pruneviz.training.settings import Training

__all__ = [
    "METHODS",
    "EpochRow",
    "Event",
    "Method",
    "Moment",
    "Trained",
    "Training",
    "reopen",
    "train",
]
