"""What is asked to be opened?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SHARE = 0.3
LIBRARIES = ("sample:", "timm:", "torchvision:", "hf:")
_SUFFIXES = (
    ".safetensors", ".pt", ".pth", ".bin", ".json", ".pt2", ".onnx", ".ckpt", ".gguf", ".h5",
    ".keras", ".tflite", ".npz", ".yaml",
)  # fmt: skip


@dataclass(frozen=True)
class OpenRequest:
    """What is asked to be opened, in plain values: what stands on a command line.

    model, arch, data, train, metric: names or paths as `find_source` takes them; a model of "" is
    in hand in Python and has no name. train: to learn from, apart from data. classes: names.
    task: what it is measured by, of `pruneviz.tasks.TASKS`.
    ignore: the target of positions that do not count.
    size, mean, std: of images. share: of the data that calibrates. unsafe: whether a file may
    run the code that it holds. tokenizer: the folder of one. output: the name of the output that
    is scored, of a network that has several. target: the column of a table that holds the targets.
    """

    model: str
    data: str | None = None
    arch: str | None = None
    metric: str | None = None
    classes: tuple[str, ...] = ()
    size: int | tuple[int, int] | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    share: float = SHARE
    seed: int = 0
    unsafe: bool = False
    tokenizer: str | None = None
    output: str | None = None
    task: str | None = None
    ignore: int | None = None
    target: str | None = None
    train: str | None = None

    @property
    def label(self) -> str:
        """What the network is called on the screen."""
        return Path(self.model).name if is_path(self.model) else self.model

    @property
    def code(self) -> tuple[str, ...]:
        """Names in it that run code of somebody's own when they are opened."""
        names = (self.model, self.arch, self.data, self.train, self.metric)
        own = [name for name in names if name and _is_code(name)]
        return (*own, *([f"{self.model} (unsafe)"] if self.unsafe else []))


def is_path(text: str) -> bool:
    """Whether a name means a file or folder, there or not."""
    return "/" in text or "\\" in text or text.endswith(_SUFFIXES)


def _is_code(name: str) -> bool:
    # Rather too many than too few: a path with a colon in it must be there to count as one.
    return ":" in name and not name.startswith(LIBRARIES) and not Path(name).exists()


def lies_there(path: str | Path) -> bool:
    """Whether there is a file or a folder; of what can be no path there is none."""
    try:
        return Path(path).expanduser().exists()
    # No home of that user; a name that is too long, or holds a zero.
    except (RuntimeError, OSError, ValueError):
        return False
