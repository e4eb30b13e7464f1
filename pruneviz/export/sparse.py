"""How do weights with many zeros leave in fewer bytes?"""

from __future__ import annotations

import json
from pathlib import Path

from torch import Tensor

from pruneviz.export.files import copy_program
from pruneviz.export.proof import Proof, load, prove, reuse, run_of
from pruneviz.export.standalone.sparse_reader import each
from pruneviz.export.subject import Subject
from pruneviz.export.weights import FileEntry, about, once, plain, save_entries
from pruneviz.measuring.sizes import as_bitmask, ties

NAME = "sparse.safetensors"


def write_sparse(subject: Subject, folder: Path) -> None:
    """A bit an entry and the values, of each tensor that is smaller so; and its reader."""
    network = subject.overlay
    entries: dict[str, FileEntry] = {}
    shapes = {}
    for name, tensor in once(network).items():
        parts = entries_of(tensor.detach())
        entries |= {f"{name}.{part}" if part else name: entry for part, entry in parts.items()}
        if "" not in parts:
            shapes[name] = list(tensor.shape)
    note = json.dumps({"shapes": shapes, "tied": ties(network)}, separators=(",", ":"))
    save_entries(folder / NAME, entries, about(subject) | {"sparse": note})
    copy_program("sparse_reader.py", folder)


def entries_of(tensor: Tensor) -> dict[str, FileEntry]:
    """The parts of its encoding, the values made as they are written; itself ("") where that is
    no larger.
    """
    parts = as_bitmask(tensor.cpu())
    if sum(part.nbytes for part in parts.values()) >= tensor.nbytes:
        return {"": FileEntry(tensor.dtype, tuple(tensor.shape), lambda: tensor)}
    bits, values = parts["bits"], parts["values"]
    return {
        "bits": FileEntry(bits.dtype, tuple(bits.shape), lambda: bits),
        "values": FileEntry(
            values.dtype, tuple(values.shape), lambda: as_bitmask(tensor.cpu())["values"]
        ),
    }


def prove_sparse(subject: Subject, folder: Path) -> Proof:
    """Read by the reader beside it, loaded strictly into a blank network of the user's class."""
    shown = plain(subject.overlay)
    network = load(subject, {n: reuse(t, shown.get(n)) for n, t in each(folder / NAME)})
    return prove(subject, run_of(network), "sparse_reader.py reads it")
