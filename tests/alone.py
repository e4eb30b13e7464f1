"""What do exported files answer where there is no pruneviz? Run by the tests in a fresh Python.

python -I alone.py FOLDER CLASS_FILE CLASS INPUTS.npy ANSWERS.npz: writes the answers of every
file in the folder to the same inputs, under the name of its format.
"""

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


def main() -> None:
    """Load every file there is by its own means, and let it answer."""
    folder, class_file, name, inputs, out = sys.argv[1:]
    folder, own = Path(folder), getattr(read(Path(class_file)), name)
    given = torch.from_numpy(np.load(inputs))
    networks = {}

    def loaded(tensors):
        network = own().eval()
        network.load_state_dict(tensors, strict=True)
        return network

    from safetensors.torch import load_file

    if (folder / "model.safetensors").exists():
        networks["safetensors"] = loaded(load_file(folder / "model.safetensors"))
    if (folder / "state_dict.pt").exists():
        networks["state_dict"] = loaded(torch.load(folder / "state_dict.pt", weights_only=True))
    if (folder / "shrunk.safetensors").exists():
        networks["shrunk"] = read(folder / "rebuild.py").rebuild(own())
    if (folder / "sparse.safetensors").exists():
        reader = read(folder / "sparse_reader.py")
        networks["sparse"] = loaded(reader.read(folder / "sparse.safetensors"))
    if (folder / "torch_prune.pt").exists():
        networks["torch-prune"] = read(folder / "torch_prune.py").load(own()).eval()
    if (folder / "model.pt2").exists():
        networks["pt2"] = torch.export.load(folder / "model.pt2").module()
    with torch.no_grad():
        answers = {key: network(given).numpy() for key, network in networks.items()}
    for key, file in (("onnx", "model.onnx"), ("onnx-int8", "model-int8.onnx")):
        if (folder / file).exists():
            import onnxruntime

            session = onnxruntime.InferenceSession(folder / file)
            answers[key] = session.run(None, {"input": given.numpy()})[0]
    np.savez(out, **answers)


if __name__ == "__main__":
    sys.meta_path.insert(0, Refused())
    torch.set_num_threads(1)
    main()
