"""Does a teacher's link hand out what the teacher fixed, and nothing that is damaged?"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from pruneviz.lessons import Assignment, Lesson, assign, read_lessons
from pruneviz.lessons.assignment import from_text, layers_of, to_text
from pruneviz.lessons.expression import Expression, conjuncts, constants, value

LESSONS = {lesson.name.partition("_")[0]: lesson for lesson in read_lessons()}
ACTIVE = LESSONS["4"]


def link(**changes: Any) -> Assignment:
    usual: dict[str, Any] = {"lesson": ACTIVE.name, "network": "vit", "criterion": "magnitude"}
    return Assignment(**(usual | changes))


def forged(values: object) -> str:
    """A link with a fitting digest, as somebody with a computer can make one."""
    packed = json.dumps(values).encode()
    raw = hashlib.sha256(packed).digest()[:6] + packed
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def names(lesson: Lesson) -> list[str]:
    return [step.name for step in lesson.steps]


def test_a_link_comes_back_as_it_was_made() -> None:
    one = link(controls=("scores",), reveal=True)
    assert from_text(to_text(one)) == one
    assert one.code != link(controls=("scores",)).code
    assert len(one.code) == 12


@pytest.mark.parametrize("place", [0, 3, 20, -1])
def test_a_link_with_one_other_sign_is_refused(place: int) -> None:
    text = to_text(link())
    other = "A" if text[place] != "A" else "B"
    at = place % len(text)
    with pytest.raises(ValueError, match="damaged"):
        from_text(text[:at] + other + text[at + 1 :])


@pytest.mark.parametrize("text", ["", "x", "ü", "A" * 5000, "[]", to_text(link())[:-4]])
def test_what_is_no_link_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="damaged"):
        from_text(text)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "damaged"),
        ({"lesson": "4", "network": "vit", "criterion": "magnitude", "shell": "rm"}, "'shell'"),
        ({"lesson": "4"}, "cannot be used"),
        ({"lesson": "4", "network": 3, "criterion": "magnitude"}, "network must be a name"),
        ({"lesson": "4", "network": "vit", "criterion": "luck"}, "criterion 'luck' is none"),
        (
            {"lesson": "4", "network": "vit", "criterion": "random", "controls": ["nose"]},
            "control 'nose'",
        ),
        ({"lesson": "4", "network": "vit", "criterion": "random", "controls": 3}, "a list"),
        ({"lesson": "4", "network": "vit", "criterion": "random", "reveal": "yes"}, "reveal must"),
        (
            {
                "lesson": "4",
                "network": "vit",
                "criterion": "random",
                "controls": ["scope", "scores", "repair", "criterion"],
            },
            "at most 3 controls",
        ),
    ],
)
def test_a_forged_link_is_refused_by_what_is_wrong_in_it(values: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        from_text(forged(values))


def test_steps_that_need_what_is_hidden_are_left_out_with_what_builds_on_them() -> None:
    handed = assign(ACTIVE, link(controls=("scores",)))
    assert names(handed) == ["minor", "fair"]
    assert handed.questions == (), "both ask about activity and chance"
    assert (handed.network, handed.controls, handed.reveal) == ("vit", ("scores",), False)
    assert handed.key == f"{ACTIVE.name}@{handed.code}"
    assert ACTIVE.key == ACTIVE.name


def test_with_all_that_it_needs_a_lesson_is_handed_out_whole() -> None:
    for handed in (
        assign(ACTIVE, link(controls=("criterion", "scores"))),
        assign(ACTIVE, link(reveal=True)),
    ):
        assert names(handed) == names(ACTIVE)
        assert handed.questions == ACTIVE.questions
        assert handed.steps == ACTIVE.steps


def test_a_hidden_criterion_is_part_of_every_step() -> None:
    handed = assign(ACTIVE, link(controls=("scores",)))
    here = {"criterion": "taylor", "scope": "global", "relative": True, "least": 0.5, "most": 0.5}
    when = handed.steps[1].when
    assert value(ACTIVE.steps[1].when, here | {"criterion": "magnitude"})
    assert value(when, here | {"criterion": "magnitude"})
    assert not value(when, here)


def test_a_link_that_leaves_no_step_is_refused() -> None:
    with pytest.raises(ValueError, match="no step of “Minor, relative, active” can be done"):
        assign(ACTIVE, link(criterion="taylor"))


def test_the_layers_that_a_lesson_works_with_are_known() -> None:
    assert layers_of(LESSONS["1"]) == {"fc1", "fc2"}
    assert layers_of(ACTIVE) == set()


def test_what_a_condition_asks_for_is_read_from_it() -> None:
    when = Expression(
        'criterion == "random" and not relative and repaired and (least > 0 or undone)'
    )
    assert conjuncts(when) == {"criterion": "random", "relative": False, "repaired": True}
    assert conjuncts(Expression('criterion == "random" or least > 0')) == {}
    assert constants(Expression('sparsity("a") > 0 and focus == "b"'), "sparsity", "focus") == {
        "a",
        "b",
    }
