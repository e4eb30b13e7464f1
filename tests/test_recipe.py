"""Does a recipe say all of a session, and is what is wrong in one named by line and key?"""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace

import pytest
import torch
import yaml
from jsonschema import Draft202012Validator
from torch import nn

import pruneviz as pv
from pruneviz.plan import Plan
from pruneviz.recipes import Recipe, RecipeResult, from_yaml, recipe_dropped, recipe_of, to_yaml
from pruneviz.recipes.parser import parse, plain
from pruneviz.recipes.reader import schema
from pruneviz.recipes.writer import text_of
from pruneviz.sources.open_request import OpenRequest
from pruneviz.training import Training
from pruneviz.training.steps import TrainingStep
from pruneviz.workbench import Workbench
from tests.cases import slow_but
from tests.conftest import NETWORKS

PLANS = (
    Plan(),
    Plan("wanda", "2:4", sparsity={"a": 0.5}),
    Plan(scope="global", sparsity={"blocks.0.fc": 1e-5, "0": 0.3, "no": 1.0}, relative=True),
    Plan("random", "neuron", sparsity={"c": 0.1 + 0.2}, seed=7, repair=("fold", "recalibrate")),
    Plan("l2", "neuron", pinned={"c 1": {"5": False, "6": True}}, aggregate="max"),
    Plan(pinned={"fc": {"2:4,0:9": False}}, sparsity={"true": 0.25, "1e5": 0.5, "": 0.5}),
)
OPENINGS = (
    None,
    OpenRequest("lenet5"),
    OpenRequest(
        "a b/weights.safetensors",
        "data: x.npz",
        "timm:resnet18",
        "my.own:metric",
        task="classes",
        ignore=0,
    ),
    OpenRequest("hf:x", classes=("cat", "#dog", "null"), size=(200, 320), mean=(0.5,), std=(1e-7,)),
    OpenRequest("own:net", "x.npz", output="1.boxes"),
    OpenRequest("", "x", size=224, share=0.0, seed=3, unsafe=True, tokenizer="C:\\words"),
)
FULL = Recipe(
    plan=Plan(sparsity={"fc": 0.5}),
    opening=OpenRequest("lenet5"),
    name="it's “mine”",
    in_hand=("data", "metric"),
    weights="123456789012",
    data="1234567890e12345",
    masks="0" * 64,
    expected=RecipeResult("Accuracy", 10, 0.1 + 0.2, None, 1.0, float("inf"), -1e-17, None, 0.0),
    counts={"params": 10, "macs": 0},
    cost={"dense": {"file": 100, "milliseconds": 1e-5}, "onnx": {"file": 3.0}},
    made={"torch": "2.13", "python": "3.12"},
    training=(
        TrainingStep(
            Plan(sparsity={"fc": 0.9}), Training(method="gradual", epochs=3, learning_rate=1e-5)
        ),
        TrainingStep(Plan("l2", "neuron", sparsity={"a b": 0.5}), Training(samples=7, remove=True)),
    ),
)


def refusal(text: str | bytes) -> str:
    with pytest.raises(ValueError, match="recipe") as caught:
        from_yaml(text, "recipe.yaml")
    return str(caught.value)


# -- laws ----------------------------------------------------------------------------------


@pytest.mark.parametrize("plan", PLANS, ids=repr)
@pytest.mark.parametrize("opening", OPENINGS, ids=repr)
def test_what_is_written_is_read_again(plan: Plan, opening: OpenRequest | None) -> None:
    recipe = Recipe(plan, opening)
    assert from_yaml(to_yaml(recipe)) == recipe


@pytest.mark.parametrize("expected", [None, FULL.expected, RecipeResult("R²", 3, None)])
def test_all_that_is_measured_is_read_again(expected: RecipeResult | None) -> None:
    recipe = replace(FULL, expected=expected)
    assert from_yaml(to_yaml(recipe)) == recipe
    assert from_yaml(to_yaml(recipe).encode()) == recipe
    assert to_yaml(from_yaml(to_yaml(recipe))) == to_yaml(recipe)


@pytest.mark.parametrize(
    "text",
    ["", "a", "no", "NULL", "1", "1e5", "2:4", "a: b", "- x", "#", "é☃\U0001f600", "\x00\x7f\x85",
     "\u2028\ufeff", "tab\tline\n", "'\"\\", "=", "~", "0x1F", "2024-01-01", "<<", "!!python"],
)  # fmt: skip
def test_any_text_stays_a_text_for_every_reader(text: str) -> None:
    written = f"{text_of(text)}: {text_of(text)}\n"
    assert parse(written)[0] == {text: text}
    assert yaml.safe_load(written) == {text: text}


