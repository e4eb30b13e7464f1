"""What does a pickle hold, told from its opcodes and without opening it?"""

from __future__ import annotations

import io
import itertools
import pickletools
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pruneviz.sources.networks.quantised import PREFIXES, QUANTISED

# The pickle of a network of 100,000 modules has fewer; tensors lie outside of it.
_OPCODES, _BYTES = 2_000_000, 2**26
_PARTS = 5  # pickles one behind the other in a file of torch.save's old format
# Every nn.Module keeps these three in its __dict__, which is what a pickle of it holds.
_MODULE = {"_parameters", "_buffers", "_modules"}
_TENSORS = ("torch._utils.", "torch.FloatStorage", "collections.OrderedDict")
_PLAIN = re.compile(r"[A-Za-z_][\w.]{0,79}")
_OTHERS = {
    "sklearn": "scikit-learn",
    "xgboost": "XGBoost",
    "lightgbm": "LightGBM",
    "keras": "Keras",
    "tensorflow": "TensorFlow",
    "paddle": "Paddle",
    "jax": "JAX",
}
_SHOWN = 4


@dataclass(frozen=True)
class Pickle:
    """classes: what it would import, "module.name", in order. words: the strings in it."""

    classes: tuple[str, ...]
    words: frozenset[str]

    @property
    def is_network(self) -> bool:
        """Whether a whole nn.Module is in it, not its weights alone."""
        return self.words >= _MODULE


def look(path_or_bytes: Path | bytes) -> Pickle:
    """What is named in what torch.save or pickle wrote; of a damaged one, what comes before.

    Nothing is imported, called or built.
    """
    classes: list[str] = []
    words: set[str] = set()
    for name, text in _names(_stream(path_or_bytes)):
        (classes.append if name else words.add)(text)
    return Pickle(tuple(dict.fromkeys(classes)), frozenset(words))


def why_not(path_or_bytes: Path | bytes, name: str) -> str:
    """The sentence on a pickle that torch's unpickler of tensors refuses: what it is, what helps.

    name: of the file. Bytes came through a browser, where no flag is at hand.
    """
    here = look(path_or_bytes)
    code = next((one for one in here.classes if one.startswith(PREFIXES)), None)
    if code is not None:
        return f"{name} is quantised ({_class_names([code])}): {QUANTISED}"
    if here.is_network:
        return f"{name} holds a whole network, not its weights alone: {way_out(path_or_bytes)}"
    for prefix, library in _OTHERS.items():
        if any(one.startswith(f"{prefix}.") for one in here.classes):
            return f"{name} is a model of {library}; only networks of PyTorch can be opened"
    others = [one for one in here.classes if not one.startswith(_TENSORS)]
    if not others:  # nothing in it but tensors, and yet it cannot be read
        return f"{name} is damaged; download or save it again"
    return (
        f"{name} holds more than tensors ({_class_names(others)}): it would run code when opened; "
        "if it is your own file, save its state_dict by itself with torch.save, or as safetensors"
    )


def way_out(path_or_bytes: Path | bytes) -> str:
    """What to do with a file of torch.save(network), by where it came from."""
    save = 'torch.save(network.state_dict(), "weights.pt")'
    if isinstance(path_or_bytes, bytes):
        return (
            "opening it would run code that is in it, which a browser may not ask for; upload its "
            f"weights, {save}, or open it on your own machine with --unsafe-load (in Python: "
            "unsafe=True)"
        )
    return (
        "opening it would run code that is in it, so open files you made yourself only, with "
        "unsafe=True (on the command line: --unsafe-load) and without arch, where its class can "
        f"be imported; or save its weights, {save}"
    )


def _class_names(classes: list[str]) -> str:
    # A file may call its classes anything: only what looks like a name is repeated.
    plain = [one for one in classes if _PLAIN.fullmatch(one)]
    return ", ".join(plain[:_SHOWN]) + (", …" if len(plain) > _SHOWN else "") or "no plain names"


def _stream(path_or_bytes: Path | bytes) -> IO[bytes]:
    content: Path | io.BytesIO = (
        io.BytesIO(path_or_bytes) if isinstance(path_or_bytes, bytes) else path_or_bytes
    )
    try:
        with zipfile.ZipFile(content) as archive:
            inner = next(n for n in archive.namelist() if Path(n).name == "data.pkl")
            with archive.open(inner) as entry:
                return io.BytesIO(entry.read(_BYTES))
    except (zipfile.BadZipFile, StopIteration, OSError, NotImplementedError):
        pass
    if isinstance(path_or_bytes, bytes):
        return io.BytesIO(path_or_bytes[:_BYTES])
    with path_or_bytes.open("rb") as file:
        return io.BytesIO(file.read(_BYTES))


def _names(stream: IO[bytes]) -> Iterator[tuple[bool, str]]:
    """(whether it is a class, its name) for each class and each string of the pickles."""
    for _ in range(_PARTS):
        memo: dict[Any, str] = {}
        last = ["", ""]  # the two strings on top, from which newer pickles make a class's name
        try:
            for opcode, value, _ in itertools.islice(pickletools.genops(stream), _OPCODES):
                if opcode.name in ("GLOBAL", "INST"):
                    yield True, str(value).replace(" ", ".")
                elif opcode.name == "STACK_GLOBAL":
                    yield True, ".".join(last)
                elif opcode.name in ("BINPUT", "LONG_BINPUT", "PUT"):
                    memo[value] = last[1]
                elif opcode.name == "MEMOIZE":
                    memo[len(memo)] = last[1]
                elif opcode.name in ("BINGET", "LONG_BINGET", "GET"):
                    last = [last[1], memo.get(value, "")]
                elif isinstance(value, str):
                    last = [last[1], value]
                    yield False, value
        # Whatever a damaged pickle makes pickletools raise, what came before has been told.
        except Exception:
            return
