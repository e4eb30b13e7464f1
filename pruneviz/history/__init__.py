"""What was tried, and what came of it?"""

from pruneviz.history.history import History
from pruneviz.history.records import Measurement, ModelVersion, csv_of, measurement_of, new_session
from pruneviz.history.tree import Filter

__all__ = [
    "Filter",
    "History",
    "Measurement",
    "ModelVersion",
    "csv_of",
    "measurement_of",
    "new_session",
]