@pytest.mark.parametrize("recipe", [FULL, *(Recipe(plan) for plan in PLANS)], ids=repr)
def test_another_reader_finds_the_same_values(recipe: Recipe) -> None:
    written = to_yaml(recipe)
    assert yaml.safe_load(written) == parse(written)[0]


@pytest.mark.parametrize(
    "bench", slow_but(lambda name: name != "resnet20", NETWORKS), indirect=True
)
def test_of_each_sample_network_a_recipe_says_what_was_measured(bench: Workbench) -> None:
    free = [name for name in bench.layer_of if name not in bench.locks]
    plan = Plan(sparsity=dict.fromkeys(free, 0.5))
    result = bench.evaluate(plan)
    recipe = recipe_of(bench, plan, result)
    assert from_yaml(to_yaml(recipe)) == recipe
    assert recipe.weights == bench.fingerprint
    assert recipe.expected is not None
    assert recipe.expected.accuracy == result.accuracy
    assert recipe.masks == bench.prune(plan).checksum


def test_the_schema_is_one_and_knows_every_field() -> None:
    Draft202012Validator.check_schema(schema())
    known = schema()["properties"]
    assert set(known["plan"]["properties"]) == {field.name for field in fields(Plan)}
    for recipe in (FULL, *(Recipe(plan, opening) for plan in PLANS for opening in OPENINGS)):
        Draft202012Validator(schema()).validate(yaml.safe_load(to_yaml(recipe)))


# -- the checksum --------------------------------------------------------------------------


def test_the_checksum_by_hand() -> None:
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 1, bias=False))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, 4.0], [3.0, 2.0]]))
    pruned = pv.prune(model, Plan(sparsity={"0": 0.5}))
    bits = bytes([0b01100000])  # 4 and 3 stay
    assert pruned.checksum == hashlib.sha256(b"0\0(2, 2)\0" + bits).hexdigest()


def test_layers_that_stay_whole_do_not_count() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    one, both = Plan(sparsity={"0": 0.5}), Plan(sparsity={"1": 0.0, "0": 0.5})
    assert pv.prune(model, one).checksum == pv.prune(model, both).checksum
    assert pv.prune(model, Plan()).checksum == hashlib.sha256().hexdigest()
    assert pv.prune(model, one).checksum != pv.prune(model, Plan(sparsity={"0": 0.25})).checksum


# -- by hand -------------------------------------------------------------------------------


def test_a_criterion_and_three_sparsities_are_enough() -> None:
    text = "plan: {criterion: magnitude, sparsity: {conv2: 0.5, fc1: 0.8, fc2: 0.7}}"
    plan = Plan(sparsity={"conv2": 0.5, "fc1": 0.8, "fc2": 0.7})
    assert from_yaml(text) == Recipe(plan)
    assert from_yaml(f"model: lenet5\n{text}") == Recipe(plan, OpenRequest("lenet5"))
    assert recipe_dropped(text.encode()) == Recipe(plan)


def test_layers_named_by_numbers_and_patterns_are_texts() -> None:
    recipe = from_yaml("plan:\n  granularity: 2:4\n  sparsity: {0: 5e-1, 1: .5, no: 1}\n")
    assert recipe.plan == Plan(granularity="2:4", sparsity={"0": 0.5, "1": 0.5, "no": 1})


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-5", 1e-5), ("+3", 3), ("-.5", -0.5), ("1.", 1.0), ("0o7", "0o7"), ("yes", "yes"),
     ("2:4", "2:4"), ("", None), ("~", None), (".inf", float("inf")), ("TRUE", True),
     ("1" * 301, "1" * 301), ("1_000", "1_000")],
)  # fmt: skip
def test_plain_texts_by_hand(text: str, value: object) -> None:
    assert plain(text) == value


def test_a_thing_in_hand_has_no_name() -> None:
    model = nn.Sequential(nn.Linear(4, 3))
    bench = pv.open(model, (torch.randn(40, 4), torch.arange(40) % 3))
    recipe = recipe_of(bench, Plan())
    assert recipe.in_hand == ("model", "data")
    assert from_yaml(to_yaml(recipe)) == recipe
    assert "in_hand: [model, data]  # things of Python" in to_yaml(recipe)
    assert recipe_of(pv.open("lenet5"), Plan()).opening == OpenRequest("lenet5")


