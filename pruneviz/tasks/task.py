"""What is a task?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

from pruneviz.data import Outcome

Name = Literal[
    "classes", "binary", "labels", "positions", "values", "agreement", "closeness", "cosine"
]

COMPARISONS = ("agreement", "closeness", "cosine")  # with the dense network, without targets
TASKS = ("classes", "binary", "labels", "positions", "values", *COMPARISONS)


def same(targets: Tensor) -> Tensor:
    """The targets as they are."""
    return targets


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
    judged; None: the main one. others: how further outputs are compared with the dense network's;
    overall: the score is the mean of all in `others`.

    targets(targets): brought to the one form that judge and loss take: class numbers int64 [n] or
    [n, ...], zeros and ones, or values; twice is once.
    judge(outputs, targets): the Outcome of a block, on the CPU, computed in float32 at least. An
    answer (of positions, each) that holds NaN or infinite numbers, as half precision does beyond
    65,504, counts as none: score 0, loss inf, True in the column "broken"; -inf among classes
    only rules one out.
    loss(outputs, targets): [b], differentiable. Where there are no targets (None) the network's
    own answers stand in for classes, and zero for values.
    measures(outcome): every number one asks for, by name.
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
    prefix: Callable[[Outcome, Tensor], Outcome] | None = field(default=None, repr=False)
    bounds: tuple[float, float] = (0.0, 1.0)
    share: bool = True
    note: str = ""
    form: str = ""
    single: bool = False
    column_bytes: int = 24
    output: str | None = None
    others: Mapping[str, Task] = field(default_factory=dict, hash=False)
    overall: bool = False

    @property
    def needs_dense(self) -> bool:
        """Whether the dense network's answers take part."""
        return self.against_dense or bool(self.others)

    @property
    def unit(self) -> str:
        """What a change of the score is counted in: points of a share, else the score itself."""
        return "points" if self.share else self.word

    @property
    def scale(self) -> float:
        """What a score and its changes are multiplied by to be told: 100 where it is a share."""
        return 100.0 if self.share else 1.0

    def score_text(self, score: float) -> str:
        """A score as it is told: "93.1 %", or "0.931" of what is no share."""
        if math.isnan(score):
            return "–"
        return f"{100 * score:.1f} %" if self.share else figures(score)

    def interval_text(self, low: float, high: float) -> str:
        """An interval of the score: "92.0 – 94.1 %", or "0.920 – 0.941"."""
        if self.share:
            return f"{100 * low:.1f} – {100 * high:.1f} %"
        return f"{figures(low)} – {figures(high)}"

    def change_text(self, delta: float, *, unit: bool = True) -> str:
        """A change of the score with its sign: "-1.2 points", or "-0.012" of what is no share."""
        text = f"{100 * delta:+.1f}" if self.share else figures(delta, sign="+")
        return f"{text} {self.unit}" if unit else text


def figures(value: float, sign: str = "") -> str:
    """A number in three figures after the point, or three in all where it is large."""
    if abs(value) >= 10 and math.isfinite(value):
        return f"{value:{sign},.3g}" if abs(value) < 1000 else f"{value:{sign},.0f}"
    return f"{value:{sign}.3f}"
