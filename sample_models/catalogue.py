"""Which sample networks are there?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from pruneviz.sources import Source
from sample_models import digits, stories
from sample_models.fit import Recipe
from sample_models.lenet5 import RECIPE as LENET5
from sample_models.lenet5 import LeNet5
from sample_models.lenet300 import RECIPE as LENET300
from sample_models.lenet300 import LeNet300
from sample_models.material import Material
from sample_models.resnet20 import RECIPE as RESNET20
from sample_models.resnet20 import ResNet20
from sample_models.store import FOLDER, read
from sample_models.vit import RECIPE as VIT
from sample_models.vit import VisionTransformer
from sample_models.writer import RECIPE as WRITER
from sample_models.writer import Writer, WriterRecipe

NETWORKS: dict[str, tuple[Callable[[], nn.Module], Recipe | WriterRecipe]] = {
    "lenet300": (LeNet300, LENET300),
    "lenet5": (LeNet5, LENET5),
    "resnet20": (ResNet20, RESNET20),
    "vit": (VisionTransformer, VIT),
    "writer": (lambda: Writer(len(stories.numbers())), WRITER),
}


def lenet300() -> Source:
    """LeNet-300-100 on 28x28 digits; see `source`."""
    return source("lenet300")


def lenet5() -> Source:
    """LeNet-5 on 28x28 digits; see `source`."""
    return source("lenet5")


def resnet20() -> Source:
    """ResNet-20 on 28x28 digits; see `source`."""
    return source("resnet20")


def vit() -> Source:
    """A small vision transformer on 28x28 digits; see `source`."""
    return source("vit")


def writer() -> Source:
    """A small language model of stories of its own; see `source`."""
    return source("writer")


def material(name: str) -> Material:
    """What a network of NETWORKS learns from and is measured on."""
    return stories.material() if name == "writer" else digits.material()


def source(name: str, folder: Path = FOLDER) -> Source:
    """A trained network of NETWORKS in eval mode, with the samples that feed and measure it.

    Inputs are float32 [n, 1, 28, 28], of the language model int64 [n, 64]; the samples are shared
    by the whole process, so never write to them. Raises FileNotFoundError or ValueError for a
    missing or damaged file in folder.
    """
    weights, dense, card = read(name, folder)
    # On "meta" nothing is initialised: quicker, and the caller's random stream stays untouched.
    with torch.device("meta"):
        model = NETWORKS[name][0]()
    model.load_state_dict(weights, assign=True)
    samples = material(name)
    return Source(
        name=name,
        model=model.eval().requires_grad_(False),
        calibration=samples.calibration,
        validation=samples.validation,
        classes=samples.classes,
        card=card,
        dense=dense,
        training=samples.training,
        notes=samples.notes,
        task=samples.task,
        language=samples.language,
    )