# -- what is refused -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("plan: {}\nmodl: x\n", "line 2: unknown key 'modl' in a recipe; did you mean 'model'?"),
        (
            "plan:\n  seed: 1\n  criteria: wanda\n",
            "line 3: unknown key 'criteria' in plan; did you mean 'criterion'?",
        ),
        ("plan: {}\nmodel:\n  xyz: 1\n", "line 3: unknown key 'xyz' in model; known are from"),
        ("\nmodel: lenet5\n", "line 2: a recipe lacks 'plan', such as plan: {"),
        ("plan:\n  seed: soon\n", "line 2: plan.seed must be a whole number, got 'soon'"),
        (
            "plan:\n  sparsity:\n    a: 0.5\n    fc1: much\n",
            "line 4: plan.sparsity.fc1 must be a number, got 'much'",
        ),
        ("plan:\n  sparsity: {a: 1.2}\n", "line 2: plan.sparsity.a must be at most 1, got 1.2"),
        ("plan:\n  sparsity: {a: .nan}\n", "line 1: plan: sparsity of 'a' must be in [0, 1]"),
        ("plan:\n  scope: all\n", "plan.scope must be one of layer, global, alike, got 'all'"),
        ("plan:\n  repair: [glue]\n", "line 2: plan.repair.0 must be one of fold"),
        ("plan:\n  granularity: 4:2\n", "line 1: plan: granularity '4:2' prunes nothing"),
        ("plan: {}\nmodel: {weights: 12}\n", "line 2: model.weights must be a text, got 12"),
        ("plan: {}\nmodel: [x]\n", "line 2: model must be"),
        ("plan: {}\nexpected: {accuracy: 1}\n", "line 2: expected: expected lacks 'n'"),
        ("recipe: 2\nplan: {}\n", "line 1: recipe must be 1: a newer pruneviz"),
        ("- plan\n", "line 1: the whole must be keys with values, got ['plan']"),
        ("", "is empty"),
        ("# nothing\n", "is empty"),
        ("plan: {}\nplan: {}\n", "line 2: the key 'plan' is here again"),
        ("plan: {\n", "line 2: this is no YAML"),
        ("plan:\n\tseed: 1\n", "line 2: this is no YAML"),
        ("plan: {}\n---\nplan: {}\n", "line 2: a second document"),
        ("? [a]\n: 1\n", "line 1: a key must be a text"),
        (b"plan: {}\n\xff\n", "line 2: this is no text in UTF-8"),
        ("plan: {}\nx: \x00\n", "this is no YAML"),
    ],
)
def test_what_is_wrong_has_its_line_and_key(text: str | bytes, words: str) -> None:
    assert words in refusal(text)


BOMB = "a: &a [x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
MALICIOUS = {
    "code": ("plan: !!python/object/apply:os.system [echo]\n", "line 1: plan: tags such as"),
    "tag": ("plan:\n  seed: !!int '3'\n", "line 2: plan.seed: tags such as"),
    "own tag": ("plan: !secret x\n", "tags such as '!secret' are not read"),
    "billion laughs": (BOMB, "line 1: a: anchors and aliases"),
    "alias": ("plan: {}\nx: *y\n", "anchors and aliases (&, *) are not read"),
    "merge": ("plan: &p {}\nmodel: {<<: *p}\n", "anchors and aliases"),
    "ten megabytes": ("x" * 10_000_000, "holds 10,000,000 bytes, more than the 1,000,000"),
    "deep lists": ("[" * 900_000, "more than 12 levels deep"),
    "deeper than parsers go": ("plan: {}\nx:\n" + "- [\n" * 1_500, "line 15: more than 12 levels"),
    "as deep as parsers go": ("plan: {}\nx: " + "[" * 40, "line 2: more than 12 levels deep"),
    "deep maps": ("{a: " * 200_000, "more than 12 levels deep"),
    "deep blocks": ("- " * 400_000, "more than 12 levels deep"),
    "a long number": (f"plan: {{seed: {'9' * 900_000}}}", "plan.seed must be a whole number"),
    "a long key": (f"plan: {{}}\n{'k' * 1000}: 1\n", "unknown key 'kkkk"),
    "many keys": (f"plan: {{}}\n{''.join(f'k{i}: 1{chr(10)}' for i in range(70_000))}", "k0"),
}


@pytest.mark.parametrize("name", MALICIOUS)
def test_malice_is_refused_in_clear_words(name: str) -> None:
    text, words = MALICIOUS[name]
    said = refusal(text)
    assert words in said
    assert len(said) < 500


def test_a_recipe_names_where_its_keys_stand() -> None:
    recipe = from_yaml("plan:\n  sparsity:\n    fc.1: 0.5\n", "mine.yaml")
    assert recipe.at("plan", "sparsity", "fc.1") == "mine.yaml, line 3: plan.sparsity.fc.1"
    assert recipe.at("model", "weights") == "mine.yaml, line 1: model.weights"
