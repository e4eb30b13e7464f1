"""How do weights with many zeros leave in fewer bytes?"""

from __future__ import annotations

import json
from pathlib import Path

from pruneviz.export.files import copy_program
from pruneviz.export.proof import Proof, load, prove, run_of
from pruneviz.export.standalone.sparse_reader import each
from pruneviz.export.subject import Subject
from pruneviz.export.weights import about, once, save_tensors
from pruneviz.measuring.sizes import as_bitmask, encode, ties

NAME = "sparse.safetensors"


def write_sparse(subject: Subject, folder: Path) -> None:
    """A bit an entry and the values, of each tensor that is smaller so; and its reader."""
    network = subject.overlay
    tensors = {name: tensor.detach().cpu() for name, tensor in once(network).items()}
    parts, dense = encode(tensors, as_bitmask)
    shapes = {name: list(t.shape) for name, t in tensors.items() if name not in dense}
    note = json.dumps({"shapes": shapes, "tied": ties(network)}, separators=(",", ":"))
    save_tensors(folder / NAME, parts, about(subject) | {"sparse": note})
    copy_program("sparse_reader.py", folder)


def prove_sparse(subject: Subject, folder: Path) -> Proof:
    """Read by the reader beside it, loaded strictly into a blank network of the user's class."""
    network = load(subject, each(folder / NAME))
    return prove(subject, run_of(network), "sparse_reader.py reads it")
