"""Are the sample networks what their cards say, and can they be made again?"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

from pruneviz.data import Outcome
from pruneviz.measuring.answers import answer
from pruneviz.measuring.intervals import wilson
from pruneviz.network.graph import ONE_AT_A_TIME
from pruneviz.sources import Source
from pruneviz.tasks import CLASSES
from pruneviz.training.augmentation import move
from sample_models import catalogue, digits
from sample_models.fit import fit
from sample_models.lenet300 import RECIPE, LeNet300
from sample_models.store import FOLDER
from sample_models.train import main
from tests.cases import slow_but

TARGETS = {"lenet300": 0.955, "lenet5": 0.98, "resnet20": 0.985, "vit": 0.97}
SIZES = {  # parameters and MACs, counted by hand from the shapes below
    "lenet300": (266_610, 266_200),
    "lenet5": (61_706, 416_520),
    "resnet20": (272_186, 31_021_952),
    "vit": (139_018, 7_884_416),
}
NAMES = list(TARGETS)
quick_samples = pytest.mark.parametrize(
    "sample", slow_but(lambda name: "lenet" in name, NAMES), indirect=True
)


@pytest.fixture(scope="module", params=NAMES)
def sample(request: pytest.FixtureRequest) -> Source:
    made: Source = getattr(catalogue, request.param)()
    return made


@pytest.fixture(scope="module")
def here(sample: Source) -> Outcome:
    """What the network answers in this process."""
    return answer(sample.model, {}, sample.validation, 0, len(sample.validation), CLASSES)


@pytest.fixture
def threads() -> Iterator[None]:
    """Puts the number of threads back that the training command changes."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_every_network_of_the_catalogue_is_tested() -> None:
    assert list(catalogue.NETWORKS) == [*NAMES, "writer"]  # which has tests of its own


def test_a_sample_comes_ready_to_measure(sample: Source) -> None:
    assert not sample.model.training
    assert not any(p.requires_grad for p in sample.model.parameters())
    assert sample.validation.inputs.shape == (2000, 1, 28, 28)
    assert sample.validation.inputs.dtype == torch.float32
    assert sample.classes == ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")


@quick_samples
def test_accuracy_measured_here_meets_the_target_and_the_card(
    sample: Source, here: Outcome
) -> None:
    hits = int((here.predicted == sample.validation.targets).sum())
    assert hits / 2000 >= TARGETS[sample.name]
    assert abs(hits - round(sample.card["accuracy"] * 2000)) <= 2


@quick_samples
def test_the_kept_answers_are_those_of_the_network(sample: Source, here: Outcome) -> None:
    assert sample.dense is not None
    assert sample.dense.predicted.dtype == torch.int64
    # Another processor may round a close call the other way.
    assert int((here.predicted != sample.dense.predicted).sum()) <= 2
    torch.testing.assert_close(here.loss, sample.dense.loss, atol=1e-3, rtol=1e-3)


def test_the_card_tells_the_interval_of_the_kept_answers(sample: Source) -> None:
    assert sample.dense is not None
    hits = int((sample.dense.predicted == sample.validation.targets).sum())
    card = sample.card
    assert (card["accuracy"], card["n"]) == (hits / 2000, 2000)
    assert (card["low"], card["high"]) == pytest.approx(wilson(hits, 2000))
    assert card["loss"] == pytest.approx(sample.dense.loss.mean().item())


def test_the_card_tells_size_and_hash(sample: Source) -> None:
    weights = (FOLDER / f"{sample.name}.safetensors").read_bytes()
    assert sample.card["sha256"] == sha256(weights).hexdigest()
    assert (sample.card["parameters"], sample.card["macs"]) == SIZES[sample.name]
    assert sum(p.numel() for p in sample.model.parameters()) == SIZES[sample.name][0]


def test_macs_are_those_of_the_shapes() -> None:
    conv = 28 * 28 * 6 * 25 + 10 * 10 * 16 * 6 * 25
    assert SIZES["lenet5"][1] == conv + 400 * 120 + 120 * 84 + 84 * 10
    block = 50 * (64 * 192 + 64 * 64 + 2 * 64 * 128) + 2 * 50 * 50 * 64
    assert SIZES["vit"][1] == 49 * 16 * 64 + 4 * block + 64 * 10


def test_the_card_tells_the_recipe_in_use(sample: Source) -> None:
    recipe = vars(catalogue.NETWORKS[sample.name][1])
    assert sample.card["recipe"] == {"optimiser": "AdamW", "schedule": "one-cycle", **recipe}


@pytest.mark.slow
@pytest.mark.parametrize("sample", ["resnet20", "vit"], indirect=True)
def test_torch_export_traces_any_number_of_samples(sample: Source) -> None:
    batch = {0: torch.export.Dim.DYNAMIC}
    images = sample.validation.inputs
    with ONE_AT_A_TIME:
        program = torch.export.export(sample.model, (images[:2],), dynamic_shapes=(batch,))
    traced = program.module()
    torch.testing.assert_close(traced(images[:5]), sample.model(images[:5]))


