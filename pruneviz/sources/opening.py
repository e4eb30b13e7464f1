"""How do a network and its data, whatever they are, become one source?"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

from torch import nn

from pruneviz import limits
from pruneviz.data import Data, Metric
from pruneviz.sources import Source
from pruneviz.sources.data.conversion import without
from pruneviz.sources.data.number_types import accepts
from pruneviz.sources.data.reader import read_data
from pruneviz.sources.data.samples import Samples
from pruneviz.sources.data.several import with_order
from pruneviz.sources.networks.architectures import Architecture, build
from pruneviz.sources.networks.factories import build_by_name
from pruneviz.sources.networks.foreign import foreign
from pruneviz.sources.networks.hub import is_hub_name
from pruneviz.sources.networks.onnx_file import open_onnx
from pruneviz.sources.networks.synthetic import synthetic
from pruneviz.sources.networks.unpickled import runs_code, unpickle
from pruneviz.sources.networks.weights import read_weights
from pruneviz.sources.open_request import LIBRARIES, is_path, lies_there
from pruneviz.sources.open_request import SHARE as SHARE
from pruneviz.sources.open_request import OpenRequest as OpenRequest
from pruneviz.sources.registered import load_registered, registered_names
from pruneviz.sources.spec import InputSpec
from pruneviz.tasks import COMPARISONS

SYNTHETIC = (
    "no data was given: inputs are synthetic, so nothing can be said of accuracy, only how far "
    "answers stay those of the dense network"
)
_SYNTHETIC, _FLOAT, _NAME, _SHOWN = 64, 4, 50, 200
# Networks that answer with the next token; others that answer with tokens see what follows.
_CAUSAL = ("ForCausalLM", "LMHeadModel")
_NOTHING = OpenRequest("")  # is said beside the network and its data


def open_source(opening: OpenRequest) -> Source:
    """The source that is asked for; see `find_source`."""
    found = find_source(opening.model, opening.data, opening)
    return replace(found, opened=opening, unnamed=())


def find_source(
    model: object,
    data: object = None,
    asked: OpenRequest = _NOTHING,
    metric: Metric | None = None,
) -> Source:
    """A source of any network and any data.

    model: an nn.Module; a Source; the name of a registered model; `sample:…`, `timm:…`,
    `torchvision:…`, `hf:…`; `package.module:function` (runs the user's code); or the path of a
    weights file, for the architecture `asked.arch` (any of the names above), or of an ONNX
    file. asked.unsafe: also a `.pt2` or pickled module, which runs code that is in the file.
    data: as `read_data` takes it; without any, inputs are made up and a note says so.
    asked: all else that may be said, see `OpenRequest`; its model and data are those given here.
    metric: of outputs and targets, one number for each sample, higher is better; in place of the
    one that `asked` names.
    Raises ValueError, one sentence that names what is unknown, missing, or does not fit.
    """
    task = asked.task
    if metric is None and asked.metric is not None:
        task, metric = _measure(task, asked.metric)
    found = _network(model, asked.arch, asked.unsafe)
    if isinstance(found, tuple):  # the user's code brought its own data
        found, own = found
        data = own if data is None else data
    if isinstance(found, Source):
        if data is None:
            return _registered(found, metric, task, asked)
        found = Architecture(found.model, found.name, InputSpec("unknown", classes=found.classes))
    samples = _made_up(found, asked.seed) if data is None else _samples(found, data, asked)
    return Source(
        name=found.name,
        model=found.model,
        calibration=samples.calibration,
        validation=samples.validation,
        classes=_named(asked.classes, samples.classes),
        metric=metric,
        output=asked.output,
        notes=(*found.notes, *samples.notes),
        masks=found.masks,
        task=task,
    )


def _samples(found: Architecture, data: object, asked: OpenRequest) -> Samples:
    tokenizer = None if asked.tokenizer is None else Path(asked.tokenizer)
    return read_data(
        data,
        spec=with_order(found.spec, found.model),
        share=asked.share,
        seed=asked.seed,
        size=asked.size,
        mean=asked.mean,
        std=asked.std,
        language=type(found.model).__name__.endswith(_CAUSAL),
        tokenizer=tokenizer or _tokenizer(found.name),
        ignore=asked.ignore,
        target=asked.target,
        accepts=partial(accepts, found.model),
    )


def open_upload(
    weights: bytes | None,
    weights_name: str,
    arch: str,
    data: bytes | None = None,
    data_name: str = "",
    task: str | None = None,
    ignore: int | None = None,
) -> Source:
    """A source of what came through a browser: bytes of weights (or none) and of an `.npz`.

    Nothing in it is ever run: no pickled modules, no own code, no paths of this machine.
    Raises ValueError, one sentence for whatever is refused.
    """
    # First, because of a file that holds no weights no architecture need be known.
    read = None if weights is None else read_weights(weights, weights_name)
    arch = arch.strip()
    if not arch.startswith(LIBRARIES):
        raise ValueError(
            f"name the architecture as {', '.join(f'{kind}…' for kind in LIBRARIES)}, "
            f"got {arch[:100]!r}; own code is for the command line and Python only"
        )
    rest = arch.partition(":")[2]
    if not is_hub_name(rest):  # also of the other kinds: none has a name that could be a path
        raise ValueError(
            f"{arch[:100]!r} is no name: give one such as hf:owner/name; a folder of this machine "
            "cannot be named from a browser"
        )
    most = limits.limit("app_bytes")
    with limits.tighter(parameters=most // _FLOAT, data_bytes=most, download_bytes=most):
        found = build(arch, read, folders=False)
        spec = with_order(found.spec, found.model)
        samples = _made_up(found, 0) if data is None else _uploaded(data, data_name, spec, ignore)
    asked = OpenRequest(weights_name, arch=arch) if weights_name else OpenRequest(arch)
    return Source(
        name=weights_name or arch,
        model=found.model,
        calibration=samples.calibration,
        validation=samples.validation,
        classes=samples.classes,
        notes=(*found.notes, *samples.notes),
        opened=replace(asked, data=data_name or None, task=task, ignore=ignore),
        task=task,
        unnamed=(),
        masks=found.masks,
    )


def _uploaded(data: bytes, name: str, spec: InputSpec, ignore: int | None) -> Samples:
    if not name.endswith(".npz"):
        raise ValueError(f"{name}: data is uploaded as .npz with x and y")
    with tempfile.TemporaryDirectory() as folder:
        # A file system takes 255 bytes of a name, and not every character.
        plain = "".join(each for each in Path(name).stem if each.isprintable())
        path = Path(folder, f"{plain[:_NAME] or 'data'}.npz")
        path.write_bytes(data)
        return read_data(path, spec=spec, ignore=ignore)


def _network(
    model: object, arch: str | None, unsafe: bool
) -> Architecture | Source | tuple[Architecture, object]:
    if isinstance(model, Source):
        return model
    if isinstance(model, nn.Module):
        return Architecture(model, type(model).__name__, InputSpec("unknown"))
    if isinstance(model, Path):
        return _from_file(model, arch, unsafe)
    if not isinstance(model, str):
        raise ValueError(f"expected a model's name, a Source or an nn.Module, got {model!r}")
    name = model.removeprefix("sample:")
    if name in registered_names() and arch is None:
        return load_registered(name)
    if not model.startswith(LIBRARIES) and (is_path(model) or lies_there(model)):
        return _from_file(Path(model), arch, unsafe)
    if arch is not None:
        raise ValueError(f"{model!r} is a network of its own; arch ({arch}) is for weights files")
    if model.startswith(LIBRARIES):
        return build(model)
    if ":" in model:
        return _own_code(model)
    return load_registered(model)  # which says what there is


def _registered(
    found: Source, metric: Metric | None, task: str | None, asked: OpenRequest
) -> Source:
    """A source that brings its data, as far as nothing else was asked for."""
    return replace(
        _ignoring(found, asked.ignore),
        metric=metric or found.metric,
        task=task or found.task,
        # What it answered when it was trained was judged by the task that it came with.
        dense=found.dense if metric is None and task in (None, found.task) else None,
        output=asked.output or found.output,
        classes=_named(asked.classes, found.classes),
    )


def _own_code(name: str) -> Architecture | Source | tuple[Architecture, object]:
    made = build_by_name(name)
    if isinstance(made, Source):
        return made
    if isinstance(made, nn.Module):
        return Architecture(made, name, InputSpec("unknown"))
    if isinstance(made, tuple) and len(made) == 2 and isinstance(made[0], nn.Module):
        return Architecture(made[0], name, InputSpec("unknown")), made[1]
    raise ValueError(
        f"{name!r} gave {type(made).__name__}; it must give an nn.Module, a Source, or a network "
        "with its data"
    )


def _from_file(path: Path, arch: str | None, unsafe: bool) -> Architecture:
    if not lies_there(path):
        raise ValueError(f"there is no file or folder {str(path)[:_SHOWN]}; check the path")
    path = path.expanduser()
    if path.suffix == ".onnx" and arch is None:
        model, spec, notes = open_onnx(path)
        return Architecture(model, path.name, spec, notes)
    if runs_code(path):
        return _with_code(path, unsafe)
    if arch is None and unsafe and path.is_file():
        if (why := foreign(path, path.name)) is not None:
            raise ValueError(why)
        return _with_code(path, unsafe)
    if arch is None:
        if (path / "config.json").is_file():
            raise ValueError(f"{path.name} is a folder of Transformers; open it as hf:{path}")
        held = read_weights(path)  # which says what the file is, where it holds no weights
        what = "weights" if held.tensors else "masks alone"
        raise ValueError(
            f"{path.name} holds {what}; say which architecture they are for with arch "
            "(--arch), such as timm:resnet18, hf:FOLDER or package.module:function"
        )
    found = build(arch, read_weights(path), own_code=True)
    return replace(found, name=path.name)


def _with_code(path: Path, unsafe: bool) -> Architecture:
    model, notes = unpickle(path, unsafe)
    return Architecture(model, path.name, InputSpec("unknown"), notes)


def _made_up(found: Architecture, seed: int) -> Samples:
    inputs = synthetic(found.spec, found.model, _SYNTHETIC, seed)
    samples = read_data(inputs, share=0.25, seed=seed)
    return replace(samples, classes=()).said(SYNTHETIC)


def _metric(name: str) -> Metric:
    found = build_by_name(name, call=False)
    if not callable(found):
        raise ValueError(f"{name!r} is {type(found).__name__}, not a function of outputs, targets")
    return cast(Metric, found)


def _measure(task: str | None, metric: str) -> tuple[str | None, Metric | None]:
    """The task and the metric that are meant: a comparison with the dense network is a task."""
    if metric not in COMPARISONS:
        return task, _metric(metric)
    if task not in (None, metric):
        raise ValueError(f"task {task!r} and metric {metric!r} are two measures; name one of them")
    return metric, None


def _ignoring(source: Source, label: int | None) -> Source:
    notes: list[str] = []

    def marked(data: Data) -> Data:
        if data.targets is None:
            return data
        return Data(data.inputs, without(data.targets, label, notes))

    return replace(
        source,
        calibration=marked(source.calibration),
        validation=marked(source.validation),
        training=None if source.training is None else marked(source.training),
        notes=(*source.notes, *dict.fromkeys(notes)),
    )


def _named(asked: tuple[str, ...], found: tuple[str, ...]) -> tuple[str, ...]:
    if asked and len(asked) < len(found):
        raise ValueError(
            f"{len(asked)} class names were given for {len(found)} classes; name them all, in "
            "the order of the labels"
        )
    if "" in asked or len(set(asked)) < len(asked):
        raise ValueError(f"class names must differ and not be empty, got {', '.join(asked)}")
    return asked if asked and found else found


def _tokenizer(name: str) -> Path | None:
    folder = Path(name.removeprefix("hf:"))
    return folder if name.startswith("hf:") and folder.is_dir() else None
