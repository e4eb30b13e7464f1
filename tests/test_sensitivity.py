"""Do knees, ranks and what a layer bears follow from the points as by hand?"""

from __future__ import annotations

import math

import numpy as np
import pytest

from pruneviz.plan import Plan
from pruneviz.pruning.sliders import Slider
from pruneviz.sensitivity.curves import LOSE, Curve, Curves, Point

NAN = float("nan")


def point(sparsity: float, delta: float, half: float = 0.004, **other: float) -> Point:
    """A point with an interval of ± half around its change."""
    values = {
        "got": sparsity, "n": 1000, "accuracy": 0.95 + delta, "low": 0.9, "high": 1.0,
        "delta": delta, "delta_low": delta - half, "delta_high": delta + half, "loss": 0.2,
        "dense_accuracy": 0.95, "dense_loss": 0.1,
    }  # fmt: skip
    return Point(**(values | {"sparsity": sparsity} | other))  # type: ignore[arg-type]


def curve(*points: tuple[float, ...], name: str = "a", layers: tuple[str, ...] = ()) -> Curve:
    """A curve through (sparsity, delta[, half])."""
    return Curve(Slider(name, layers or (name,), 100), tuple(point(*values) for values in points))


def curves(*found: Curve, precision: float = 0.01) -> Curves:
    return Curves(Plan(), found, 2000, precision, 0, True, "")


def check_order(found: Curves, lose: float = LOSE) -> None:
    """The law: whoever surely loses at a level up to which another surely does not comes first."""
    order = found.ranked(lose)
    for place, first in enumerate(order):
        for second in order[place + 1 :]:
            lost = [p.sparsity for p in second.points if p.sure_high < -lose]
            assert not (lost and lost[0] <= (first.robust(lose) or 0)), (first, second)
            assert (first.loses(lose) or 2.0) <= (second.loses(lose) or 2.0)
    for curve in order:
        words = found.words_of(curve.slider.name, lose)
        assert words != "most sensitive" or (curve is order[0] and curve.loses(lose))


NO_OP = Curve(Slider("stuck", ("stuck",), 3), (), "no level asked for cuts even one of its items")
UNSEEN = Curve(Slider("unseen", ("unseen",), 3), ())


# -- a point is fine ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delta", "half", "precision", "fine"),
    [
        (0.0, 0.009, 0.01, True),
        (0.0, 0.011, 0.01, False),  # too wide, and may lose a point
        (0.0, 0.011, 0.05, False),  # narrow enough, but may lose a point
        (-0.008, 0.004, 0.01, False),  # narrow, but does not tell on which side of a point
        (-0.03, 0.012, 0.01, False),  # surely more than a point, yet too wide
        (-0.03, 0.0099, 0.01, True),
        (-0.4, 0.05, 0.01, True),  # an eighth of the change
        (-0.4, 0.051, 0.01, False),
        (0.4, 0.05, 0.01, True),
        (NAN, 0.001, 0.01, False),
    ],
)
def test_when_a_point_needs_no_more_samples(
    delta: float, half: float, precision: float, fine: bool
) -> None:
    assert point(0.5, delta, half).fine(precision) is fine


# -- one curve ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sparsity", "told"),
    [
        (0.0, (0.0, 0.0, 0.0)),
        (0.2, (-0.05, -0.054, -0.046)),
        (0.1, (-0.025, -0.027, -0.023)),
        (0.5, (-0.25, -0.254, -0.246)),
        (0.8, (-0.45, -0.454, -0.446)),
        (1.0, (-0.45, -0.454, -0.446)),  # beyond its last point nothing is known to change
    ],
)
def test_between_points_the_curve_is_straight(
    sparsity: float, told: tuple[float, float, float]
) -> None:
    found = curve((0.2, -0.05), (0.8, -0.45))
    assert found.at(sparsity) == pytest.approx(told)


