"""Does a session come out as its recipe says?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from pruneviz.measuring.bench import Bench
from pruneviz.measuring.counts import Counts
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan
from pruneviz.progress import Progress, silent
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.recipes.recipe import COUNTS, Recipe, RecipeResult, versions
from pruneviz.sources.open_request import OpenRequest, is_path
from pruneviz.training.again import train_again

IDENTICAL, DIFFER, UNKNOWN = "identical", "differ", "nothing to compare with"
EXACTLY, WITHIN = "exactly", "within the interval"
B = TypeVar("B", bound=Bench)


@dataclass(frozen=True)
class ReplayResult:
    """What came of a recipe.

    masks: IDENTICAL, DIFFER or UNKNOWN (the recipe does not say). accuracy: EXACTLY, WITHIN (each
    lies in the other's 95 % interval), DIFFER or UNKNOWN. counts: EXACTLY, DIFFER or UNKNOWN.
    notes: sentences on what is not as it was.
    """

    recipe: Recipe
    checksum: str
    result: Evaluation
    left: Counts
    masks: str
    accuracy: str
    counts: str
    notes: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs from what the recipe expects."""
        return DIFFER not in (self.masks, self.accuracy, self.counts)

    @property
    def words(self) -> str:
        """One sentence."""
        if {self.masks, self.accuracy, self.counts} == {UNKNOWN}:
            return "done; the recipe says nothing of what to expect"
        agree = f"agrees {self.accuracy}" if self.accuracy in (EXACTLY, WITHIN) else self.accuracy
        counts = "agree exactly" if self.counts == EXACTLY else self.counts
        verdict = "the same" if self.same else "not the same"
        return f"{verdict}: masks {self.masks}; accuracy {agree}; counts {counts}"

    def as_dict(self) -> dict[str, object]:
        """Plain values, as JSON can hold them."""
        reference = self.recipe.expected
        names = ("n", "accuracy", "low", "high", "loss", "delta", "delta_low", "delta_high")
        return {
            "same": self.same,
            "words": self.words,
            "masks": self.masks,
            "accuracy": self.accuracy,
            "counts": self.counts,
            "checksum": {"expected": self.recipe.masks, "here": self.checksum},
            "expected": {} if reference is None else {n: getattr(reference, n) for n in names},
            "here": {name: getattr(self.result, name) for name in names},
            "left": {name: getattr(self.left, name) for name in COUNTS},
            "notes": list(self.notes),
            "plan": self.recipe.plan.as_dict(),
        }


def opening_of(
    recipe: Recipe,
    model: str | None = None,
    data: str | None = None,
    arch: str | None = None,
    *,
    task: str | None = None,
    metric: str | None = None,
    ignore: int | None = None,
    train: str | None = None,
    folder: Path | None = None,
    trust: bool = False,
) -> OpenRequest:
    """What to open for a recipe; what is named besides stands in place of its own.

    folder: of the recipe, where files that it names may lie too. trust: whether what it names may
    run code (`package.module:function`, pickled modules); what is given here may.
    ValueError says what has to be named, or trusted.
    """
    request = recipe.opening or OpenRequest("")
    if not trust:
        gone: dict[str, Any] = {} if model is None else {"model": "", "unsafe": False}
        gone |= {} if data is None else {"data": None}
        gone |= {} if arch is None else {"arch": None}
        gone |= {} if train is None else {"train": None}
        gone |= {} if metric is None else {"metric": None}
        code = replace(request, **gone).code
        if code:
            raise ValueError(
                f"{recipe.at('model')}: this recipe runs code of its own: {', '.join(code)}; if "
                "you know it and trust it, say so with --trust"
            )
    request = _beside(request, folder)
    if model is not None:
        own = request.arch if is_path(model) or Path(model).exists() else None
        request = replace(request, model=model, arch=own, unsafe=trust)
    request = request if data is None else replace(request, data=data)
    request = request if arch is None else replace(request, arch=arch)
    request = request if train is None else replace(request, train=train)
    if task is not None or metric is not None:  # two measures would be one too many
        request = replace(request, task=task, metric=metric)
    request = request if ignore is None else replace(request, ignore=ignore)
    if not request.model:
        raise ValueError(f"{recipe.at('model')}: {_no_model(recipe)}; name one with --model")
    _check_named(recipe, request)
    return request


def _check_named(recipe: Recipe, request: OpenRequest) -> None:
    """ValueError where data that it takes was in hand in Python, and none is named in its place."""
    if "data" in recipe.in_hand and request.data is None:
        raise ValueError(
            f"{recipe.at('data')}: its data was in hand in Python and has no name; name it with "
            "--data"
        )
    if "train" in recipe.in_hand and request.train is None and recipe.training:
        raise ValueError(
            f"{recipe.at('data')}: its training data was in hand in Python and has no name; name "
            "it with --train"
        )


def replay(recipe: Recipe, bench: Bench, progress: Progress = silent) -> ReplayResult:
    """Do a recipe again at `bench` and compare; nothing of it is written.

    Raises ValueError naming the line and the key: other weights (with both fingerprints), a layer
    or criterion that is not there, a training that cannot be done.
    """
    bench = retrain(recipe, bench, progress)
    progress("pruning", 0.0)
    try:
        counts, checksum = bench.counts(recipe.plan), bench.masks(recipe.plan).checksum
    except ValueError as error:
        raise ValueError(f"{recipe.at('plan')}: {error}") from None
    progress("measuring", 0.3)
    reference, samples = recipe.expected, len(bench.source.validation)
    n = samples if reference is None else min(reference.n, samples)
    result = bench.evaluate(recipe.plan, n)
    progress("comparing", 1.0)
    here = {name: getattr(counts, name) for name in recipe.counts}
    return ReplayResult(
        recipe=recipe,
        checksum=checksum,
        result=result,
        left=counts,
        masks=_verdict(recipe.masks, checksum, IDENTICAL),
        accuracy=_agreement(reference, result),
        counts=_verdict(dict(recipe.counts) or None, here, EXACTLY),
        notes=tuple(_notes(recipe, bench, result, checksum)),
    )


def retrain(recipe: Recipe, bench: B, progress: Progress = silent) -> B:
    """The bench at which the recipe's plan is cut: trained by its steps, where it has any.

    One that came of them already is given back as it is. ValueError as `replay`.
    """
    _check(recipe, bench)
    try:
        return train_again(bench, recipe.training, progress)
    except ValueError as error:
        raise ValueError(f"{recipe.at('training')}: {error}") from None


def _beside(request: OpenRequest, folder: Path | None) -> OpenRequest:
    """With files that are not here but in the recipe's folder named so."""
    if folder is None:
        return request
    paths: dict[str, Any] = {}
    for name in ("model", "data", "train", "tokenizer"):
        value = getattr(request, name)
        if value and not Path(value).exists() and (folder / value).exists():
            paths[name] = str(folder / value)
    return replace(request, **paths)


def _no_model(recipe: Recipe) -> str:
    if "model" in recipe.in_hand:
        called = f" ({recipe.name})" if recipe.name else ""
        return f"its network was in hand in Python{called} and has no name"
    return "the recipe names no model"


def _check(recipe: Recipe, bench: Bench) -> None:
    past = bench.source.past if recipe.training else None
    weights = bench.fingerprint if past is None else past.weights
    if recipe.weights not in (None, weights):
        raise ValueError(
            f"{recipe.at('model', 'weights')}: the recipe is for other weights: it expects "
            f"{recipe.weights}, those of {bench.source.name!r} here are {weights}; open "
            "the network it was made for, or take the line away"
        )
    _check_plan(recipe, bench, recipe.plan, "plan")
    for number, step in enumerate(recipe.training):
        _check_plan(recipe, bench, step.plan, "training", number, "plan")


def _check_plan(recipe: Recipe, bench: Bench, plan: Plan, *place: str | int) -> None:
    for section in ("sparsity", "pinned"):
        for name in getattr(plan, section):
            if name not in bench.layer_of:
                names = ", ".join(list(bench.layer_of)[:10])
                more = ", …" if len(bench.layer_of) > 10 else ""
                where = recipe.at(*place, section, name)
                raise ValueError(
                    f"{where}: no such layer in {bench.source.name!r}; there are {names}{more}"
                )
    if plan.criterion not in CRITERIA:
        raise ValueError(
            f"{recipe.at(*place, 'criterion')}: no criterion {plan.criterion!r}; there are "
            f"{', '.join(CRITERIA)}; one of your own is known where its module was imported"
        )


def _verdict(reference: object, here: object, word: str) -> str:
    return UNKNOWN if reference is None else word if reference == here else DIFFER


def _agreement(reference: RecipeResult | None, result: Evaluation) -> str:
    if reference is None:
        return UNKNOWN
    if reference.measure not in ("", result.task.label):
        return DIFFER
    now = result.accuracy if result.accuracy == result.accuracy else None
    if now == reference.accuracy and result.n == reference.n:
        return EXACTLY
    if now is None or reference.accuracy is None:
        return DIFFER
    low = reference.accuracy if reference.low is None else reference.low
    high = reference.accuracy if reference.high is None else reference.high
    close = low <= now <= high and result.low <= reference.accuracy <= result.high
    return WITHIN if close else DIFFER


def _notes(recipe: Recipe, bench: Bench, result: Evaluation, checksum: str) -> list[str]:
    notes = []
    if recipe.training and recipe.masks not in (None, checksum):
        notes.append(
            "it was trained again: on another machine, number of threads or torch the last digits "
            "differ while it trains, and so may masks; compare accuracy"
        )
    if recipe.data not in (None, bench.data_fingerprint):
        notes.append(
            f"other data: the recipe's is {recipe.data}, here it is {bench.data_fingerprint}; "
            "scores that look at data, and all that is measured, may differ"
        )
    reference = recipe.expected
    if reference is not None and reference.measure not in ("", result.task.label):
        notes.append(f"measured was {reference.measure}, here it is {result.task.label}")
    if reference is not None and reference.n != result.n:
        notes.append(f"measured was on {reference.n:,} samples, here on {result.n:,}")
    here = versions()
    for name, version in recipe.made.items():
        if name in here and here[name] != version:
            notes.append(f"made with {name} {version}, here it is {here[name]}")
    if recipe.plan == Plan():
        notes.append("the plan cuts nothing")
    pruned = bench.prune(recipe.plan)
    notes += [*pruned.stay.values(), *pruned.notes]
    return notes
