"""What is in the hand when a file of weights has been read?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Weights:
    """What a file holds: tensors by name, and sentences on how they were found.

    masks: of tensors that came pruned, by their names; bool, True = kept. The tensors have them
    in, unless there are none: then masks came alone. stored: the tensors as the file has them,
    where masks were put in. widths: what is narrower than in the network's own class, as an
    export of a shrunk network wrote it.
    """

    tensors: Mapping[str, Tensor]
    notes: tuple[str, ...] = ()
    name: str = "the weights"
    masks: Mapping[str, Tensor] = field(default_factory=dict)
    stored: Mapping[str, Tensor] | None = None
    widths: Mapping[str, Any] | None = None