def test_a_curve_without_points_is_flat() -> None:
    assert NO_OP.at(0.7) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("points", "robust", "certain"),
    [
        ([(0.1, 0.0), (0.5, 0.0), (0.9, 0.0)], 0.9, None),
        ([(0.1, 0.0), (0.5, -0.005), (0.9, -0.3)], 0.5, 0.9),
        ([(0.1, 0.0), (0.5, -0.007), (0.9, -0.3)], 0.1, 0.9),  # -1.1 cannot be ruled out
        ([(0.1, -0.3), (0.5, 0.0), (0.9, -0.3)], 0.0, 0.9),  # the first level already costs
        ([(0.1, 0.0), (0.5, -0.3), (0.9, 0.0)], 0.1, None),  # better again: not certain
        ([(0.1, 0.0), (0.5, -0.02), (0.9, -0.3)], 0.1, 0.5),
        ([(0.1, 0.0), (0.5, -0.014), (0.9, -0.3)], 0.1, 0.9),  # may still lose exactly a point
        ([(0.1, 0.0), (0.5, NAN), (0.9, -0.3)], 0.1, 0.9),
        ([(0.1, NAN)], 0.0, None),
        ([], None, None),
    ],
)
def test_what_a_layer_bears_and_what_it_does_not(
    points: list[tuple[float, ...]], robust: float | None, certain: float | None
) -> None:
    found = curve(*points)
    assert found.robust(0.01) == robust
    assert found.certain(0.01) == certain


def test_how_much_is_a_loss_is_a_choice() -> None:
    found = curve((0.1, -0.02), (0.5, -0.05), (0.9, -0.3))
    assert [found.robust(lose) for lose in (0.01, 0.03, 0.1, 0.5)] == [0.0, 0.1, 0.5, 0.9]
    assert [found.certain(lose) for lose in (0.01, 0.03, 0.1, 0.5)] == [0.1, 0.5, 0.9, None]


@pytest.mark.parametrize(
    ("points", "knee"),
    [
        ([(0.2, 0.0), (0.4, 0.0), (0.6, -0.1), (0.8, -0.8)], 0.6),  # 0.25, 0.5, 0.625 above
        ([(0.2, 0.0), (0.5, -0.02), (0.8, -0.8)], 0.5),
        ([(0.2, 0.0), (0.5, 0.0), (0.8, -0.019)], None),  # never loses two points
        ([(0.1, -0.8), (0.5, -0.85), (0.98, -0.85)], None),  # falls at once: bends nowhere
        ([(0.5, -0.4), (1.0, -0.8)], None),  # a straight line
        ([(0.5, -0.8)], None),
        ([(0.5, 0.0), (0.9, NAN)], None),
        ([], None),
    ],
)
def test_the_knee_is_farthest_above_the_straight_line(
    points: list[tuple[float, ...]], knee: float | None
) -> None:
    assert curve(*points).knee == knee


# -- all curves --------------------------------------------------------------------------------

TOUGH = curve((0.5, 0.0), (0.9, 0.0), name="tough")
SOFT = curve((0.5, -0.2), (0.9, -0.8), name="soft", layers=("soft", "mate"))
SOFTER = curve((0.5, -0.3), (0.9, -0.8), name="softer")
HALF = curve((0.5, 0.0), (0.9, -0.3), name="half")


def test_the_most_sensitive_comes_first_and_no_op_has_no_rank() -> None:
    found = curves(TOUGH, SOFT, NO_OP, SOFTER, HALF, UNSEEN)
    assert [one.slider.name for one in found.ranked()] == ["softer", "soft", "half", "tough"]
    assert [one.slider.name for one in found.ranked(0.5)] == ["softer", "soft", "half", "tough"]


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        ("softer", "most sensitive"),
        ("soft", "certain loss at 50 %"),
        ("mate", "certain loss at 50 %"),  # moves with its group
        ("half", "robust to 50 %"),
        ("tough", "robust to 90 %"),
        ("stuck", "nothing could be cut"),
        ("unseen", "not scanned"),
        ("nobody", "not scanned"),
    ],
)
def test_ranks_in_words(layer: str, words: str) -> None:
    found = curves(TOUGH, SOFT, NO_OP, SOFTER, HALF, UNSEEN)
    assert found.words_of(layer) == words


def test_what_may_lose_for_all_one_knows_is_not_more_sensitive_than_what_surely_does() -> None:
    flat = curve((0.1, 0.0, 0.02), (0.5, 0.0), (0.9, 0.0), name="flat")
    falls = curve((0.1, 0.0), (0.4, -0.05), (0.9, -0.2), name="falls")
    found = curves(flat, falls)
    assert [one.slider.name for one in found.ranked()] == ["falls", "flat"]
    assert found.words_of("falls") == "most sensitive"
    assert found.words_of("flat") == "no certain loss"


