"""Can what is on disk about a trained network be trusted?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import torch
from safetensors.torch import load, save
from torch import Tensor

from pruneviz.data import Outcome

FOLDER = Path(__file__).parent / "weights"
_MORE = "more."


def write(
    name: str,
    state: Mapping[str, Tensor],
    outcome: Outcome,
    card: Mapping[str, object],
    folder: Path = FOLDER,
) -> None:
    """Keeps NAME.safetensors, NAME.dense.safetensors and NAME.json, the last with their hashes."""
    weights = save({key: tensor.contiguous() for key, tensor in state.items()})
    dense = save(_columns(outcome))
    hashes = {"sha256": sha256(weights).hexdigest(), "dense_sha256": sha256(dense).hexdigest()}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.safetensors").write_bytes(weights)
    (folder / f"{name}.dense.safetensors").write_bytes(dense)
    text = json.dumps({**card, **hashes}, indent=2)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def read(name: str, folder: Path = FOLDER) -> tuple[dict[str, Tensor], Outcome, dict[str, object]]:
    """The weights by key, what the dense network answered, and the card.

    Raises FileNotFoundError for a missing file and ValueError for one that is not what the card
    says, in one sentence that names the file and the command that remakes it.
    """
    card = _card(name, folder / f"{name}.json")
    weights = load(_checked(name, folder / f"{name}.safetensors", card.get("sha256")))
    dense = load(_checked(name, folder / f"{name}.dense.safetensors", card.get("dense_sha256")))
    return weights, _outcome(dense), card


def _columns(outcome: Outcome) -> dict[str, Tensor]:
    """As one file holds them; what is no class at all is left out."""
    columns = {"loss": outcome.loss}
    if bool((outcome.predicted >= 0).all()):
        return {"predicted": outcome.predicted.to(torch.uint8), **columns}
    for name in ("score", "weight"):
        column = getattr(outcome, name)
        columns |= {} if column is None else {name: column}
    return columns | {f"{_MORE}{name}": each.contiguous() for name, each in outcome.more.items()}


def _outcome(columns: Mapping[str, Tensor]) -> Outcome:
    predicted = columns.get("predicted", torch.full((len(columns["loss"]),), -1))
    more = {name.removeprefix(_MORE): each for name, each in columns.items() if _MORE in name}
    score, weight = columns.get("score"), columns.get("weight")
    return Outcome(predicted.long(), columns["loss"], score, weight, more)


def _card(name: str, path: Path) -> dict[str, object]:
    try:
        card = json.loads(_bytes(name, path))
    except ValueError:
        card = None
    if not isinstance(card, dict):
        raise ValueError(f"{path} is damaged (not a model card); {_remedy(name)}")
    return card


def _checked(name: str, path: Path, expected: object) -> bytes:
    content = _bytes(name, path)
    if sha256(content).hexdigest() != expected:
        raise ValueError(
            f"{path} is damaged (its sha256 is not the one on its card); {_remedy(name)}"
        )
    return content


def _bytes(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} is missing; {_remedy(name)}") from None


def _remedy(name: str) -> str:
    return f"`python -m sample_models.train {name}` remakes it"
