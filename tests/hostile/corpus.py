"""Which small files ask for much, lie about themselves, or would run code?"""

from __future__ import annotations

import io
import json
import pickle
import sqlite3
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

_MARK = "ran"  # the file that appears in the corpus' folder where code was run
_TINY = {"model_type": "gpt2", "n_embd": 8, "n_layer": 1, "n_head": 1, "vocab_size": 50}
_ENTRY = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}


@dataclass(frozen=True)
class Case:
    """name: of the case. files: their bytes by name. kind: which door's word they are given to."""

    name: str
    kind: str  # weights, data, folder, table, onnx, recipe, history, words
    files: Mapping[str, bytes] = field(default_factory=dict)
    words: str = ""


class Touch:
    """When it is unpickled a file appears."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.mark,)


def mark(folder: Path) -> Path:
    """The file that says that code was run."""
    return folder / _MARK


def cases(folder: Path) -> list[Case]:
    """The whole corpus; folder: where the mark of code that ran would appear."""
    made = (_arrays(folder), _weights(folder), _configurations(), _programs(), _rest(), _names())
    return [case for some in made for case in some]


def _head(shape: tuple[int, ...], kind: str = "<f4") -> bytes:
    held = io.BytesIO()
    about = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(held, about)
    return held.getvalue()


def _npz(**arrays: np.ndarray) -> bytes:
    held = io.BytesIO()
    np.savez_compressed(held, **arrays)  # type: ignore[arg-type]
    return held.getvalue()


def _zip(**entries: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries.items():
            file.writestr(f"{name}.npy", data)
    return held.getvalue()


def _arrays(folder: Path) -> Iterator[Case]:
    x = np.zeros((8, 1, 28, 28), np.float32)
    evil = np.empty(8, dtype=object)
    evil[0] = Touch(mark(folder))
    hollow = io.BytesIO()
    with (
        zipfile.ZipFile(hollow, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
        file.open("x.npy", "w") as out,
    ):
        out.write(_head((2**20, 28, 28), "|u1"))
        for _ in range(784):
            out.write(bytes(2**20))
    made = {
        "label of 2**40": _npz(x=x, y=np.full(8, 2**40)),
        "labels that are dates": _npz(x=x, y=np.arange(20_240_001, 20_240_009)),
        "label of 2**62": _npz(x=x, y=np.full(8, 2**62)),
        "label below 0": _npz(x=x, y=np.full(8, -7)),
        "unfolds to 3.3 GB of floats": hollow.getvalue(),
        "shape of 2**40": _zip(x=_head((2**40,))),
        "shape below 0": _zip(x=_head((-5, 3))),
        "wide records": _zip(x=_head((10,), "|V99999999")),
        "header of brackets": _zip(x=b"\x93NUMPY\x01\x00\x76\x00" + b"(" * 118),
        "header of 4 GB": _zip(x=b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b" " * 99),
        "5,000 arrays": _zip(**{f"a{i}": _head((0,)) for i in range(5_000)}),
        "pickled objects": _npz(x=x, y=evil),
        "cut short": _npz(x=x)[:200],
    }
    return (Case(name, "data", {"data.npz": data}) for name, data in made.items())


def _listing(keys: int) -> bytes:
    start = json.dumps({f"k{i}": _ENTRY for i in range(keys)}).encode()
    return struct.pack("<Q", len(start)) + start


def _saved(value: object) -> bytes:
    held = io.BytesIO()
    torch.save(value, held)
    return held.getvalue()


def _weights(folder: Path) -> Iterator[Case]:
    one, evil = torch.zeros(1), Touch(mark(folder))
    stretched = torch.as_strided(torch.zeros(1), (2**40,), (0,))
    deep = json.dumps({"a": _ENTRY})[:-1].encode() + b',"b":' + b"[" * 100_000
    made = {
        "pickle": ("w.bin", pickle.dumps(evil)),
        "pickle in torch.save": ("w.pt", _saved({"conv1.weight": one, "more": evil})),
        "pickle as safetensors": ("w.safetensors", pickle.dumps(evil)),
        "100,000 tensors": ("w.safetensors", _listing(100_000)),
        "100,000 names of one tensor": ("w.pt", _saved({f"k{i}": one for i in range(100_000)})),
        "header of 2**63": ("w.safetensors", struct.pack("<Q", 2**63) + b"{}"),
        "header of brackets in safetensors":
            ("w.safetensors", struct.pack("<Q", len(deep)) + deep),
        "stride of 0": ("w.pt", _saved({"conv1.weight": stretched})),
        "cut short weights": ("w.pt", _saved({"conv1.weight": one})[:300]),
        "empty weights": ("w.pt", b""),
    }  # fmt: skip
    return (Case(name, "weights", {file: data}) for name, (file, data) in made.items())


def _configurations() -> Iterator[Case]:
    vit = {"model_type": "vit", "hidden_size": 8, "num_hidden_layers": 1, "image_size": 32,
           "num_attention_heads": 1, "intermediate_size": 8}  # fmt: skip
    timm = {"model_type": "timm_wrapper", "architecture": "resnet18",
            "model_args": {"checkpoint_path": "net/w.model"}, "num_classes": 10}  # fmt: skip
    made: dict[str, object] = {
        "timm checkpoint_path": timm,
        "vocab_size -1": _TINY | {"vocab_size": -1},
        "vocab_size 2**40": _TINY | {"vocab_size": 2**40},
        "vocab_size 2**24 by 2**24": _TINY | {"vocab_size": 2**24, "n_embd": 2**24},
        "n_layer 10**7": _TINY | {"n_layer": 10**7},
        "num_labels 2**24": _TINY | {"num_labels": 2**24},
        "n_positions 2**30": _TINY | {"n_positions": 2**30},
        "architectures [5]": _TINY | {"architectures": [5]},
        "a list as config.json": [1],
    }
    for name, config in made.items():
        yield Case(name, "folder", {"net/config.json": json.dumps(config).encode()})
    deep = b'{"a":' * 100_000
    yield Case("brackets as config.json", "folder", {"net/config.json": deep})
    resnet = {"model_type": "resnet", "embedding_size": 8, "hidden_sizes": [8], "depths": [1]}
    for config, rule in ((vit, b"[1]"), (resnet, b'{"size": 1000000}')):
        files = {"config.json": json.dumps(config).encode(), "preprocessor_config.json": rule}
        case = f"preprocessor_config.json {rule.decode()}"
        yield Case(case, "folder", {f"net/{name}": data for name, data in files.items()})


def _programs() -> Iterator[Case]:
    try:
        import onnx
    except ImportError:
        return
    make, kinds = onnx.helper, onnx.TensorProto
    for size in (2**40, -5):
        x, y = (make.make_tensor_value_info(n, kinds.FLOAT, [None, size]) for n in "xy")
        graph = make.make_graph([make.make_node("Relu", ["x"], ["y"])], "g", [x], [y])
        data = make.make_model(graph).SerializeToString()
        yield Case(f"ONNX axis of {size}", "onnx", {"net.onnx": data})


def _rest() -> Iterator[Case]:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(24)
    )
    made = {
        "YAML aliases": bomb.encode(),
        "YAML brackets": b"[" * 900_000,
        "YAML tag": b"plan: !!python/object/apply:os.system [true]",
        "YAML of 10 MB": b"x" * 10_000_000,
    }
    for name, data in made.items():
        yield Case(name, "recipe", {"recipe.yaml": data})
    yield Case("CSV of one wide line", "table", {"t.csv": b"a," * 2_000_000 + b"\n"})
    odd = {
        "history of schema -5": "PRAGMA user_version = -5",
        "history with a trigger": "CREATE TABLE visits (id); CREATE TRIGGER t AFTER INSERT ON "
        "visits BEGIN DELETE FROM visits; END; PRAGMA user_version = 1",
    }
    for name, sql in odd.items():
        file = sqlite3.connect(":memory:")
        file.executescript(sql)
        yield Case(name, "history", {"history.sqlite3": file.serialize()})
        file.close()


def _names() -> Iterator[Case]:
    x = np.zeros((8, 1, 28, 28), np.float32)
    yield Case("name of 90 Chinese letters", "data", {"好" * 80 + ".npz": _npz(x=x)})
    words = {
        "hf:~": "hf:~",
        "hf:~nobodyxx": "hf:~nobodyxx",
        "hf:$HOME": "hf:$HOME",
        "path of 5,000 letters": "a/" * 2_500,
        "large name of timm": "timm:vit_7b_patch16_dinov3",
    }
    for name, text in words.items():
        yield Case(name, "words", words=text)
