"""Is the small language model what its card says, and can it be cut like any other?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

import pruneviz as pv
from pruneviz.measuring.continuation import passage
from pruneviz.sources import Source
from pruneviz.workbench import Workbench
from sample_models import catalogue, stories
from sample_models.sentences import SKILLS
from sample_models.store import FOLDER
from sample_models.train import main
from sample_models.words import vocabulary
from sample_models.writer import Writer, WriterRecipe, fit_writer
from tests.page import Page

DIM, WORDS = 96, len(vocabulary())
LAYERS = 4 * 6 + 2  # q, k, v, o, fc1, fc2 of each block, the embedding and the head


@pytest.fixture(scope="module")
def writer() -> Workbench:
    """The sample over few of its stories."""
    source = catalogue.writer()
    data, few = source.validation.first(64), source.calibration.first(32)
    dense = None if source.dense is None else source.dense.part(0, 64)
    return Workbench(replace(source, validation=data, calibration=few, dense=dense))


def card() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / "writer.json").read_text("utf-8"))
    return content


def test_it_comes_ready_to_measure() -> None:
    source = catalogue.writer()
    assert (source.name, source.classes, source.task) == ("writer", SKILLS, "skills")
    assert not source.model.training
    assert source.validation.tensors()[""].shape == (stories.VALIDATION, 64)
    assert source.training is not None
    assert len(source.training) == stories.TRAINING
    assert len(source.calibration) == stories.CALIBRATION
    assert (FOLDER / "writer.safetensors").stat().st_size <= 4_000_000


def test_size_is_that_of_the_shapes() -> None:
    block = 4 * (DIM * DIM + DIM) + 2 * 4 * DIM * DIM + 5 * DIM + 4 * DIM
    wanted = 2 * WORDS * DIM + 64 * DIM + 4 * block + 2 * DIM
    assert card()["parameters"] == wanted
    assert sum(p.numel() for p in catalogue.writer().model.parameters()) == wanted


def test_it_is_near_perfect_on_each_skill() -> None:
    known = card()
    assert known["low"] >= 0.98
    assert set(known["skills"]) == set(SKILLS)
    assert min(skill["accuracy"] for skill in known["skills"].values()) >= 0.97
    assert min(skill["n"] for skill in known["skills"].values()) >= 300


def test_what_is_measured_here_is_what_the_card_tells(writer: Workbench) -> None:
    source = catalogue.writer()
    bench = Workbench(source)
    result = bench.evaluate(pv.Plan())  # of the answers that came along
    known = card()
    assert result.accuracy == pytest.approx(known["accuracy"])
    assert (result.low, result.high) == pytest.approx((known["low"], known["high"]))
    for name, beside in known["beside"].items():
        assert result.measures[name] == pytest.approx(beside["value"])
        assert result.intervals[name] == pytest.approx((beside["low"], beside["high"]))
    for name, level in result.by_class.levels.items():
        assert vars(level) == pytest.approx(known["skills"][name])
    kept = writer.evaluate(pv.Plan()).scores.clone()
    writer.confirm_dense()
    torch.testing.assert_close(writer.evaluate(pv.Plan()).scores, kept, atol=0.26, rtol=0)
    assert (writer.evaluate(pv.Plan()).scores != kept).sum() <= 1  # a close call


def test_heads_and_hidden_units_are_knobs_and_can_be_removed(writer: Workbench) -> None:
    assert len(writer.layer_of) == LAYERS
    heads = {s.name: s.items for s in writer.sliders(pv.Plan("l2", "head"))}
    assert heads == {f"blocks.{block}.attn.q_proj": 4 for block in range(4)}
    assert set(writer.locks) == {"embed", "head"}
    plan = pv.Plan("l2", "neuron", sparsity={"blocks.0.mlp.fc1": 0.5, "blocks.1.attn.q_proj": 0.25})
    small = writer.prune(plan).shrink()
    words = writer.source.validation.first(2).tensors()[""]
    torch.testing.assert_close(small(words), writer.prune(plan).model(words), atol=1e-4, rtol=1e-4)
    assert small.get_submodule("blocks.0.mlp.fc1").weight.shape == (4 * DIM // 2, DIM)


def test_it_goes_on_from_its_prompts_the_same_each_time(writer: Workbench) -> None:
    language = writer.source.language
    assert language is not None
    plan = pv.Plan(sparsity={name: 0.9 for name in writer.layer_of if ".mlp." in name})
    for prompt in language.prompts:
        one, again = (writer.continuation(plan, prompt, 8) for _ in range(2))
        assert one == again
        assert one.prompt == prompt
        assert one.dense
    found = writer.surprise(plan, passage(writer, 3))
    assert found.pruned.mean() > found.dense.mean()


def test_calibration_trains_and_validation_does_not() -> None:
    samples = stories.material()
    assert torch.equal(samples.calibration.tensors()[""], samples.training.tensors()[""][:512])
    seen = {tuple(row) for row in samples.training.tensors()[""].tolist()}
    assert not seen & {tuple(row) for row in samples.validation.tensors()[""].tolist()}
    first = next(iter(stories.training_stream()(1)[0]))
    assert torch.equal(first, samples.training.tensors()[""][0])


def test_training_repeats_with_its_seed_only() -> None:
    def trained(seed: int) -> dict[str, torch.Tensor]:
        recipe, stream = WriterRecipe(2, 1e-3, batch=4), stories.training_stream()
        return fit_writer(lambda: Writer(WORDS), recipe, stream, seed).state_dict()

    stream = torch.get_rng_state()
    first, again, other = trained(0), trained(0), trained(1)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])
    assert torch.equal(torch.get_rng_state(), stream)


@pytest.fixture
def threads() -> Iterator[None]:
    """Puts the number of threads back that the training command changes."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.usefixtures("threads")
def test_the_command_makes_a_sample_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build = catalogue.NETWORKS["writer"][0]
    monkeypatch.setitem(catalogue.NETWORKS, "writer", (build, WriterRecipe(4, 3e-3, batch=8)))
    ran = CliRunner().invoke(main, ["writer", "--folder", str(tmp_path)])
    assert ran.exit_code == 0, ran.output
    assert ran.output.count("training loss") == 0
    made: Source = catalogue.source("writer", tmp_path)
    assert made.card["recipe"]["steps"] == 4
    assert set(made.card["skills"]) == set(SKILLS)


# -- on the page ---------------------------------------------------------------------------


def test_the_page_shows_what_it_writes_and_which_skill_pays() -> None:
    page = Page(model="writer")
    page.choose("tabs", "Examples")
    shown = "".join(str(each.proto.body) for each in page.app.get("html"))
    for side in ("dense", "pruned"):
        assert f"data-testid='{side}-text'" in shown
        assert f"data-testid='{side}-loss'" in shown
    assert "<mark>" not in shown, "nothing is cut yet"
    page.settle(**{name: 0.95 for name in page.session.bench.layer_of if ".mlp." in name})
    shown = "".join(str(each.proto.body) for each in page.app.get("html"))
    assert "<mark>" in shown
    page.app.text_input(key="own-prompt").set_value("Nora Blake met a qubit").run()
    assert any("no word 'qubit'" in each.value for each in page.app.warning)
