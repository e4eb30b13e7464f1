"""How is a workbench opened on whatever somebody has?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from pruneviz.data import Metric
from pruneviz.network.device import measuring_device, place_on
from pruneviz.sources import Source
from pruneviz.sources.opening import SHARE, OpenRequest, find_source, open_source
from pruneviz.workbench import Workbench


def open_workbench(
    source: str | Path | Source | nn.Module | OpenRequest,
    data: object = None,
    *,
    arch: str | None = None,
    metric: Metric | str | None = None,
    task: str | None = None,
    ignore: int | None = None,
    classes: Iterable[str] = (),
    size: int | tuple[int, int] | None = None,
    mean: float | tuple[float, ...] | None = None,
    std: float | tuple[float, ...] | None = None,
    calibration: float = SHARE,
    seed: int = 0,
    unsafe: bool = False,
    tokenizer: str | Path | None = None,
    output: str | None = None,
    target: str | None = None,
    train: object = None,
    device: str | None = None,
) -> Workbench:
    """Open a network with its data.

    source: an nn.Module in hand; the name of a registered model ("lenet5"); "timm:…",
    "torchvision:…", "hf:…" (a Transformers folder or name); "package.module:function" (runs that
    code); or the path of a weights file, with `arch` any of these names. unsafe: allow files that
    run code when they are opened (.pt2, pickled modules).
    data: (inputs, targets), tensors by name, a Dataset or DataLoader, a DataFrame, an .npz, .csv
    or .parquet file (target: the column of a table to be answered), a folder of images by class,
    a Hugging Face dataset folder, or "package.module:function"; without targets the pruned
    network is compared with the dense one, without data on made-up inputs.
    train: samples to learn from, apart from data and as it; usually those that calibrate.
    metric: of outputs and targets, one number for each sample, higher is better; or the name of
    such a function, or "agreement", "closeness", "cosine" with the dense network. task: "classes",
    "binary", "labels", "positions", "skills" or "values", where targets are not what they seem;
    what was concluded stands in `notes`. ignore: the target of positions that do not count.
    classes: their names. size, mean, std: of images, where the model does not say. calibration: the
    share of the data that feeds the criteria, drawn with `seed`; the rest validates. output: which
    one is scored of a network that answers with several tensors, by its path in the answer:
    "logits", "boxes", "0", "1.0"; else the main one, or without targets the mean of all. device:
    "auto", "cpu" or "cuda"; None: as it is. ValueError names what is unknown, or does not fit.

    >>> pv.open("lenet300").evaluate(pv.Plan()).accuracy > 0.95
    True
    """
    at = measuring_device(device)
    if isinstance(source, OpenRequest):
        return Workbench(_place(open_source(source), at))
    request = OpenRequest(
        _name(source), _name(data) or None, arch, _name(metric) or None, tuple(classes),
        size=size, mean=_each(mean), std=_each(std), share=calibration, seed=seed, unsafe=unsafe,
        tokenizer=None if tokenizer is None else str(tokenizer), output=output, task=task,
        ignore=ignore, target=target, train=_name(train) or None,
    )  # fmt: skip
    loaded = _place(find_source(source, data, request, _in_hand(metric), train), at)
    if isinstance(source, Source) and data is None:
        return Workbench(loaded)
    request = replace(request, classes=loaded.classes if request.classes else ())
    unnamed = _unnameable(model=source, data=data, metric=metric, train=train)
    return Workbench(replace(loaded, opened=request, unnamed=unnamed))


def _place(source: Source, device: torch.device | None) -> Source:
    """The source with its network, and the masks it came with, on the device."""
    if device is None:
        return source
    masks = {name: mask.to(device) for name, mask in source.masks.items()}
    return replace(source, model=place_on(source.model, device), masks=masks)


def _in_hand(metric: Metric | str | None) -> Metric | None:
    return None if isinstance(metric, str) else metric


def _unnameable(**given: object) -> tuple[str, ...]:
    """Which of what was given nobody else can open by its name."""
    return tuple(name for name, value in given.items() if value is not None and not _name(value))


def _name(value: object) -> str:
    """What somebody else could open it by; "" for what is in hand in Python."""
    return str(value) if isinstance(value, str | Path) else ""


def _each(value: float | tuple[float, ...] | None) -> tuple[float, ...] | None:
    return (value,) if isinstance(value, int | float) else value
