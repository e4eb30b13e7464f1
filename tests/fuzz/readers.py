"""Which readers are given whatever comes, and may answer with a ValueError alone?"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from safetensors.torch import save

from pruneviz.history import History, ModelVersion
from pruneviz.history.file import FILE
from pruneviz.plan import Plan, from_link, to_link
from pruneviz.recipes.reader import from_yaml
from pruneviz.sources.data.arrays import read_npz
from pruneviz.sources.data.samples import DataRequest
from pruneviz.sources.networks.weights import read_weights

PLAN = Plan("l2", "neuron", sparsity={"a": 0.5, "b.c": 0.25})
RECIPE = "pruneviz: 1\nmodel: lenet5\nplan:\n  criterion: l2\n  sparsity: {fc1: 0.5}\n"
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)


def with_file(read: Callable[[Path], object], name: str) -> Callable[[bytes], None]:
    def act(content: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(content)
            read(path)

    return act


def history_of(path: Path) -> None:
    """A damaged history never raises: it complains and goes on in memory."""
    history = History(path.parent, patience=0.1)
    history.visits()
    number = history.visit(ModelVersion("m", "w", "d"), PLAN)
    assert history.plan_of(number) == PLAN
    history.close()


def npz() -> bytes:
    file = io.BytesIO()
    np.savez(file, x=np.zeros((12, 3), np.float32), y=np.arange(12) % 3)
    return file.getvalue()


def database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(folder))
        history.visit(ModelVersion("m", "w", "d"), PLAN)
        history.close()
        return (Path(folder) / FILE).read_bytes()


@st.composite
def damaged(draw: Any, whole: bytes) -> bytes:
    """The file with a few bytes changed, taken out or put in."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(content)))
        more = draw(st.binary(max_size=8))
        content[place : place + draw(st.sampled_from([0, len(more), 100, 10**6]))] = more
    return bytes(content)


def plan_from(values: Any) -> None:
    plan = Plan.from_dict(values)
    assert Plan.from_dict(json.loads(json.dumps(plan.as_dict()))) == plan


def link_from(content: bytes) -> None:
    from_link(content.decode("latin-1"), "f")


NAMES = st.sampled_from([*PLAN.as_dict()]) | st.text(max_size=5)
READERS: dict[str, tuple[Any, Callable[[Any], object]]] = {
    "plan": (st.dictionaries(NAMES, JSON, max_size=6), plan_from),
    "link": (damaged(to_link(PLAN, "f").encode()), link_from),
    "recipe": (damaged(RECIPE.encode()), from_yaml),
    "npz": (damaged(npz()), with_file(lambda path: read_npz(path, DataRequest()), "x.npz")),
    "safetensors": (damaged(save({"a": torch.zeros(3, 4)})), read_weights),
    "history": (damaged(database()), with_file(history_of, FILE)),
}


def tried(reader: str, given: Any) -> None:
    """Reads; every error but a ValueError is a fault of the reader."""
    try:
        READERS[reader][1](given)
    except ValueError as error:
        if not str(error):
            raise AssertionError("a refusal without words") from error
