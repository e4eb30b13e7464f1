"""Which metric never ends? It keeps a command at work until somebody stops it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from torch import Tensor


def waits(outputs: Tensor, targets: Tensor) -> Tensor:
    """Says in the file $PRUNEVIZ_WAITING that it was reached."""
    Path(os.environ["PRUNEVIZ_WAITING"]).touch()
    time.sleep(600)
    return (outputs.argmax(1) == targets).float()
