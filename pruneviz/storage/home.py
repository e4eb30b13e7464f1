"""Where does pruneviz keep what outlives a process?"""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path

VARIABLE = "PRUNEVIZ_HOME"


def home() -> Path:
    """The folder for this user's data: $PRUNEVIZ_HOME, or the system's usual place. Not made."""
    folder = os.environ.get(VARIABLE, "")
    return Path(folder).expanduser() if folder else user_data_path("pruneviz", appauthor=False)
