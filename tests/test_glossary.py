"""Has every word and number on the screen its explanation?"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from pruneviz import ui
from pruneviz.glossary import (
    SETTINGS,
    TERMS,
    Term,
    all_terms,
    as_page,
    criterion_term,
    granularity_term,
    help_on,
    repair_term,
)
from pruneviz.glossary.typeset import typeset
from pruneviz.plan import REPAIRS, SCOPES
from pruneviz.pruning.criteria import CRITERIA
from pruneviz.pruning.granularity import GRANULARITIES
from pruneviz.ui import board

# Numbers and choices that are defined by a formula, or taken from somebody.
WITH_FORMULA = (
    *(
        "accuracy",
        "delta",
        "kept",
        "macs",
        "size",
        "sparsity",
        "mask",
        "mac",
        "layer",
        "global",
        "relative",
    ),
    *("head", "aggregate", "fits", "suggestion"),
)
WITH_SOURCE = (
    *("accuracy", "delta", "layer", "global", "relative"),
    *("group", "head", "aggregate", "suggestion"),
)
PLACE = re.compile(r"arXiv:\d{4}\.\d{4,5}|doi:10\.\d+/\S+|\b(18|19|20)\d\d\b")


def whole(term: Term) -> None:
    """A term that says something."""
    assert len(term.title) > 2
    assert len(term.text) > 40
    assert term.text.endswith(".")


@pytest.mark.parametrize("name", CRITERIA)
def test_a_criterion_says_what_it_means_how_it_is_computed_and_whose_it_is(name: str) -> None:
    term = criterion_term(name)
    whole(term)
    formula, _, symbols = term.formula.partition(";  ")
    assert formula
    assert ":" in symbols or "=" in symbols, "the symbols are named"
    assert PLACE.search(term.source) or name == "random"


@pytest.mark.parametrize("name", GRANULARITIES)
def test_a_granularity_says_what_it_means(name: str) -> None:
    term = granularity_term(name)
    whole(term)
    assert term.formula
    assert PLACE.search(term.source)


@pytest.mark.parametrize("name", REPAIRS)
def test_a_repair_says_what_it_does_and_whose_it_is(name: str) -> None:
    term = repair_term(name)
    whole(term)
    assert term.formula
    assert PLACE.search(term.source)


def test_every_pattern_has_the_words_of_the_first() -> None:
    assert granularity_term("3:8") == granularity_term("2:4")


@pytest.mark.parametrize("name", TERMS)
def test_a_term_is_whole(name: str) -> None:
    whole(TERMS[name])


@pytest.mark.parametrize("name", WITH_FORMULA)
def test_a_number_has_its_formula(name: str) -> None:
    assert TERMS[name].formula


@pytest.mark.parametrize("name", WITH_SOURCE)
def test_what_is_somebodys_names_its_source(name: str) -> None:
    assert PLACE.search(TERMS[name].source)


def test_a_newcomers_words_are_explained() -> None:
    words = {"pruning", "sparsity", "dense", "mask", "parameter", "mac", "granularity", "criterion"}
    assert words <= TERMS.keys()
    page = as_page()
    for word in ("Pruning", "Parameter", "SNIP", "N:M pattern", "Fold"):
        assert f"**{word}" in page
    assert "#36799" in page, "who withdrew N:M"


def test_scopes_and_scores_are_explained() -> None:
    assert {*SCOPES, "raw", "relative"} <= TERMS.keys()


def test_every_question_mark_of_the_board_has_its_words() -> None:
    script = "".join(p.read_text("utf-8") for p in Path(board.__file__).parent.glob("*.js"))
    asked = set(re.findall(r'helpButton\(\s*state,\s*"(\w+)"', script))
    asked |= set(re.findall(r'makeTile\(state, "(\w+)"', script))
    asked |= {"heatmap", "importance", "activation"}  # asked for by a list
    assert len(asked) > 8
    assert asked <= TERMS.keys()


def test_every_formula_of_ours_is_typeset_with_all_its_symbols() -> None:
    for term in (term for terms in all_terms().values() for term in terms):
        shown = typeset(term.formula)
        assert "`" not in shown, term.title
        assert not re.search("[√ᵢⱼᵀΣ‖½]", shown), shown
        assert shown.count("$") % 2 == 0, shown


def test_a_formula_of_somebody_elses_is_shown_as_it_is() -> None:
    assert typeset("s = |w|³;  w: a weight") == "`s = |w|³;  w: a weight`"


def test_a_tooltip_holds_text_formula_and_source() -> None:
    term = Term("Title", "Words.", "a = b", "Somebody 2020")
    for part in ("Title", "Words.", "a = b", "Somebody 2020"):
        assert part in term.as_markdown()
    assert Term("Title", "Words.").as_markdown() == "**Title.** Words."
    assert term.as_dict() == {
        "title": "Title", "text": "Words.", "formula": "a = b", "source": "Somebody 2020",
    }  # fmt: skip


# What stands beside these says what they ask: a lesson's own question, a caption, a heading.
SPEAK_FOR_THEMSELVES = {"learn/questions.py", "pages/export.py", "pages/manual.py", "train/runs.py"}
SPEAK_FOR_THEMSELVES |= {"classroom/progress.py"}
WIDGETS = {"checkbox", "file_uploader", "multiselect", "number_input", "pills", "radio"}
WIDGETS |= {"segmented_control", "select_slider", "selectbox", "slider", "text_area"}
WIDGETS |= {"text_input", "toggle"}


def test_every_widget_has_a_question_mark() -> None:
    bare, here = [], Path(ui.__file__).parent
    for path in here.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            known = {each.arg for each in node.keywords}
            if node.func.attr in WIDGETS and not known & {"help", None}:
                bare.append(f"{path.relative_to(here)}:{node.lineno}")
    assert [each for each in bare if each.split(":")[0] not in SPEAK_FOR_THEMSELVES] == []


def test_what_a_form_asks_is_explained() -> None:
    for name, term in SETTINGS.items():
        whole(term)
        assert name not in TERMS, "a word has one explanation"
        assert help_on(name) == term.as_markdown()


def test_every_word_that_a_widget_asks_for_is_there() -> None:
    texts = [path.read_text("utf-8") for path in Path(ui.__file__).parent.rglob("*.py")]
    calls = [call for text in texts for call in re.findall(r"help_on\(([^)]*)\)", text)]
    names = {name for call in calls for name in re.findall(r'"(\w+)"', call)}
    assert len(names) > 10
    assert names <= {*TERMS, *SETTINGS}
