"""Which points of the curves are worth another sample?"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import count

from pruneviz.measuring.bench import Bench
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.measuring.looks import looks
from pruneviz.plan import Plan, pattern, settings_of
from pruneviz.progress import Progress, silent
from pruneviz.pruning.sliders import Slider
from pruneviz.scale import Scale
from pruneviz.sensitivity.curves import LOSE, Curve, Curves, Point, point_of
from pruneviz.sensitivity.keys import key_of
from pruneviz.storage.measurement_store import Memory

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
PRECISION = 0.01
_PIECE = 1.0  # seconds of measuring before somebody may cancel it
_TRACE = 0.05  # seconds for all samples from which on a graph pays for itself
_SCHEME = 2  # to be raised where a point would come out differently


@dataclass(frozen=True)
class ScanPoint:
    """One point to be measured: a slider at a level at which another number of items goes."""

    place: int
    slider: Slider
    level: float
    plan: Plan


def scan(
    bench: Bench,
    plan: Plan,
    memory: Memory,
    levels: Sequence[float] = LEVELS,
    precision: float = PRECISION,
    budget: int | None = None,
    progress: Progress = silent,
    of: int | None = None,
    only: str | None = None,
) -> Curves:
    """Measure every slider at every level, each with as many samples as it needs.

    Each point starts with as many samples as it takes to see that nothing changes; then the one
    whose interval is widest for what it tells gets twice as many, until all are fine (see
    `Point.fine`) or have seen all samples (the first `of`), or `budget` samples have been answered.
    Without a budget those of one slider follow each other: what lies before it is run once.
    What is said to be sure allows for the looks at each point, see `looks`.
    Those that `memory` holds count too, so that a scan that was stopped goes on as if it had not
    been. What is measured is in `memory` at once; `progress` is called before each step with a
    label and the fraction done, and may raise to stop. only: the name of the one slider to scan.

    An N:M pattern is scanned at its own level, 1 − N/M, whatever `levels` says; blocks at 1.
    Raises ValueError for levels outside (0, 1], a precision or a budget that is not above 0.
    """
    levels = check_scan(levels, precision, budget)
    settings = settings_of(plan)
    sliders = [one for one in bench.sliders(settings) if only in (None, one.name)]
    tasks = _tasks(bench, settings, sliders, levels)
    of = of or len(bench.source.validation)
    rungs = looks(bench.block, of, min(precision, LOSE))
    points: dict[int, Point] = {}
    spent, hand = 0, None
    while (task := _next(tasks, points, precision, of, hand)) is not None:
        hand = task.slider if budget is None else None
        before = points.get(task.place)
        start = 0 if before is None else before.n
        n = next(n for n in rungs if n > start)
        cost = n - start
        if budget is not None and spent + cost > budget:
            break
        label = f"{task.slider.name} at {100 * task.level:.0f} %"
        tick = partial(progress, label, _fraction(tasks, points, precision, of))
        tick()
        points[task.place] = _measure(bench, task, n, rungs[n], memory, tick)
        spent += cost
    return _curves(bench, settings, sliders, tasks, points, precision, of, spent, budget)


def known_curves(
    bench: Bench,
    plan: Plan,
    memory: Memory,
    levels: Sequence[float] = LEVELS,
    precision: float = PRECISION,
) -> Curves:
    """The curves as far as `memory` holds them; nothing is measured."""
    settings = settings_of(plan)
    sliders = bench.sliders(settings)
    tasks = _tasks(bench, settings, sliders, levels)
    of = len(bench.source.validation)
    rungs = looks(bench.block, of, min(precision, LOSE))
    points = {}
    for task in tasks:
        by_place = (_recall(bench, task, n, alpha, memory) for n, alpha in rungs.items())
        last = None
        for point in by_place:
            if point is None:
                break
            last = point
        if last is not None:
            points[task.place] = last
    spent = sum(point.n for point in points.values())
    return _curves(bench, settings, sliders, tasks, points, precision, of, spent, None)


def check_scan(levels: Sequence[float], precision: float, budget: int | None) -> tuple[float, ...]:
    """The levels as plain numbers, which of an array they are not; ValueError as `scan` raises."""
    plain = tuple(map(float, levels))
    wrong = [level for level in plain if not 0 < level <= 1]
    if wrong or not plain:
        raise ValueError(f"levels must be in (0, 1], at least one, got {wrong}")
    if not precision > 0:
        raise ValueError(f"precision must be above 0 (0.01 is ± 1 point), got {precision!r}")
    if budget is not None and budget <= 0:
        raise ValueError(f"budget must be a number of samples above 0, or None, got {budget!r}")
    return plain


def _tasks(
    bench: Bench, settings: Plan, sliders: Sequence[Slider], levels: Sequence[float]
) -> list[ScanPoint]:
    """The points worth measuring, level by level, from the middle outwards."""
    number, tasks = count(), []
    done: set[tuple[str, int]] = set()
    shape = pattern(settings.granularity)
    levels = levels if shape is None else (1 - shape[0] / shape[1],)  # a pattern knows no other
    levels = (1.0,) if settings.granularity == "block" else levels
    counts = _counts(bench, settings)
    for level in _from_the_middle(levels):
        for slider in sliders:
            cut = counts(slider, level)
            if cut == 0 or (slider.name, cut) in done:
                continue
            done.add((slider.name, cut))
            tasks.append(ScanPoint(next(number), slider, level, slider.raise_to(settings, level)))
    return tasks


def _counts(bench: Bench, settings: Plan) -> Callable[[Slider, float], int]:
    """(slider, level) -> how many of its items go; of a pattern the masks tell."""

    def by_pattern(slider: Slider, level: float) -> int:
        cut = bench.masks(slider.raise_to(settings, level))  # some rows are too short for it
        return round(cut.sparsity[slider.name] * slider.items)

    if pattern(settings.granularity) is not None:
        return by_pattern
    return lambda slider, level: round(level * slider.items)


def _from_the_middle(levels: Sequence[float]) -> list[float]:
    """0.5, then what lies between: curves have their shape long before they are whole."""
    order: list[float] = []
    parts = [sorted(set(levels))]
    while parts:
        part = parts.pop(0)
        if part:
            middle = len(part) // 2
            order.append(part[middle])
            parts += [part[:middle], part[middle + 1 :]]
    return order


def _next(
    tasks: Sequence[ScanPoint],
    points: dict[int, Point],
    precision: float,
    of: int,
    hand: Slider | None,
) -> ScanPoint | None:
    """The point to be looked at next; of those of the slider in hand first, where there is one."""
    fresh = next((task for task in tasks if task.place not in points), None)
    if fresh is not None:
        return fresh
    open_ = [task for task in tasks if _open(points[task.place], precision, of)]
    open_ = [task for task in open_ if task.slider is hand] or open_
    return max(open_, key=lambda task: _excess(points[task.place], precision), default=None)


def _open(point: Point, precision: float, of: int) -> bool:
    return point.n < of and not point.fine(precision)


def _excess(point: Point, precision: float) -> float:
    excess = point.half / max(precision, abs(point.delta) / 8)
    return excess if math.isfinite(excess) else 0.0


def _fraction(
    tasks: Sequence[ScanPoint], points: dict[int, Point], precision: float, of: int
) -> float:
    """Each point counts as one when it is fine; half of one once it has been looked at."""
    if not tasks:
        return 1.0
    shares = (0.5 if _open(p, precision, of) else 1.0 for p in points.values())
    return sum(shares) / len(tasks)


def _measure(
    bench: Bench, task: ScanPoint, n: int, alpha: float, memory: Memory, tick: Callable[[], None]
) -> Point:
    recalled = _recall(bench, task, n, alpha, memory)
    if recalled is not None:
        return recalled
    if len(bench.source.validation) * bench.seconds_per_sample > _TRACE:
        bench.graph_cache.graph_or_none()  # by it each point runs only what it changes
    got = bench.masks(task.plan).sparsity[task.slider.name]
    result, dense = (_answer(bench, plan, n, tick) for plan in (task.plan, Plan()))
    point = point_of(task.level, got, result, dense, alpha)
    memory.put(key_of(bench, "point", _SCHEME, task.plan, n, alpha), json.dumps(asdict(point)))
    return point


def _answer(bench: Bench, plan: Plan, n: int, tick: Callable[[], None]) -> Evaluation:
    """`plan` on the first n samples; `tick` is called about every second, and may raise."""
    step = bench.block * max(1, int(_PIECE / bench.seconds_per_sample / bench.block))
    for answered in range(step, n, step):
        bench.evaluate(plan, answered)
        tick()
    return bench.evaluate(plan, n)


def _recall(bench: Bench, task: ScanPoint, n: int, alpha: float, memory: Memory) -> Point | None:
    text = memory.get(key_of(bench, "point", _SCHEME, task.plan, n, alpha))
    try:
        return None if text is None else replace(Point(**json.loads(text)), sparsity=task.level)
    except (ValueError, TypeError):  # what is damaged is measured again
        return None


def _curves(
    bench: Bench,
    settings: Plan,
    sliders: Sequence[Slider],
    tasks: Sequence[ScanPoint],
    points: dict[int, Point],
    precision: float,
    of: int,
    spent: int,
    budget: int | None,
) -> Curves:
    by_slider: dict[str, list[Point]] = {slider.name: [] for slider in sliders}
    for task in tasks:
        if task.place in points:
            by_slider[task.slider.name].append(points[task.place])
    planned = {task.slider.name for task in tasks}
    none = "no level asked for cuts even one of its items"
    curves = [
        Curve(
            slider,
            tuple(sorted(by_slider[slider.name], key=lambda point: point.sparsity)),
            "" if slider.name in planned else none,
        )
        for slider in sliders
    ]
    led = {name for slider in sliders for name in slider.layers}
    curves += [
        Curve(Slider(name, (name,), 0), (), why)
        for name, why in bench.cannot(settings).items()
        if name not in led
    ]
    order = list(bench.layer_of)
    curves.sort(key=lambda curve: order.index(curve.slider.name))
    wide = sum(_open(point, precision, of) for point in points.values())
    missing = len(tasks) - len(points)
    words = _words(len(tasks), wide, missing, precision, spent, budget, bench.task.scale)
    done = not wide and not missing
    return Curves(settings, tuple(curves), of, precision, spent, done, words)


def _words(
    points: int,
    wide: int,
    missing: int,
    precision: float,
    spent: int,
    budget: int | None,
    scale: Scale,
) -> str:
    if not points:
        return "nothing can be cut at these levels; no sample was answered."
    start = f"{points - missing:,} of {points:,} points, {spent:,} samples answered"
    if not wide and not missing:
        narrow = f"± {scale.amount_text(precision)}"
        return (
            f"{start}; every interval is {narrow} or an eighth of a larger change, and tells "
            f"whether {scale.amount_text(LOSE)} is lost, or has seen all samples."
        )
    why = f"stopped at the budget of {budget:,} samples" if budget else "not finished"
    return f"{start}; {why}: {missing:,} points are missing and {wide:,} want more samples."