def test_loading_leaves_the_random_stream_alone() -> None:
    before = torch.get_rng_state()
    catalogue.vit()
    assert torch.equal(torch.get_rng_state(), before)


def test_no_digit_both_trains_and_measures() -> None:
    split = digits.split()
    train, held_out = set(split["training"].tolist()), set(split["validation"].tolist())
    assert (len(train), len(held_out)) == (8000, 2000)
    assert train.isdisjoint(held_out)
    assert train | held_out == set(range(10_000))
    assert set(split["calibration"].tolist()) <= train


def test_the_split_never_changes() -> None:
    """The kept weights have seen these 8,000 digits; another split would measure on some."""
    content = digits.split()["validation"].numpy().astype("<i8").tobytes()
    assert sha256(content).hexdigest().startswith("9bc016cb881e9187")


def test_calibration_is_balanced() -> None:
    counts = torch.bincount(digits.calibration().targets)
    assert counts.tolist() == [100] * 10


def test_the_first_samples_are_a_fair_sample_of_all() -> None:
    for data in (digits.training(), digits.calibration(), digits.validation()):
        assert torch.bincount(data.first(200).targets, minlength=10).min() >= 8


def test_digits_are_normalised() -> None:
    inputs = digits.training().inputs
    assert abs(inputs.mean().item()) < 0.02
    assert abs(inputs.std().item() - 1) < 0.02


def test_nothing_moves_when_nothing_may() -> None:
    images = digits.training().inputs[:8]
    still = move(images, torch.Generator().manual_seed(0), shift=0, turn=0, zoom=0)
    torch.testing.assert_close(still, images)


def test_moving_a_digit_makes_a_new_one_on_the_same_background() -> None:
    images = digits.training().inputs[:8]
    before = images.clone()
    after = move(images, torch.Generator().manual_seed(0), shift=2, turn=10, zoom=0.1)
    assert torch.equal(images, before)
    assert not torch.allclose(after, before)
    torch.testing.assert_close(after[:, :, 0, 0], before[:, :, 0, 0])


@pytest.mark.parametrize(
    ("suffix", "why"),
    [
        (".safetensors", "its sha256 is not the one on its card"),
        (".dense.safetensors", "its sha256 is not the one on its card"),
        (".json", "not a model card"),
    ],
)
def test_a_damaged_file_is_named_with_its_remedy(tmp_path: Path, suffix: str, why: str) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "weights")
    damaged = folder / f"lenet5{suffix}"
    damaged.write_bytes(damaged.read_bytes()[:-7])
    with pytest.raises(ValueError, match="is damaged") as refused:
        catalogue.source("lenet5", folder)
    remedy = "`python -m sample_models.train lenet5` remakes it"
    assert str(refused.value) == f"{damaged} is damaged ({why}); {remedy}"


@pytest.mark.parametrize("suffix", [".safetensors", ".dense.safetensors", ".json"])
def test_a_missing_file_is_named_with_its_remedy(tmp_path: Path, suffix: str) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "weights")
    (folder / f"vit{suffix}").unlink()
    with pytest.raises(FileNotFoundError) as refused:
        catalogue.source("vit", folder)
    remedy = "`python -m sample_models.train vit` remakes it"
    assert str(refused.value) == f"{folder / f'vit{suffix}'} is missing; {remedy}"


def test_training_repeats_with_its_seed_only() -> None:
    def trained(seed: int) -> dict[str, Tensor]:
        data = digits.training().first(200)
        return fit(LeNet300, replace(RECIPE, epochs=1), data, seed).state_dict()

    stream = torch.get_rng_state()
    first, again, other = trained(0), trained(0), trained(1)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not any(torch.equal(first[key], other[key]) for key in first)
    assert torch.equal(torch.get_rng_state(), stream)


@pytest.mark.usefixtures("threads")
def test_the_command_writes_what_the_catalogue_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short: tuple[type[nn.Module], object] = (LeNet300, replace(RECIPE, epochs=1))
    monkeypatch.setitem(catalogue.NETWORKS, "lenet300", short)
    ran = CliRunner().invoke(main, ["lenet300", "--seed", "3", "--folder", str(tmp_path)])
    assert ran.exit_code == 0, ran.output
    assert "95 % interval" in ran.output
    made = catalogue.source("lenet300", tmp_path)
    assert json.loads((tmp_path / "lenet300.json").read_text(encoding="utf-8")) == made.card
    assert (made.card["seed"], made.card["recipe"]["epochs"]) == (3, 1)
    assert {path.name for path in tmp_path.iterdir()} == {
        "lenet300.json",
        "lenet300.safetensors",
        "lenet300.dense.safetensors",
    }


def test_the_command_refuses_an_unknown_network() -> None:
    ran = CliRunner().invoke(main, ["lenet6"])
    assert ran.exit_code == 2
    assert "'lenet6' is not one of" in ran.output
