"""What do exported files answer where there is no pruneviz? Run by the tests in a fresh Python.

python -I alone.py: reads requests, one a line, each the JSON of [FOLDER, FILES, CLASS_FILE, CLASS,
INPUTS.npy, ANSWERS.npz]; writes the answers of each file in the folder to the same inputs, under
the name of its format, and then a line. FILES: each format and its file.
"""

import json
import sys
from importlib.abc import MetaPathFinder
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import torch


class Refused(MetaPathFinder):
    """What somebody who was sent the files does not have."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("pruneviz", "sample_models"):
            raise ModuleNotFoundError(f"{name} is not here")


def read(path: Path):
    """The module in a file."""
    spec = spec_from_file_location(path.stem.replace("-", "_"), path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answers_of(name: str, path: Path, own: type, given: torch.Tensor) -> np.ndarray:
    """What the file of a format answers, loaded by its own means."""
    from safetensors.torch import load_file

    def loaded(tensors):
        network = own().eval()
        network.load_state_dict(tensors, strict=True)
        return network

    if name.startswith("onnx"):
        import onnxruntime

        return onnxruntime.InferenceSession(path).run(None, {"input": given.numpy()})[0]
    network = {
        "safetensors": lambda: loaded(load_file(path)),
        "state_dict": lambda: loaded(torch.load(path, weights_only=True)),
        "shrunk": lambda: read(path.with_name("rebuild.py")).rebuild(own()),
        "sparse": lambda: loaded(read(path.with_name("sparse_reader.py")).read(path)),
        "torch-prune": lambda: read(path.with_name("torch_prune.py")).load(own()).eval(),
        "pt2": lambda: torch.export.load(path).module(),
    }[name]()
    with torch.no_grad():
        return network(given).numpy()


def answer(folder: str, files: dict, class_file: str, name: str, inputs: str, out: str) -> None:
    """Load every file there is by its own means, and let it answer."""
    own, given = getattr(read(Path(class_file)), name), torch.from_numpy(np.load(inputs))
    there = {key: Path(folder) / file for key, file in files.items()}
    answers = {
        key: answers_of(key, path, own, given) for key, path in there.items() if path.exists()
    }
    np.savez(out, **answers)


if __name__ == "__main__":
    sys.meta_path.insert(0, Refused())
    torch.set_num_threads(1)
    for line in sys.stdin:
        answer(*json.loads(line))
        print("answered", flush=True)
