"""Which inputs are meant where a network takes several?"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from torch import Tensor, nn

from pruneviz.data import Data
from pruneviz.sources.spec import InputSpec

_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def with_order(spec: InputSpec, model: nn.Module) -> InputSpec:
    """The spec with the names of what the network's forward takes."""
    try:
        parameters = list(inspect.signature(model.forward).parameters.values())
    except (TypeError, ValueError):  # a forward that is no Python
        return spec
    positional = [p for p in parameters if p.kind in _BY_PLACE]
    required = tuple(p.name for p in positional if p.default is inspect.Parameter.empty)
    return replace(spec, order=tuple(p.name for p in positional), needed=required)


def are_several(inputs: object, targets: object = None) -> bool:
    """Whether a tuple or list holds several inputs, and not one input for each sample.

    Several arrays of as many samples, that many as there are targets.
    """
    if not isinstance(inputs, (tuple, list)) or len(inputs) < 2:
        return False
    if not all(isinstance(each, (Tensor, np.ndarray)) and each.ndim for each in inputs):
        return False
    lengths = {len(each) for each in inputs}
    if isinstance(targets, (Tensor, np.ndarray, list, tuple)):
        lengths.add(len(targets))
        return len(lengths) == 1 and (isinstance(inputs, tuple) or len(inputs) != len(targets))
    return len(lengths) == 1


def by_name(inputs: Sequence[Any], spec: InputSpec) -> dict[str, Any]:
    """Several inputs by the names that the network's forward has for them.

    ValueError where it has no names for so many.
    """
    if len(inputs) > len(spec.order):
        takes = ", ".join(spec.order) or "no inputs by name"
        raise ValueError(
            f"data has {len(inputs)} inputs a sample, and the network's forward takes {takes}; "
            "give as many, or wrap the network in one whose forward(a, b, …) names them"
        )
    return dict(zip(spec.order, inputs, strict=False))


def check_enough(spec: InputSpec, data: Data) -> None:
    """ValueError where one input is given to a network whose forward cannot do without more."""
    if not isinstance(data.inputs, Tensor) or len(spec.needed) < 2:
        return
    names = ", ".join(spec.needed)
    mapping = ", ".join(f"{name!r}: …" for name in spec.needed)
    raise ValueError(
        f"the network's forward takes {len(spec.needed)} inputs ({names}) and was given one; give "
        f"(({names}), targets) or ({{{mapping}}}, targets), and {{{mapping}}} alone where both are "
        "inputs and there are no targets"
    )
