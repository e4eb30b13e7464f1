"""How do the numbers of a session look as charts?"""

from pruneviz.figures.browser import as_text, program
from pruneviz.figures.curves import alike, contest, curves_apart, curves_heat, curves_together
from pruneviz.figures.forecasts import expectations
from pruneviz.figures.live_canvas import Drawing, moving_course, moving_levels, ticks
from pruneviz.figures.plans import nonzeros, pareto, per_class, tradeoff
from pruneviz.figures.style import BLUE, DIVERGING, GREEN, GREY, MANY, ORANGE
from pruneviz.figures.training import RunLines, course, levels, runs, tickets
from pruneviz.figures.weights import matrix, mosaic

__all__ = [
    "BLUE",
    "DIVERGING",
    "GREEN",
    "GREY",
    "MANY",
    "ORANGE",
    "Drawing",
    "RunLines",
    "alike",
    "as_text",
    "contest",
    "course",
    "curves_apart",
    "curves_heat",
    "curves_together",
    "expectations",
    "levels",
    "matrix",
    "mosaic",
    "moving_course",
    "moving_levels",
    "nonzeros",
    "pareto",
    "per_class",
    "program",
    "runs",
    "tickets",
    "ticks",
    "tradeoff",
]
