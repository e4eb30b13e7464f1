"""The pruning lab of MIT 6.5940 (TinyML), in pruneviz.

Run from the top of the checkout: python -m tests.benchmarks.mit_lab [--out FOLDER]
counts on random weights: no data is needed. Whoever has the lab's checkpoint and CIFAR-10 (the
folder cifar-10-batches-py) adds --checkpoint FILE --cifar FOLDER [--epochs 5], and gets the rest:
the dense accuracy, the scan, and channels by position against those by what reads them. --out
writes the plan as a recipe.
"""

from __future__ import annotations

import argparse
import io
import pickle
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.measuring.counts import macs_of_network

WIDTHS = (64, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0)  # 0: a pooling
CHANNELS = 0.3  # of conv0 to conv6
MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
SCAN = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
# As the lab prints it: multiply-accumulates with those of batch norms and of the mean.
PUBLISHED = {"parameters": 5_013_666, "macs": 305_388_064, "batch norms": 289_632, "mean": 512}


class LabVGG(nn.Module):
    """The lab's VGG for pictures of 32 x 32; its names, so that its checkpoint fits."""

    def __init__(self) -> None:
        super().__init__()
        layers: dict[str, nn.Module] = {}
        channels, convolutions, pools = 3, 0, 0
        for width in WIDTHS:
            if not width:
                layers[f"pool{pools}"] = nn.MaxPool2d(2)
                pools += 1
                continue
            layers[f"conv{convolutions}"] = nn.Conv2d(channels, width, 3, padding=1, bias=False)
            layers[f"bn{convolutions}"] = nn.BatchNorm2d(width)
            layers[f"relu{convolutions}"] = nn.ReLU(inplace=True)
            channels, convolutions = width, convolutions + 1
        self.backbone = nn.Sequential()
        for name, module in layers.items():
            self.backbone.add_module(name, module)
        self.classifier = nn.Linear(channels, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of ten classes [n, 10] for pictures [n, 3, 32, 32]."""
        return self.classifier(self.backbone(x).mean([2, 3]))


def channels(criterion: str = "position") -> pv.Plan:
    """30 % of the channels of conv0 to conv6."""
    levels = {f"backbone.conv{place}": CHANNELS for place in range(7)}
    return pv.Plan(criterion, "neuron", sparsity=levels)


def main() -> None:
    """Print what the arguments allow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, help="the lab's vgg.cifar.pretrained.pth")
    parser.add_argument("--cifar", type=Path, help="the folder cifar-10-batches-py")
    parser.add_argument("--epochs", type=int, default=0, help="of training after the cut")
    parser.add_argument("--out", type=Path, help="a folder for the recipe")
    request = parser.parse_args()
    if (request.checkpoint is None) != (request.cifar is None):
        parser.error("the rest of the lab needs both --checkpoint and --cifar")
    torch.manual_seed(0)
    model = LabVGG().eval()
    if request.checkpoint is None:
        data: object = (torch.randn(40, 3, 32, 32), torch.arange(40) % 10)
    else:
        state = torch.load(request.checkpoint, map_location="cpu", weights_only=True)
        model.load_state_dict(state.get("state_dict", state))
        data = pictures(request.cifar, "test_batch", 1)
    bench = pv.open(model, data)  # type: ignore[arg-type]
    counts(bench)
    if request.checkpoint is not None:
        measure(bench, request.cifar, request.epochs)
    if request.out is not None:
        bench.export(channels(), request.out, formats=["recipe"])
        print(f"the recipe lies in {request.out}")


def counts(bench: pv.Workbench) -> None:
    """The lab's counts beside those published."""
    small = bench.prune(channels()).shrink()
    widths = [module.out_channels for module in small.modules() if isinstance(module, nn.Conv2d)]
    params = sum(parameter.numel() for parameter in small.parameters())
    macs = macs_of_network(small, bench.source.validation)
    assert macs is not None
    whole = macs + PUBLISHED["batch norms"] + PUBLISHED["mean"]
    print(f"channels that stay: {'/'.join(map(str, widths))}")
    print(f"parameters: {params:,} (published {PUBLISHED['parameters']:,})")
    print(f"multiply-accumulates of convolutions and linear layers: {macs:,}")
    print(f"with batch norms and the mean: {whole:,} (published {PUBLISHED['macs']:,})")


def measure(bench: pv.Workbench, cifar: Path, epochs: int) -> None:
    """What the lab measures: dense, the scan of single weights, channels."""
    print(f"dense: {bench.evaluate(pv.Plan()).words}")
    print(bench.scan(pv.Plan("magnitude"), levels=SCAN).to_string())
    for criterion in ("position", "consumer"):
        print(f"30 % of the channels by {criterion}: {bench.evaluate(channels(criterion)).words}")
    if epochs:
        source = pv.open(bench.source.model, pictures(cifar, "test_batch", 1),
                         train=pictures(cifar, "data_batch_{}", 5))  # fmt: skip
        trained = source.train(channels("consumer"), pv.Training(epochs=epochs))
        print(trained)


def pictures(folder: Path, name: str, files: int) -> tuple[Tensor, Tensor]:
    """Normalised pictures [n, 3, 32, 32] and labels [n] of CIFAR's python batches.

    SystemExit names the file that is missing.
    """
    images, labels = [], []
    for place in range(1, files + 1):
        path = folder / name.format(place)
        if not path.is_file():
            raise SystemExit(f"{path} is missing; --cifar wants the folder cifar-10-batches-py")
        batch = Arrays(io.BytesIO(path.read_bytes()), encoding="bytes").load()
        images.append(np.asarray(batch[b"data"], dtype=np.uint8))
        labels += batch[b"labels"]
    pixels = torch.from_numpy(np.concatenate(images)).reshape(-1, 3, 32, 32).float() / 255
    mean, deviation = (torch.tensor(x).reshape(1, 3, 1, 1) for x in (MEAN, DEVIATION))
    return (pixels - mean) / deviation, torch.tensor(labels)


class Arrays(pickle.Unpickler):
    """Reads pickles of arrays and plain values, and runs nothing else that a file names."""

    def find_class(self, module: str, name: str) -> object:
        """What makes an array; UnpicklingError for everything else."""
        numpy = module.split(".")[0] == "numpy" and name in ("_reconstruct", "ndarray", "dtype")
        if numpy or (module, name) == ("_codecs", "encode"):
            return super().find_class(module.replace("numpy.core", "numpy._core"), name)
        raise pickle.UnpicklingError(f"{module}.{name} is no array")


if __name__ == "__main__":
    main()
