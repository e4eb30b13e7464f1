"""Do the words of a command line say what is to be opened, and come back as they were?"""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from pruneviz.cli import main
from pruneviz.options import parse, words
from pruneviz.sources.opening import OpenRequest

FULL = OpenRequest(
    model="weights.safetensors",
    data="digits.npz",
    arch="timm:resnet18",
    task="labels",
    ignore=255,
    metric="mine.metrics:f1",
    classes=("cat", "dog"),
    size=(200, 320),
    mean=(0.5, 0.25),
    std=(0.1, 1.0),
    share=0.2,
    seed=7,
    unsafe=True,
    tokenizer="folder",
    output="1.boxes",
)


OPENING = ["layers", "groups", "prune", "shrink", "cost", "scan", "allocate", "compare", "export",
           "train", "report", "app"]  # fmt: skip


@pytest.mark.parametrize(
    "asked", [FULL, OpenRequest("lenet5"), OpenRequest("hf:x/y", size=224, data="mine:data")]
)
def test_words_come_back_as_they_were(asked: OpenRequest) -> None:
    assert parse(words(asked)) == asked


def test_no_words_ask_for_nothing() -> None:
    assert parse([]) is None


def test_a_path_that_is_there_is_handed_on_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "digits.npz").touch()
    monkeypatch.chdir(tmp_path)
    again = parse(words(OpenRequest("lenet5", data="digits.npz")))
    assert again is not None
    assert again.data == str(tmp_path / "digits.npz")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--data", "x.npz"], "name a model"),
        ([""], "name a model"),
        (["lenet5", "--model", "vit"], "two models are named, 'lenet5' and 'vit'"),
        (["lenet5", "--size", "big"], "--size takes pixels such as 224 or 200x320, got 'big'"),
        (["lenet5", "--size", "0"], "got '0'"),
        (["lenet5", "--mean", "0.5;0.5"], "--mean takes numbers separated by commas.*'0.5;0.5'"),
        (["lenet5", "--dta", "x"], "No such option.*--dta.*in: lenet5 --dta x"),
        (["lenet5", "--calibration", "some"], "some"),
        (["lenet5", "vit"], "unexpected extra argument.*vit"),
    ],
)
def test_what_is_not_understood_is_named(given: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse(given)


@pytest.mark.parametrize("command", [*OPENING, "replay"])
def test_every_command_says_what_is_measured(command: str) -> None:
    text = CliRunner().invoke(main, [command, "--help"]).output
    assert all(option in text for option in ("--task", "--metric", "--ignore"))


@pytest.mark.parametrize("command", OPENING)
def test_every_command_that_opens_takes_them(command: str) -> None:
    text = CliRunner().invoke(main, [command, "--help"]).output
    for option in (
        "--model",
        "--data",
        "--arch",
        "--metric",
        "--labels",
        "--size",
        "--unsafe-load",
    ):
        assert option in text


@pytest.mark.parametrize("command", ["prune", "shrink", "cost"])
def test_every_command_that_prunes_takes_the_same_plan(command: str) -> None:
    text = CliRunner().invoke(main, [command, "--help"]).output
    for option in (
        "--criterion",
        "--granularity",
        "--scope",
        "--relative",
        "--seed",
        "--all",
        "--unlocked",
        "--sparsity",
        "--pin",
        "--aggregate",
        "--repair",
    ):
        assert option in text


def test_a_command_without_a_model_says_how_to_name_one() -> None:
    result = CliRunner().invoke(main, ["layers"])
    assert result.exit_code == 2
    assert "name a model" in result.stderr
