"""Does a playback show plans on the way, as measured, and leave everything as it was?"""

from __future__ import annotations

from tests.page import Page

LEVELS = {"conv2": 0.5, "fc1": 0.8}


def test_a_playback_settles_on_nothing_and_ends_at_the_plan() -> None:
    page = Page(model="lenet5").settle(**LEVELS).finish()
    plan, steps, visited = page.plan, list(page.session.steps), list(page.session.visited)
    moves, address = page.session.moves, page.address
    whole = dict(plan.sparsity)
    for part in (0.0, 0.5):
        page.ask("play", whole | {name: part * level for name, level in LEVELS.items()})
        session = page.session
        shown = session.shown
        assert session.live.sparsity["fc1"] == part * 0.8
        assert shown is not None
        assert shown["seq"] == session.seq, "what is shown is of this step"
        assert int(str(shown["n"])) > 0, "it is measured"
        assert (
            float(str(shown["low"])) <= float(str(shown["accuracy"])) <= float(str(shown["high"]))
        )
        assert session.settled == plan
    page.ask("play", whole).finish()
    assert page.session.live is page.session.settled
    assert page.session.shown is not None
    assert page.session.shown["full"]
    after = page.session
    assert (after.settled, after.steps, after.visited) == (plan, steps, visited)
    assert (after.moves, page.address) == (moves, address)


def test_a_choice_above_the_board_or_another_page_ends_it_at_the_plan() -> None:
    page = Page(model="lenet5").settle(**LEVELS).finish()
    whole = dict(page.plan.sparsity)
    half = whole | {name: level / 2 for name, level in LEVELS.items()}
    page.ask("play", half)
    page.choose("ask_criterion", "random").finish()
    assert page.plan.criterion == "random"
    assert dict(page.plan.sparsity) == whole
    page.ask("play", half)
    page.app.switch_page("pruneviz/ui/pages/manual.py")
    page.run().back()
    assert dict(page.session.live.sparsity) == whole
    page.ask("play", half).ask("undo")
    assert page.plan.criterion == "magnitude"
    assert dict(page.session.live.sparsity) == whole
