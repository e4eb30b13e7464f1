"""How alike do the criteria judge this network?"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pruneviz.comparison.similarity import SAMPLE, chance, cut_set, jaccard, sample_of, spearman
from pruneviz.measuring.bench import Bench
from pruneviz.plan import Plan, pattern, settings_of
from pruneviz.progress import Progress
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.pruning.evidence import parts_for
from pruneviz.pruning.masks import layer_count
from pruneviz.pruning.sliders import Slider

OVERLAPS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_GATHERING = 0.7  # of the time, about


@dataclass(frozen=True, eq=False)
class Similarity:
    """Every criterion against every other, layer by layer (or group of layers cut together).

    plan: the granularity and how scores are put together; nothing cut. levels: sparsities at which
    the sets of items that are cut were compared: the cut ones, for what is lost makes the
    difference, and at usual sparsities most of what is kept is kept by all. criteria, layers: the
    axes. items: how many there are of each layer. correlation: Spearman's, [layers, criteria,
    criteria]. overlap: Jaccard's, [layers, levels, criteria, criteria]. NaN where a criterion is
    not defined, gives all items one score, or nothing is cut. share: cut, [layers, levels].
    left_out: criterion -> layer -> why it says nothing there.
    """

    plan: Plan
    levels: tuple[float, ...]
    criteria: tuple[str, ...]
    layers: tuple[str, ...]
    items: Mapping[str, int]
    correlation: NDArray[np.float64]
    overlap: NDArray[np.float64]
    share: NDArray[np.float64]
    left_out: Mapping[str, Mapping[str, str]]

    def correlations(self, layer: str | None = None) -> pd.DataFrame:
        """Spearman's correlations, criteria × criteria, of a layer; None: the mean over layers."""
        return self._square(self.correlation, layer)

    def overlaps(self, level: float, layer: str | None = None) -> pd.DataFrame:
        """Jaccard's overlaps of what is cut at one of the levels, as `correlations`."""
        return self._square(self.overlap[:, self._at(level)], layer)

    def chance(self, level: float, layer: str | None = None) -> float:
        """The overlap to expect of two random choices, of a layer or on the mean."""
        shares = self.share[:, self._at(level)]
        rows = shares if layer is None else shares[[self._layer(layer)]]
        rows = rows[rows > 0]
        return float(np.mean([chance(share) for share in rows])) if len(rows) else float("nan")

    @property
    def table(self) -> pd.DataFrame:
        """One row a layer, sparsity and pair: layer, sparsity, a, b, spearman, jaccard, chance.

        chance: the overlap to expect of two random choices. Each pair twice, and each criterion
        with itself; pairs of which one is left out in a layer are not there.
        """
        layers, levels, names = len(self.layers), len(self.levels), len(self.criteria)
        shape = (layers, levels, names, names)
        by_layer, by_level, by_a, by_b = (axis.ravel() for axis in np.indices(shape))
        whole = np.broadcast_to(self.correlation[:, None], shape)
        by_chance = np.vectorize(chance, otypes=[float])(self.share)[..., None, None]
        pairs = pd.DataFrame(
            {
                "layer": np.array(self.layers, dtype=object)[by_layer],
                "sparsity": np.array(self.levels)[by_level],
                "a": np.array(self.criteria, dtype=object)[by_a],
                "b": np.array(self.criteria, dtype=object)[by_b],
                "spearman": whole.ravel(),
                "jaccard": self.overlap.ravel(),
                "chance": np.broadcast_to(by_chance, shape).ravel(),
            }
        )
        out = {(name, layer) for name, layers in self.left_out.items() for layer in layers}
        mine = [
            (a, layer) not in out and (b, layer) not in out
            for layer, a, b in zip(pairs["layer"], pairs["a"], pairs["b"], strict=True)
        ]
        return pairs[mine].reset_index(drop=True)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what was left out, and where a sample stands for all items."""
        sentences = []
        for name, layers in self.left_out.items():
            reasons = {why: [n for n in layers if layers[n] == why] for why in layers.values()}
            for why, where in reasons.items():
                sentences.append(f"{name} is left out in {_few(where)}: {why}")
        large = [name for name in self.layers if self.items[name] > SAMPLE]
        if large:
            sentences.append(
                f"of {_few(large)} a fixed random sample of {SAMPLE:,} items is used for all"
            )
        return tuple(sentences)

    def _square(self, values: NDArray[np.float64], layer: str | None) -> pd.DataFrame:
        if layer is None:
            with warnings.catch_warnings():  # a pair that is defined nowhere has no mean
                warnings.simplefilter("ignore", RuntimeWarning)
                square = np.nanmean(values, axis=0) if len(values) else values.sum(axis=0)
        else:
            square = values[self._layer(layer)]
        names = list(self.criteria)
        return pd.DataFrame(square, index=names, columns=names)

    def _layer(self, layer: str) -> int:
        if layer not in self.layers:
            raise ValueError(f"no layer {layer!r} was compared; there are {_few(self.layers)}")
        return self.layers.index(layer)

    def _at(self, level: float) -> int:
        if level not in self.levels:
            raise ValueError(f"no level {level!r} was compared; there are {self.levels}")
        return self.levels.index(level)


def similarity(bench: Bench, plan: Plan, levels: Sequence[float], progress: Progress) -> Similarity:
    """All criteria that the plan's granularity allows, against each other; evidence is gathered.

    An N:M pattern is compared at its own level. ValueError for levels outside (0, 1].
    """
    settings, levels = settings_of(plan), levels_for(plan, levels)
    names = [name for name, criterion in CRITERIA.items() if criterion.allows(plan.granularity)]
    gather_for(bench, names, lambda label, done: progress(label, _GATHERING * done))
    able, left_out = able_sliders(bench, settings, names)
    layers = {s.name: s for name in names for s in able[name]}
    order = [name for name in bench.layer_of if name in layers]
    correlation = np.full((len(order), len(names), len(names)), np.nan)
    overlap = np.full((len(order), len(levels), len(names), len(names)), np.nan)
    share = np.zeros((len(order), len(levels)))
    for place, layer in enumerate(order):
        progress(f"comparing {layer}", _GATHERING + (1 - _GATHERING) * place / len(order))
        criterion = _layer(bench, settings, layers[layer], names, able, left_out, levels)
        correlation[place], overlap[place], share[place] = criterion
    usable = [{*order} - {*left_out.get(name, {})} for name in names]
    keep = [i for i in range(len(names)) if usable[i]]
    return Similarity(
        plan=settings,
        levels=levels,
        criteria=tuple(names[i] for i in keep),
        layers=tuple(order),
        items={name: layers[name].items for name in order},
        correlation=correlation[:, keep][:, :, keep],
        overlap=overlap[:, :, keep][:, :, :, keep],
        share=share,
        left_out=left_out,
    )


def levels_for(plan: Plan, levels: Sequence[float]) -> tuple[float, ...]:
    """The levels as plain numbers, each once, rising; an N:M pattern knows one only.

    ValueError for levels outside (0, 1], or none.
    """
    shape = pattern(plan.granularity)
    plain = tuple(sorted({float(level) for level in levels}))
    wrong = [level for level in plain if not 0 < level <= 1]
    if wrong or not plain:
        raise ValueError(f"levels must be in (0, 1], at least one, got {wrong}")
    return plain if shape is None else (1 - shape[0] / shape[1],)


def gather_for(bench: Bench, names: Sequence[str], progress: Progress) -> None:
    """All that these criteria look at, gathered at once."""
    needs = {need for name in names for need in CRITERIA[name].needs}
    if any(CRITERIA[name].needs_gathering for name in names):
        label = f"calibration pass over {len(bench.source.calibration):,} samples"
        progress(label, 0.0)
        bench.evidence(*parts_for(needs), progress=lambda done: progress(label, done))


def able_sliders(
    bench: Bench, settings: Plan, names: Sequence[str]
) -> tuple[dict[str, tuple[Slider, ...]], dict[str, dict[str, str]]]:
    """(criterion -> what it can move, criterion -> layer -> why it can't, where others can)."""
    able: dict[str, tuple[Slider, ...]] = {}
    reasons: dict[str, dict[str, str]] = {}
    for name in names:
        plan = replace(settings, criterion=name)
        try:
            able[name], reasons[name] = bench.sliders(plan), bench.cannot(plan)
        except ValueError as error:  # the network could not be traced
            able[name], reasons[name] = (), dict.fromkeys(bench.layer_of, str(error))
    movable = {slider.name: None for name in names for slider in able[name]}
    left_out = {}
    for name in names:
        mine = {slider.name for slider in able[name]}
        missing = [lead for lead in movable if lead not in mine]
        why = reasons[name]
        if missing:
            left_out[name] = {lead: why.get(lead, "it is not defined there") for lead in missing}
    return able, left_out


def _layer(
    bench: Bench,
    settings: Plan,
    slider: Slider,
    names: Sequence[str],
    able: Mapping[str, Sequence[Slider]],
    left_out: dict[str, dict[str, str]],
    levels: Sequence[float],
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[float]]:
    """(correlations, overlaps by level, shares cut by level) of all criteria in one layer."""
    places, scores, cuts, shares = [], [], [], [0.0] * len(levels)
    for place, name in enumerate(names):
        if slider not in able[name]:
            continue
        plan = slider.raise_to(replace(settings, criterion=name), levels[0])
        try:
            ranking = bench.rankings(plan)[slider.name]
        except ValueError as error:
            left_out.setdefault(name, {})[slider.name] = str(error)
            continue
        at = sample_of(ranking.items)
        flat = ranking.scores.flatten()
        shares = [layer_count(level, ranking) / ranking.items for level in levels]
        places.append(place)
        scores.append(flat if at is None else flat[at.to(flat.device)])
        cuts.append([cut_set(ranking, level, at) for level in levels])
    whole = np.full((len(names), len(names)), np.nan)
    parts = np.full((len(levels), len(names), len(names)), np.nan)
    if places:
        square = np.ix_(places, places)
        whole[square] = spearman(scores).cpu().numpy()
        for k in range(len(levels)):
            parts[k][square] = jaccard([each[k] for each in cuts]).cpu().numpy()
    return whole, parts, shares


def _few(names: Sequence[str]) -> str:
    more = "" if len(names) <= 4 else f" and {len(names) - 4} more"
    return ", ".join(names[:4]) + more
