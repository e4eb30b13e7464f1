"""What travels from room to room: inputs, targets, outcomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import Tensor

IGNORED = -100  # a position whose target is that is left out, as torch's cross-entropy does
Inputs = Tensor | Mapping[str, Tensor]
Metric = Callable[[Tensor, Tensor], Tensor | float]


@dataclass(frozen=True)
class Data:
    """Samples, with or without what the network should answer to them.

    inputs: [n, ...] as the model takes them (scaled already), or a mapping of such tensors that
    are given to the model by name (input_ids=..., attention_mask=...).
    targets: int64 [n], a class for each sample; int64 [n, ...], a class for each position (the
    next token, a pixel; -100 is left out); zeros and ones [n, ...], labels that are there or not;
    floats [n, ...], values to come close to; or None.

    >>> len(pv.Data(torch.randn(20, 4), torch.arange(20) % 3).first(5))
    5
    """

    inputs: Inputs
    targets: Tensor | None = None

    def __post_init__(self) -> None:
        if any(t.ndim == 0 for t in (*self.tensors().values(), self.targets) if t is not None):
            raise ValueError(
                "inputs and targets need a first dimension that counts the samples; got one number"
            )
        self._refuse_edges()
        lengths = {name: len(tensor) for name, tensor in self.tensors().items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"inputs of data differ in length: {lengths}; give as many of each")
        if self.targets is not None and len(self) != len(self.targets):
            raise ValueError(
                f"data has {len(self)} inputs but {len(self.targets)} targets; "
                "give one target for each input"
            )

    def _refuse_edges(self) -> None:
        """ValueError where a tensor [2, edges] stands beside others of another length."""
        tensors = self.tensors() | ({} if self.targets is None else {"targets": self.targets})
        for name, tensor in tensors.items():
            pairs = tensor.ndim == 2 and len(tensor) == 2 and not tensor.is_floating_point()
            if pairs and tensor.shape[1] > 2 and any(len(other) != 2 for other in tensors.values()):
                raise ValueError(
                    f"{name or 'inputs'} of shape {tuple(tensor.shape)} are the edges of a graph, "
                    "it seems, whose nodes are no samples apart from each other: wrap the network "
                    "in a module that keeps the edges and takes features [1, nodes, features], "
                    "a graph a sample"
                )

    def __len__(self) -> int:
        return next((len(tensor) for tensor in self.tensors().values()), 0)

    def tensors(self) -> dict[str, Tensor]:
        """The input tensors by name; a single one has the name ""."""
        return {"": self.inputs} if isinstance(self.inputs, Tensor) else dict(self.inputs)

    def take(self, which: slice | Tensor) -> Data:
        """The samples of a slice or of an int64 index."""
        targets = None if self.targets is None else self.targets[which]
        return Data(self.inputs_of(which), targets)

    def inputs_of(self, which: slice | Tensor) -> Inputs:
        """The inputs of the samples of a slice or of an int64 index."""
        if isinstance(self.inputs, Tensor):
            return self.inputs[which]
        return {name: tensor[which] for name, tensor in self.inputs.items()}

    def first(self, n: int) -> Data:
        """The first n samples (all of them if there are fewer)."""
        return self.take(slice(n))


@dataclass(frozen=True)
class Outcome:
    """What one network answered on the first n validation samples, sample by sample.

    predicted: int64 [n], the class answered, -1 where an answer is no class. loss: float32 [n].
    score: float32 [n], how good each answer is (1 = right); None: 1 where `predicted` is the
    target. weight: float32 [n], how much each sample counts (tokens of a text); None: the same.
    more: further columns, each [n].
    """

    predicted: Tensor
    loss: Tensor
    score: Tensor | None = None
    weight: Tensor | None = None
    more: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.loss)

    def part(self, start: int, stop: int) -> Outcome:
        """The answers to samples start..stop."""
        which = slice(start, stop)
        return Outcome(
            self.predicted[which],
            self.loss[which],
            None if self.score is None else self.score[which],
            None if self.weight is None else self.weight[which],
            {name: column[which] for name, column in self.more.items()},
        )


def check_targets(targets: Tensor | None, bound: int, what: str) -> None:
    """ValueError with the first class outside 0..bound-1; `what` says what sets the bound.

    Floats and None are no classes; a position (not a sample) may be left out by -100.
    """
    if targets is None or targets.is_floating_point() or targets.is_complex():
        return
    wrong = (targets < 0) | (targets >= bound)
    if targets.ndim > 1:
        wrong &= targets != IGNORED
    if bool(wrong.any()):
        label, way = int(targets[wrong][0]), ""
        if targets.ndim > 1:
            way = (
                f"; if {label} marks positions that do not count, leave them out with "
                f"ignore={label} (--ignore {label})"
            )
        raise ValueError(
            f"targets must be in 0..{bound - 1}, {what}; got {label}. "
            f"Check the labels, or open a network with more outputs{way}"
        )
