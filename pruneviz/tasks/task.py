"""What is a task?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

from pruneviz.data import Outcome
from pruneviz.scale import Scale

Name = Literal[
    "classes", "binary", "labels", "positions", "skills", "values",
    "agreement", "closeness", "cosine",
]  # fmt: skip

COMPARISONS = ("agreement", "closeness", "cosine")  # with the dense network, without targets
TASKS = ("classes", "binary", "labels", "positions", "skills", "values", *COMPARISONS)


def no_columns(outcome: Outcome) -> dict[str, Column]:
    """No measure has an interval of its own."""
    return {}


def same(targets: Tensor) -> Tensor:
    """The targets as they are."""
    return targets


@dataclass(frozen=True)
class Column:
    """What a measure is the mean of, sample by sample, so that its interval can be told.

    values: [n], weighted by `weight` [n] (None: all the same), each between `bounds`. of: makes the
    measure of that mean; it never falls.
    """

    values: Tensor
    weight: Tensor | None = None
    bounds: tuple[float, float] = (0.0, 1.0)
    of: Callable[[float], float] = float


@dataclass(frozen=True)
class Task:
    """What the answers of a network are measured by.

    label and word name the score, as a heading and within a sentence; loss_label names the loss.
    binary: each score is 0 or 1. against_dense: the `targets` of judge are the dense network's
    outputs for the same inputs. bounds: the least and the most that a score can be. share: whether
    a score is a share of what is right, told in per cent and its changes in points; any other
    score is told as it is. note: a sentence that says why this is the task. form: of the outputs,
    see `pruneviz.tasks.forms`. single: whether targets are one class a sample, and answers too.
    column_bytes: what an outcome holds of each sample. output: the name of the output that is
    judged; None: the main one. axis: of the outputs, on which classes lie. others: how further
    outputs are compared with the dense network's; overall: the score is the mean of all of them.

    targets(targets): brought to the one form that judge and loss take: class numbers int64 [n] or
    [n, ...] (with skills [n, words, 2]: the word that follows and its skill), zeros and ones, or
    values; twice is once.
    judge(outputs, targets): the Outcome of a block, on the CPU, computed in float32 at least. An
    answer (of positions, each) that holds NaN or infinite numbers, as half precision does beyond
    65,504, counts as none: score 0, loss inf, True in the column "broken"; -inf among classes
    only rules one out.
    loss(outputs, targets): [b], differentiable. Where there are no targets (None) the network's
    own answers stand in for classes, and zero for values.
    measures(outcome): every number one asks for, by name.
    columns(outcome): what those of them are means of that are told with an interval.
    prefix(outcome, targets): the scores of these samples alone, where a score depends on which
    samples are measured beside it (R² on how far they are spread).
    """

    name: Name
    label: str
    word: str
    loss_label: str
    binary: bool
    against_dense: bool
    judge: Callable[[Tensor, Tensor], Outcome] = field(repr=False)
    loss: Callable[[Tensor, Tensor | None], Tensor] = field(repr=False)
    measures: Callable[[Outcome], dict[str, float]] = field(repr=False)
    targets: Callable[[Tensor], Tensor] = field(default=same, repr=False)
    columns: Callable[[Outcome], dict[str, Column]] = field(default=no_columns, repr=False)
    prefix: Callable[[Outcome, Tensor], Outcome] | None = field(default=None, repr=False)
    bounds: tuple[float, float] = (0.0, 1.0)
    share: bool = True
    note: str = ""
    form: str = ""
    single: bool = False
    column_bytes: int = 24
    output: str | None = None
    axis: int = -1
    others: Mapping[str, Task] = field(default_factory=dict, hash=False)
    overall: bool = False

    @property
    def needs_dense(self) -> bool:
        """Whether the dense network's answers take part."""
        return self.against_dense or bool(self.others)

    @property
    def scale(self) -> Scale:
        """The unit in which its score is told, and a change of it."""
        return Scale(self.share, self.word)

    @property
    def unit(self) -> str:
        """See `Scale.unit`."""
        return self.scale.unit

    def score_text(self, score: float) -> str:
        """See `Scale.score_text`."""
        return self.scale.score_text(score)

    def interval_text(self, low: float, high: float) -> str:
        """See `Scale.interval_text`."""
        return self.scale.interval_text(low, high)

    def change_text(self, delta: float, *, unit: bool = True) -> str:
        """See `Scale.change_text`."""
        return self.scale.change_text(delta, unit=unit)
