"""Where do a model and its data come from?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn

from pruneviz.data import Data, Metric, Outcome
from pruneviz.language import Language
from pruneviz.plan import Plan
from pruneviz.sources.open_request import OpenRequest


@dataclass(frozen=True)
class Provenance:
    """What a network was before it was trained here, and what it was trained by.

    name, weights (their fingerprint), opened, unnamed: of the network it began as. steps: plain
    values, one a training, as `TrainingStep` holds them. plan: cuts what the last one left at
    zero; params: the parameters that it left.
    """

    name: str
    weights: str
    opened: OpenRequest | None
    unnamed: tuple[str, ...]
    steps: tuple[Mapping[str, object], ...]
    plan: Plan = field(default_factory=Plan)
    params: int = 0


@dataclass(frozen=True)
class Source:
    """A network with the data that feeds and measures it.

    calibration feeds the criteria (drawn from the training split); validation measures and is
    never used to choose scores. classes: their names, empty where answers are no classes.
    `dense` may carry what the dense network answered on all of `validation` when it was trained,
    so that there is something to show before anything ran. metric: the user's own, of outputs and
    targets: a number for each sample, higher is better. task: what the user says it is measured
    by, of `pruneviz.tasks.TASKS`; None: inferred from outputs and targets. output: the name of the
    output that is scored, of several; None: the main one. notes: sentences on how it was found.
    training: what may train it; None: only `calibration` may. past: where it was trained here;
    parent: the network it was trained from, so that all are compared with the first. language: of
    a language model, how text becomes its tokens and back, where that is known.
    masks: what the network came pruned by, by parameter (bool, True = kept); its weights are zero
    where they cut. plan: that cuts the same, where those masks are whole units; None: it is found.
    opened: by which names it can be opened again, as far as it has any; unnamed: which of "model",
    "data", "metric" and "train" were things of Python, that nobody else can name.

    >>> pv.open("lenet300").source.classes[:3]
    ('0', '1', '2')
    """

    name: str
    model: nn.Module
    calibration: Data
    validation: Data
    classes: tuple[str, ...]
    card: Mapping[str, object] = field(default_factory=dict)
    dense: Outcome | None = None
    metric: Metric | None = None
    output: str | None = None
    notes: tuple[str, ...] = ()
    opened: OpenRequest | None = None
    unnamed: tuple[str, ...] = ("model", "data")
    training: Data | None = None
    past: Provenance | None = None
    masks: Mapping[str, Tensor] = field(default_factory=dict)
    plan: Plan | None = None
    task: str | None = None
    parent: Source | None = None
    language: Language | None = None
