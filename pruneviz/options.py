"""Which words of a command line say what is to be opened?"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from pruneviz.network.device import DEVICES, VARIABLE
from pruneviz.sources.opening import SHARE, OpenRequest
from pruneviz.tasks import TASKS

F = TypeVar("F", bound=Callable[..., Any])


def _keep_device(context: click.Context, _: click.Parameter, value: str | None) -> None:
    """Say it to whatever is opened while this command runs, also by the app that it becomes."""
    if value is None:
        return
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = value

    @context.call_on_close
    def restore() -> None:
        os.environ.pop(VARIABLE)
        if before is not None:
            os.environ[VARIABLE] = before


_NUMBERS = "numbers separated by commas, one per channel"
_MEASURE = (
    click.option("--metric", metavar="NAME", help="package.module:function of outputs and "
                 "targets: one number for each sample, higher is better; or agreement, "
                 "closeness or cosine with the dense network."),
    click.option("--task", type=click.Choice(TASKS), help="What outputs and targets mean, where "
                                                          "that is not inferred correctly."),
    click.option("--ignore", type=int, metavar="LABEL",
                 help="The target of positions that do not count, such as 255."),
)  # fmt: skip
_OPTIONS = (
    click.option("--model", "given", metavar="NAME|FILE", help="As MODEL."),
    click.option("--data", metavar="FILE|FOLDER|NAME", help="x and y in an .npz, a .csv or "
                 ".parquet table, a folder of images by class, a Hugging Face dataset folder, or "
                 "package.module:function."),
    click.option("--train", metavar="FILE|FOLDER|NAME", help="Training data, given as for "
                                                             "--data; without it, training uses "
                                                             "the calibration data."),
    click.option("--arch", metavar="NAME", help="For a weights file: sample:…, timm:…, "
                 "torchvision:…, hf:… or package.module:function."),
    *_MEASURE,
    click.option("--output", metavar="NAME", help="The output that is scored, where there are "
                                                  "several: logits, boxes, 0, 1.0."),
    click.option("--labels", metavar="A,B,…", help="Names of the classes, separated by commas."),
    click.option("--size", metavar="PIXELS", help="Of images: 224, or 200x320 (height x width)."),
    click.option("--mean", metavar="X,…", help=f"Of images in 0..1: {_NUMBERS}."),
    click.option("--std", metavar="X,…", help=f"Of images in 0..1: {_NUMBERS}."),
    click.option("--calibration", type=float, default=SHARE, show_default=True,
                 help="The share of the data used for calibration."),
    click.option("--split-seed", type=int, default=0, show_default=True,
                 help="Of the split into calibration and validation."),
    click.option("--tokenizer", metavar="FOLDER", help="For texts: a folder with a tokenizer."),
    click.option("--device", type=click.Choice(DEVICES), expose_value=False, callback=_keep_device,
                 help="Where the network is cut and measured.  [default: the CPU]"),
    click.option("--unsafe-load", is_flag=True, help="Allow files that run code when opened "
                 "(.pt2, pickled modules): only for files you made yourself."),
)  # fmt: skip


def _column(command: Callable[..., Any]) -> Callable[[F], F]:
    """The option that names a table's target; short where the command has no other --target."""
    others = {name for one in getattr(command, "__click_params__", ()) for name in one.opts}
    names = ["--target-column", *({"--target"} - others)]
    text = "The target column of a table."
    return click.option(*names, "target_column", metavar="COLUMN", help=text)


def opening_options(command: F) -> F:
    """MODEL and the options that say what is to be opened; `opening` makes a value of them."""
    for option in reversed((*_OPTIONS, _column(command))):
        command = option(command)
    return click.argument("model", required=False)(command)


def measure_options(command: F) -> F:
    """The options that say what a network is measured by."""
    for option in reversed(_MEASURE):
        command = option(command)
    return command


def opening(values: dict[str, Any]) -> OpenRequest:
    """What the options of `opening_options` say; they are taken out of `values`.

    ValueError when no model is named, or two are, or a number is none.
    """
    model, given = values.pop("model"), values.pop("given")
    if not model and not given:
        raise ValueError("name a model: a registered one (see `pruneviz models`), or --model")
    if model and given:
        raise ValueError(f"two models are named, {model!r} and {given!r}; name one")
    labels = values.pop("labels")
    return OpenRequest(
        model=model or given,
        data=values.pop("data"),
        train=values.pop("train"),
        arch=values.pop("arch"),
        metric=values.pop("metric"),
        task=values.pop("task"),
        ignore=values.pop("ignore"),
        classes=tuple(labels.split(",")) if labels else (),
        size=_size(values.pop("size")),
        mean=_numbers("--mean", values.pop("mean")),
        std=_numbers("--std", values.pop("std")),
        share=values.pop("calibration"),
        seed=values.pop("split_seed"),
        tokenizer=values.pop("tokenizer"),
        output=values.pop("output"),
        target=values.pop("target_column"),
        unsafe=values.pop("unsafe_load"),
    )


def parse(arguments: Sequence[str]) -> OpenRequest | None:
    """What the words behind `streamlit run app.py --` ask for; None where there are none.

    ValueError says which word is not understood.
    """
    values: dict[str, Any] = {}

    @click.command(add_help_option=False)
    @opening_options
    def read(**options: Any) -> None:
        values.update(options)

    if not arguments:
        return None
    try:
        read.main(list(arguments), prog_name="app.py", standalone_mode=False)
    except click.ClickException as error:
        raise ValueError(f"{error.format_message()} (in: {' '.join(arguments)})") from None
    return opening(values)


def words(request: OpenRequest) -> list[str]:
    """The command line that `parse` makes `request` of."""
    parts = ["--model", request.model, "--calibration", str(request.share)]
    parts += ["--split-seed", str(request.seed)]
    for name in ("metric", "task", "ignore"):
        if getattr(request, name) is not None:
            parts += [f"--{name}", str(getattr(request, name))]
    for name in ("data", "train", "arch", "tokenizer"):
        value = getattr(request, name)
        if value is not None:
            absolute = Path(value).resolve() if Path(value).exists() else value
            parts += [f"--{name}", str(absolute)]
    if request.output is not None:
        parts += ["--output", request.output]
    if request.target is not None:
        parts += ["--target-column", request.target]
    for name in ("mean", "std"):
        value = getattr(request, name)
        if value is not None:
            parts += [f"--{name}", ",".join(map(str, value))]
    if request.classes:
        parts += ["--labels", ",".join(request.classes)]
    if request.size is not None:
        size = (request.size,) if isinstance(request.size, int) else request.size
        parts += ["--size", "x".join(map(str, size))]
    return [*parts, "--unsafe-load"] if request.unsafe else parts


def _size(text: str | None) -> int | tuple[int, int] | None:
    if text is None:
        return None
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(part.isdigit() and int(part) for part in parts):
        raise ValueError(f"--size takes pixels such as 224 or 200x320, got {text!r}")
    return int(parts[0]) if len(parts) == 1 else (int(parts[0]), int(parts[1]))


def _numbers(option: str, text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"{option} takes {_NUMBERS}, got {text!r}") from None
