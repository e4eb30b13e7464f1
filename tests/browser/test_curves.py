"""Do curves stand in the tracks, and do estimates and shares follow them?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import Board

import pruneviz as pv
from pruneviz.allocation.request import SearchRequest
from pruneviz.sensitivity.prediction import Predictor
from pruneviz.ui.board.curve_data import TARGETS

pytestmark = pytest.mark.browser
Visit = Callable[..., Board]

NETWORK = "?model=lenet300"


@pytest.fixture(scope="module")
def bench() -> pv.Workbench:
    """lenet300, scanned in this process: the server finds the curves on disk."""
    bench = pv.open("lenet300")
    bench.studies.curves()
    return bench


@pytest.fixture
def predictor(bench: pv.Workbench) -> Predictor:
    """What its curves foretell."""
    return bench.studies.predictor(pv.Plan())


def middle(board: Board, layer: str, mark: str) -> float:
    """Where on the page a mark of a layer's curve stands, from left to right."""
    box = board.page.get_by_test_id(f"row-{layer}").locator(f".curve {mark}").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2


def travel(board: Board, layer: str, level: float) -> float:
    """Where the middle of a thumb of 16 px stands at a level."""
    box = board.slider(layer).bounding_box()
    assert box is not None
    return box["x"] + 8 + level * (box["width"] - 16)


def with_curves(board: Board) -> Board:
    board.until("a curve", board.root.locator(".row .curve").first.is_visible)
    return board


def test_a_curve_stands_in_each_track_as_it_was_measured(visit: Visit, bench: pv.Workbench) -> None:
    board = with_curves(visit(NETWORK, dark=True))
    curves = bench.studies.known_curves()
    marked = 0
    for layer in bench.layer_of:
        row = board.page.get_by_test_id(f"row-{layer}")
        assert curves.words_of(layer) in row.inner_text()
        path = row.locator(".curve .mean").get_attribute("d") or ""
        assert path.count("L") >= len(curves.by_name[layer].points)
        says = board.slider(layer).get_attribute("title") or ""
        for name, level in (
            ("knee", curves.by_name[layer].knee),
            ("certain", curves.by_name[layer].certain()),
        ):
            mark = row.locator(f".curve .{name}")
            assert mark.is_visible() == (level is not None)
            if level is not None:
                marked += 1
                assert middle(board, layer, f".{name}") == pytest.approx(
                    travel(board, layer, level), abs=1
                )
                assert f"{100 * level:g} %" in says
    assert marked > 0
    assert "points" in board.page.get_by_test_id("curve-scale").inner_text()


def test_a_curve_says_what_the_level_under_the_thumb_costs(
    visit: Visit, bench: pv.Workbench
) -> None:
    board = with_curves(visit(NETWORK))
    board.type("number-fc1", "90")
    delta, _, _ = bench.studies.known_curves().by_name["fc1"].at(0.9)
    points = f"{100 * delta:+.1f}".replace("-", "\N{MINUS SIGN}")
    says = board.slider("fc1").get_attribute("aria-valuetext") or ""
    assert says.startswith("90 %, cut alone")
    assert f" {points} points" in says
    assert middle(board, "fc1", ".at") == pytest.approx(travel(board, "fc1", 0.9), abs=1)


@pytest.mark.usefixtures("bench")
def test_without_a_scan_the_tracks_are_bare_and_sharing_by_curves_is_shut(visit: Visit) -> None:
    board = with_curves(visit(NETWORK))
    board.choose("Criterion", "Random (control)")
    board.until("bare tracks", lambda: not board.root.locator(".row .curve").first.is_visible())
    assert board.root.locator(".rank").all_inner_texts() == [""] * 3
    by = board.page.get_by_test_id("allocation")
    assert by.locator("option[value=sensitivity]").is_disabled()
    assert "nothing was scanned" in (by.get_attribute("title") or "")


def test_an_estimate_runs_ahead_of_the_thumb_and_gives_way_to_the_measurement(
    visit: Visit, bench: pv.Workbench, predictor: Predictor
) -> None:
    board = with_curves(visit(NETWORK))
    board.type("number-fc1", "95")
    number = board.page.get_by_test_id("accuracy")
    # What the screen says is read in the same task as the thumb moves: no answer comes between.
    seen = board.slider("fc2").evaluate(
        """(slider) => {
            const root = slider.closest("[data-testid=board]");
            slider.value = 90;
            slider.dispatchEvent(new Event("input", { bubbles: true }));
            return [root.dataset.estimate, root.querySelector("[data-testid=accuracy]").innerText,
                root.querySelector(".tile.accuracy .under").innerText];
        }"""
    )
    plan = pv.Plan(sparsity={"fc1": 0.95, "fc2": 0.9, "fc3": 0.0})
    expected = predictor.predict(plan)
    assert float(seen[0]) == pytest.approx(expected.accuracy, abs=1e-4)
    assert seen[1] == f"≈ {100 * expected.accuracy:.1f} %"
    ends = f"{100 * expected.low:.1f} – {100 * expected.high:.1f} %"
    assert seen[2] == f"{ends}, estimated"

    board.slider("fc2").dispatch_event("change")
    board.until("the measurement", lambda: board.word("estimate") == "" and board.is_full())
    assert "≈" not in number.inner_text()
    assert float(board.word("accuracy")) == pytest.approx(bench.evaluate(plan).accuracy)


def test_the_bulk_slider_shares_out_by_the_method_and_leaves_locked_layers(
    visit: Visit, bench: pv.Workbench
) -> None:
    board = with_curves(visit(NETWORK))
    page = board.page
    for layer in bench.layer_of:  # whatever is locked at first
        locked = page.get_by_test_id(f"lock-{layer}").get_attribute("aria-pressed") == "true"
        if locked != (layer == "fc3"):
            board.click(f"lock-{layer}")
    board.type("number-fc2", "10")
    page.get_by_test_id("allocation").select_option("lamp")
    board.until("its levels", page.get_by_test_id("master").is_enabled)
    before = board.percents()

    board.type("master-number", "70")

    levels = bench.studies.levels("lamp", TARGETS, SearchRequest(locked=("fc3",)))
    now = board.percents()
    for layer in ("fc1", "fc2"):
        assert now[layer] == pytest.approx(100 * levels[layer][70], abs=0.06)
    assert now["fc1"] != now["fc2"]
    assert now["fc3"] == before["fc3"]
    assert page.get_by_test_id("master-number").input_value() == "70"
    size = {"fc1": bench.layer_of["fc1"].size, "fc2": bench.layer_of["fc2"].size}
    gone = sum(now[layer] / 100 * size[layer] for layer in size) / sum(size.values())
    assert gone == pytest.approx(0.7, abs=0.002)

    board.click("undo")
    assert board.percents() == before


def test_ticked_layers_alone_are_moved_evenly(visit: Visit) -> None:
    board = visit(NETWORK)
    by = board.page.get_by_test_id("allocation")
    by.select_option("erk")
    board.page.get_by_test_id("tick-fc2").check()
    assert by.is_disabled()
    assert by.input_value() == "uniform"
    assert "all unlocked layers" in (by.get_attribute("title") or "")
    board.page.get_by_test_id("tick-fc2").uncheck()
    assert by.input_value() == "erk"
