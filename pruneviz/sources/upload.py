"""How does what comes through a browser become a source?"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from pruneviz import limits
from pruneviz.sources import Source
from pruneviz.sources.data.reader import numbers_of, samples_of, size_of
from pruneviz.sources.data.samples import DataRequest, Samples
from pruneviz.sources.data.several import with_order
from pruneviz.sources.data.training import with_training
from pruneviz.sources.networks.architectures import build
from pruneviz.sources.networks.hub import is_hub_name
from pruneviz.sources.networks.weights import read_weights
from pruneviz.sources.open_request import LIBRARIES, SHARE, OpenRequest
from pruneviz.sources.opening import synthesise
from pruneviz.sources.spec import InputSpec

_FLOAT, _NAME = 4, 50
_SUFFIXES = (".npz", ".zip")


@dataclass(frozen=True)
class PictureFormat:
    """How the pictures of an upload are fed: what is None, the architecture's own source says.

    size: height and width in pixels. mean, std: a number for each channel, of pixels in 0..1.
    classes: their names in the order of the network's outputs.
    """

    size: tuple[int, int] | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    classes: tuple[str, ...] = ()


def open_upload(
    weights: bytes | None,
    weights_name: str,
    arch: str,
    data: bytes | None = None,
    data_name: str = "",
    task: str | None = None,
    ignore: int | None = None,
    train: bytes | None = None,
    train_name: str = "",
    pictures: PictureFormat = PictureFormat(),
) -> Source:
    """A source of what came through a browser: bytes of weights (or none) and of an `.npz` or a
    `.zip` of pictures, one that measures and one to learn from.

    Nothing in it is ever run: no pickled modules, no own code, no paths of this machine.
    Raises ValueError, one sentence for whatever is refused.
    """
    # First, because of a file that holds no weights no architecture need be known.
    uploaded = None if weights is None else read_weights(weights, weights_name)
    arch = _arch(arch.strip())
    most = limits.limit("app_bytes")
    with limits.tighter(parameters=most // _FLOAT, data_bytes=most, download_bytes=most):
        architecture = build(arch, uploaded, folders=False)
        spec = with_order(architecture.spec, architecture.model)
        what = _data_request(spec, pictures, ignore)
        files = ((data, data_name), (train, train_name))
        if data is None and train is not None:
            raise ValueError(f"{train_name}: training data needs data that measures beside it")
        samples = synthesise(architecture, 0) if data is None else _read_upload(files, what)
    request = OpenRequest(weights_name, arch=arch) if weights_name else OpenRequest(arch)
    request = replace(
        request, data=data_name or None, task=task, ignore=ignore, train=train_name or None
    )
    return Source(
        name=weights_name or arch,
        model=architecture.model,
        calibration=samples.calibration,
        validation=samples.validation,
        classes=samples.classes,
        notes=(*architecture.notes, *samples.notes),
        training=samples.training,
        opened=replace(request, **vars(pictures)),
        task=task,
        unnamed=(),
        masks=architecture.masks,
    )


def _arch(arch: str) -> str:
    """The architecture, if its name is one that runs no code and reads no folder here."""
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
    return arch


def _data_request(spec: InputSpec, pictures: PictureFormat, ignore: int | None) -> DataRequest:
    names = pictures.classes
    if "" in names or len(set(names)) < len(names):
        raise ValueError(f"class names must differ and not be empty, got {', '.join(names)[:200]}")
    return DataRequest(
        replace(spec, classes=names or spec.classes),
        size_of(pictures.size),
        numbers_of(pictures.mean),
        numbers_of(pictures.std),
        ignore=ignore,
    )


def _read_upload(files: Iterable[tuple[bytes | None, str]], request: DataRequest) -> Samples:
    """The samples of a file, and those to learn from of the second where there is one."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [_write(data, name, Path(folder, str(at)))
                 for at, (data, name) in enumerate(files) if data is not None]  # fmt: skip
        samples = samples_of(paths[0], request, SHARE)
        return samples if len(paths) == 1 else with_training(samples, paths[1], request)


def _write(data: bytes, name: str, folder: Path) -> Path:
    suffix = Path(name).suffix.lower()
    if suffix not in _SUFFIXES:
        raise ValueError(f"{name}: data is uploaded as .npz with x and y, or as .zip of pictures")
    # A file system takes 255 bytes of a name, and not every character.
    plain = "".join(each for each in Path(name).stem if each.isprintable())
    folder.mkdir()
    path = folder / f"{plain[:_NAME] or 'data'}{suffix}"
    path.write_bytes(data)
    return path
