"""What does a teacher fix in a lesson that is handed out as a link?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace

from pruneviz.lessons.expression import Expression, conjuncts, constants, steps_named
from pruneviz.lessons.lesson import CONTROLS, MOST_CONTROLS, Lesson, LessonStep, Question
from pruneviz.lessons.link import code_of, decode, encode
from pruneviz.lessons.statement import steps_shown
from pruneviz.plan import Plan
from pruneviz.pruning.criteria import CRITERIA

# Name in a condition -> the control that a reader would need to make it true.
_CONTROL_OF = {
    "criterion": "criterion",
    "granularity": "granularity",
    "scope": "scope",
    "relative": "scores",
    "repaired": "repair",
    "repair": "repair",
}


@dataclass(frozen=True)
class Assignment:
    """A lesson as a teacher hands it out.

    lesson: its file's name without the ending. network: to work on. criterion: it begins with.
    controls: of CONTROLS, those in sight. reveal: whether the reader may have the others shown.
    ValueError names what is none of these.
    """

    lesson: str
    network: str
    criterion: str
    controls: tuple[str, ...] = ()
    reveal: bool = False

    def __post_init__(self) -> None:
        for name in ("lesson", "network", "criterion"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise ValueError(f"{name} must be a name, got {getattr(self, name)!r}")
        if self.criterion not in CRITERIA:
            raise ValueError(
                f"criterion {self.criterion!r} is none; there are {', '.join(CRITERIA)}"
            )
        object.__setattr__(self, "controls", check_controls(self.controls))
        if not isinstance(self.reveal, bool):
            raise ValueError(f"reveal must be true or false, got {self.reveal!r}")

    @property
    def code(self) -> str:
        """Twelve signs that two links share only if they fix the same."""
        return code_of(asdict(self))


def check_controls(names: object) -> tuple[str, ...]:
    """The controls that a link shows; ValueError names what is none, or that there are too many."""
    if not isinstance(names, list | tuple):
        raise ValueError(f"controls must be a list of names, got {names!r}")
    for name in names:
        if name not in CONTROLS:
            raise ValueError(f"control {name!r} is none; there are {', '.join(CONTROLS)}")
    if len(names) > MOST_CONTROLS:
        raise ValueError(f"a link shows at most {MOST_CONTROLS} controls, got {len(names)}")
    return tuple(names)


def to_text(assignment: Assignment) -> str:
    """For an address; `from_text` reads it.

    >>> from_text(to_text(Assignment("2_cutting", "vit", "random"))).network
    'vit'
    """
    return encode(asdict(assignment))


def from_text(text: str) -> Assignment:
    """What a link hands out; ValueError says that it is damaged, or what in it cannot be."""
    values = decode(text)
    names = {field.name for field in fields(Assignment)}
    try:
        if set(values) - names:
            raise ValueError(f"it has {sorted(set(values) - names)[0]!r}, which is no part of one")
        return Assignment(**values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"this link cannot be used: {error}") from None


def assign(lesson: Lesson, assignment: Assignment) -> Lesson:
    """The lesson as it is handed out.

    Steps that need a control which stays hidden are left out, with all that builds on them. A
    criterion whose control is hidden is part of every step. ValueError where no step is left.
    """
    start = replace(lesson.plan, criterion=assignment.criterion)
    hidden = set(CONTROLS) - (set(CONTROLS) if assignment.reveal else {*assignment.controls})
    steps: list[LessonStep] = []
    gone: set[str] = set()
    for step in lesson.steps:
        if _needs(step.when, start, hidden) or _refers(step) & gone:
            gone.add(step.name)
        else:
            steps.append(_bound(step, assignment, hidden))
    if not steps:
        raise ValueError(
            f"no step of “{lesson.title}” can be done with {assignment.criterion!r} and what this "
            "link hides: show more controls, or take another criterion"
        )
    questions = tuple(each for each in lesson.questions if not _asks(each) & gone)
    criteria = tuple(dict.fromkeys((*lesson.criteria, assignment.criterion)))
    return replace(
        lesson,
        network=assignment.network,
        plan=start,
        controls=assignment.controls,
        criteria=criteria,
        steps=tuple(steps),
        questions=questions,
        code=assignment.code,
        reveal=assignment.reveal,
    )


def layers_of(lesson: Lesson) -> set[str]:
    """The layers that its conditions name, which its network must have."""
    whens = [step.when for step in lesson.steps]
    whens += [answer.when for each in lesson.questions for answer in each.answers]
    return {name for when in whens for name in constants(when, "sparsity", "focus")}


def _bound(step: LessonStep, assignment: Assignment, hidden: set[str]) -> LessonStep:
    if "criterion" not in hidden:
        return step
    text = f"({step.when.text}) and criterion == {json.dumps(assignment.criterion)}"
    return replace(step, when=Expression(text))


def _needs(when: Expression, start: Plan, hidden: set[str]) -> bool:
    """Whether a condition asks for what only a hidden control would make so."""
    here: Mapping[str, object] = {
        "criterion": start.criterion,
        "granularity": start.granularity,
        "scope": start.scope,
        "relative": start.relative,
        "repaired": bool(start.repair),
        "repair": bool(start.repair),
    }
    wanted = conjuncts(when)
    names = set(wanted) & set(_CONTROL_OF)
    return any(_CONTROL_OF[name] in hidden and wanted[name] != here[name] for name in names)


def _refers(step: LessonStep) -> set[str]:
    return steps_named(step.when) | steps_shown(step.seen) - {step.name}


def _asks(question: Question) -> set[str]:
    texts = [
        question.ask,
        question.number,
        question.why,
        *(answer.say for answer in question.answers),
    ]
    names = {name for text in texts for name in steps_shown(text)}
    return names.union(*(steps_named(answer.when) for answer in question.answers))
