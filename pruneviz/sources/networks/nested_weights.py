"""Where in a checkpoint are the weights?"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

# In this order: the network as trained comes before its moving average.
KNOWN = (
    "state_dict",
    "model_state_dict",
    "model",
    "net",
    "network",
    "module",
    "weights",
    "params",
    "ema",
    "model_ema",
    "state_dict_ema",
    "ema_state_dict",
    "params_ema",
)
_DEPTH = 4


def find_weights(content: object, name: str) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The state_dict in what a file held, and sentences that say where it was.

    content: a mapping of names to tensors, perhaps under a usual name such as 'state_dict' and
    beside other entries, which are left out and counted. Raises ValueError when there is none,
    or several with nothing to choose by.
    """
    under: list[str] = []
    notes: list[str] = []
    for _ in range(_DEPTH):
        if not isinstance(content, Mapping):
            raise ValueError(
                f"{name} holds a {type(content).__name__}, not tensors by name; "
                "save the network's state_dict()"
            )
        inner = {str(key): value for key, value in content.items() if _holds_tensors(value)}
        usual = [key for key in KNOWN if key in inner]
        direct = any(isinstance(value, Tensor) for value in content.values())
        if not inner or (direct and not usual):
            break
        if not usual and len(inner) > 1:
            names = ", ".join(repr(key) for key in list(inner)[:10])
            raise ValueError(f"{name} holds several sets of weights, {names}; save the one meant")
        outer_key = usual[0] if usual else next(iter(inner))
        under.append(outer_key)
        if len(usual) > 1:
            others = ", ".join(repr(key) for key in usual[1:])
            notes.append(f"{name} also holds {others}, which is not used")
        content = inner[outer_key]
    if not isinstance(content, Mapping):
        raise ValueError(f"{name} nests its weights too deeply; save the network's state_dict()")
    tensors = {
        str(key): value.detach() for key, value in content.items() if isinstance(value, Tensor)
    }
    if under:
        notes.insert(0, f"weights were under {'.'.join(under)!r}")
    if len(content) > len(tensors):
        notes.append(f"{len(content) - len(tensors)} entries that are no tensors were left out")
    return tensors, tuple(notes)


def _holds_tensors(value: object, depth: int = _DEPTH) -> bool:
    """Is this a mapping with tensors by name, at most so deep? (An optimiser counts by number.)"""
    if not isinstance(value, Mapping) or depth == 0:
        return False
    return any(
        isinstance(key, str) and (isinstance(content, Tensor) or _holds_tensors(content, depth - 1))
        for key, content in value.items()
    )