def test_the_first_of_curves_without_a_certain_loss_is_not_called_most_sensitive() -> None:
    one, other = (curve((0.5, -0.01, 0.05), name=name) for name in "ab")
    found = curves(one, other)
    assert [found.words_of(name) for name in "ab"] == ["no certain loss"] * 2


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([(0.1, 0.0), (0.5, -0.014), (0.9, -0.3)], "robust to 10 % at least"),
        ([(0.1, 0.0), (0.5, -0.02), (0.9, -0.3)], "robust to 10 %"),
        ([(0.1, 0.0), (0.5, -0.3), (0.9, 0.0)], "robust to 10 %"),
        ([(0.1, -0.01), (0.5, -0.3)], "certain loss at 50 %"),
        ([(0.5, 0.0)], "robust to 50 %"),
    ],
)
def test_what_a_curve_bears_in_words(points: list[tuple[float, ...]], words: str) -> None:
    assert curve(*points).bears() == words


@pytest.mark.parametrize("seed", range(20))
def test_the_order_never_contradicts_random_curves(seed: int) -> None:
    chance = np.random.default_rng(seed)
    levels = (0.1, 0.4, 0.5, 0.9, 0.98)
    found = curves(
        *(
            curve(
                *zip(levels, chance.normal(0, 0.03, 5), chance.exponential(0.01, 5), strict=True),
                name=f"layer{place}",
            )
            for place in range(8)
        )
    )
    check_order(found)


def test_verdicts_rest_on_what_allows_for_every_look() -> None:
    shaky = Curve(Slider("a", ("a",), 9), (point(0.5, 0.0, sure_low=-0.02, sure_high=0.02),))
    assert shaky.robust() == 0.0
    assert not shaky.points[0].fine(0.01)
    lost = Curve(Slider("a", ("a",), 9), (point(0.5, -0.02, sure_low=-0.04, sure_high=0.0),))
    assert lost.certain() is None
    assert lost.loses() is None


def test_one_curve_alone_is_the_most_nothing() -> None:
    assert curves(HALF, NO_OP).words_of("half") == "robust to 50 %"


def test_a_score_that_is_no_number_is_as_bad_as_it_gets() -> None:
    broken = curve((0.5, NAN), (0.9, NAN), name="broken")
    assert curves(SOFTER, broken).ranked()[0] is broken


def test_curves_are_found_by_slider_and_by_layer() -> None:
    found = curves(TOUGH, SOFT)
    assert found.by_name == {"tough": TOUGH, "soft": SOFT}
    assert found.of_layer("mate") is SOFT
    assert found.of_layer("nobody") is None


def test_the_table_has_a_row_for_each_point_and_each_no_op() -> None:
    table = curves(SOFT, NO_OP, UNSEEN).table
    assert list(table["layer"]) == ["soft", "soft", "stuck", "unseen"]
    assert list(table["layers"])[:1] == ["soft, mate"]
    assert list(table["delta"])[:2] == [-0.2, -0.8]
    assert list(table["n"]) == [1000, 1000, 0, 0]
    assert list(table["fine"]) == [True, True, False, False]
    assert list(table["no_op"]) == ["", "", NO_OP.no_op, ""]
    assert math.isnan(table["delta"].iloc[2]), "a no-op has no number, not zero"
    assert math.isnan(table["sparsity"].iloc[3])
    assert curves().table.empty


def test_a_loss_is_one_point_unless_said_otherwise() -> None:
    assert LOSE == 0.01


def test_the_area_under_a_curve_by_hand() -> None:
    # Means of the two halves: −0.05 and −0.2.
    assert curve((0.5, -0.1), (1.0, -0.3)).area == pytest.approx(-0.125)
    assert curve((0.5, -0.1)).area == pytest.approx(-0.05)


def test_a_loss_as_large_as_is_allowed_is_no_larger() -> None:
    slider = Slider("a", ("a",), 100)
    allowed = Curve(slider, (point(0.5, -0.005, sure_low=-0.01, sure_high=-0.001),))
    assert allowed.robust(0.01) == 0.5
    lost = Curve(slider, (point(0.5, -0.02, sure_low=-0.03, sure_high=-0.01),))
    assert lost.certain(0.01) is None
    assert lost.loses(0.01) is None
