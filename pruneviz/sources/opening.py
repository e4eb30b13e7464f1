"""How do a network and its data, whatever they are, become one source?"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

from torch import nn

from pruneviz.data import Data, Metric
from pruneviz.sources import Source
from pruneviz.sources.data.conversion import without
from pruneviz.sources.data.number_types import accepts
from pruneviz.sources.data.reader import numbers_of, read_data, samples_of, size_of
from pruneviz.sources.data.samples import DataRequest, Samples
from pruneviz.sources.data.several import with_order
from pruneviz.sources.data.texts import language_of
from pruneviz.sources.data.training import with_training
from pruneviz.sources.networks.architectures import Architecture, build
from pruneviz.sources.networks.factories import build_by_name
from pruneviz.sources.networks.foreign import foreign
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
_SYNTHETIC, _SHOWN = 64, 200
# Networks that answer with the next token; others that answer with tokens see what follows.
_CAUSAL = ("ForCausalLM", "LMHeadModel")
_NOTHING = OpenRequest("")  # is said beside the network and its data


def open_source(opening: OpenRequest) -> Source:
    """The source that is asked for; see `find_source`."""
    source = find_source(opening.model, opening.data, opening, train=opening.train)
    return replace(source, opened=opening, unnamed=())


def find_source(
    model: object,
    data: object = None,
    request: OpenRequest = _NOTHING,
    metric: Metric | None = None,
    train: object = None,
) -> Source:
    """A source of any network and any data.

    model: an nn.Module; a Source; the name of a registered model; `sample:…`, `timm:…`,
    `torchvision:…`, `hf:…`; `package.module:function` (runs the user's code); or the path of a
    weights file, for the architecture `request.arch` (any of the names above), or of an ONNX
    file. request.unsafe: also a `.pt2` or pickled module, which runs code that is in the file.
    data, train: as `read_data` takes it; without data, inputs are made up and a note says so;
    without train a network learns from the samples that calibrate.
    request: all else that may be said, see `OpenRequest`; its model and data are those given here.
    metric: of outputs and targets, one number for each sample, higher is better; in place of the
    one that `request` names.
    Raises ValueError, one sentence that names what is unknown, missing, or does not fit.
    """
    task = request.task
    if metric is None and request.metric is not None:
        task, metric = _measure(task, request.metric)
    network = _network(model, request.arch, request.unsafe)
    if isinstance(network, tuple):  # the user's code brought its own data
        network, own = network
        data = own if data is None else data
    if isinstance(network, Source):
        if data is None:
            return _adapt(network, metric, task, request, train)
        network = Architecture(
            network.model, network.name, InputSpec("unknown", classes=network.classes)
        )
    if data is None and train is not None:
        raise ValueError("training data was given, and no data that measures: give data (--data)")
    samples = (
        synthesise(network, request.seed)
        if data is None
        else _samples(network, data, train, request)
    )
    return Source(
        name=network.name,
        model=network.model,
        calibration=samples.calibration,
        validation=samples.validation,
        classes=_class_names(request.classes, samples.classes, task),
        metric=metric,
        output=request.output,
        notes=(*network.notes, *samples.notes),
        masks=network.masks,
        task=task,
        training=samples.training,
        language=language_of(_data_request(network.model, network.name, network.spec, request)),
    )


def _samples(
    architecture: Architecture, data: object, train: object, request: OpenRequest
) -> Samples:
    spec = with_order(architecture.spec, architecture.model)
    what = _data_request(architecture.model, architecture.name, spec, request)
    samples = samples_of(data, what, request.share)
    return samples if train is None else with_training(samples, train, what)


def _data_request(
    model: nn.Module, name: str, spec: InputSpec, request: OpenRequest
) -> DataRequest:
    tokenizer = None if request.tokenizer is None else Path(request.tokenizer)
    return DataRequest(
        spec,
        size_of(request.size),
        numbers_of(request.mean),
        numbers_of(request.std),
        request.seed,
        language=type(model).__name__.endswith(_CAUSAL),
        tokenizer=tokenizer or _tokenizer(name),
        ignore=request.ignore,
        target=request.target,
        accepts=partial(accepts, model),
    )


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


def _adapt(
    source: Source, metric: Metric | None, task: str | None, request: OpenRequest, train: object
) -> Source:
    """A source that brings its data, as far as nothing else was asked for."""
    if train is not None:
        source = _with_training(source, train, request)
    return replace(
        _ignore(source, request.ignore),
        metric=metric or source.metric,
        task=task or source.task,
        # What it answered when it was trained was judged by the task that it came with.
        dense=source.dense if metric is None and task in (None, source.task) else None,
        output=request.output or source.output,
        classes=_class_names(request.classes, source.classes, task),
    )


def _with_training(source: Source, train: object, request: OpenRequest) -> Source:
    """A source that learns from other samples than it brings."""
    own = Samples(source.calibration, source.validation, source.classes, source.notes)
    spec = with_order(InputSpec("unknown", classes=source.classes), source.model)
    samples = with_training(own, train, _data_request(source.model, source.name, spec, request))
    return replace(source, training=samples.training, notes=samples.notes)


def _own_code(name: str) -> Architecture | Source | tuple[Architecture, object]:
    value = build_by_name(name)
    if isinstance(value, Source):
        return value
    if isinstance(value, nn.Module):
        return Architecture(value, name, InputSpec("unknown"))
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], nn.Module):
        return Architecture(value[0], name, InputSpec("unknown")), value[1]
    raise ValueError(
        f"{name!r} gave {type(value).__name__}; it must give an nn.Module, a Source, or a network "
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
        weights = read_weights(path)  # which says what the file is, where it holds no weights
        what = "weights" if weights.tensors else "masks alone"
        raise ValueError(
            f"{path.name} holds {what}; say which architecture they are for with arch "
            "(--arch), such as timm:resnet18, hf:FOLDER or package.module:function"
        )
    architecture = build(arch, read_weights(path), own_code=True)
    return replace(architecture, name=path.name)


def _with_code(path: Path, unsafe: bool) -> Architecture:
    model, notes = unpickle(path, unsafe)
    return Architecture(model, path.name, InputSpec("unknown"), notes)


def synthesise(architecture: Architecture, seed: int) -> Samples:
    """Inputs that are made up, for want of any."""
    inputs = synthetic(architecture.spec, architecture.model, _SYNTHETIC, seed)
    samples = read_data(inputs, share=0.25, seed=seed)
    return replace(samples, classes=()).with_note(SYNTHETIC)


def _metric(name: str) -> Metric:
    metric = build_by_name(name, call=False)
    if not callable(metric):
        raise ValueError(f"{name!r} is {type(metric).__name__}, not a function of outputs, targets")
    return cast(Metric, metric)


def _measure(task: str | None, metric: str) -> tuple[str | None, Metric | None]:
    """The task and the metric that are meant: a comparison with the dense network is a task."""
    if metric not in COMPARISONS:
        return task, _metric(metric)
    if task not in (None, metric):
        raise ValueError(f"task {task!r} and metric {metric!r} are two measures; name one of them")
    return metric, None


def _ignore(source: Source, label: int | None) -> Source:
    notes: list[str] = []

    def mark(data: Data) -> Data:
        if data.targets is None:
            return data
        return Data(data.inputs, without(data.targets, label, notes))

    return replace(
        source,
        calibration=mark(source.calibration),
        validation=mark(source.validation),
        training=None if source.training is None else mark(source.training),
        notes=(*source.notes, *dict.fromkeys(notes)),
    )


def _class_names(own: tuple[str, ...], usual: tuple[str, ...], task: str | None) -> tuple[str, ...]:
    if own and len(own) < len(usual):
        raise ValueError(
            f"{len(own)} class names were given for {len(usual)} classes; name them all, in "
            "the order of the labels"
        )
    if "" in own or len(set(own)) < len(own):
        raise ValueError(f"class names must differ and not be empty, got {', '.join(own)}")
    # Skills have no names but those that are given.
    return own if own and (usual or task == "skills") else usual


def _tokenizer(name: str) -> Path | None:
    folder = Path(name.removeprefix("hf:"))
    return folder if name.startswith("hf:") and folder.is_dir() else None
