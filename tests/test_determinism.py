"""Do equal numbers come out again: in another process, with other threads, in other blocks?"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from pruneviz.pruning.criteria import CRITERIA
from tests import zoo
from tests.cases import slow_but
from tests.determinism import LEVEL, Numbers, bench_of, numbers, threads

ROOT = Path(__file__).parents[1]
QUICK = ("MLP regressor",)
LARGE = ("Two heads", "lenet300", "resnet20", "1-D audio CNN", "BERT")
# With other threads or blocks the same sums are made in another order. In float32 that is a few
# times 2^-24 of the largest score of a layer; the most that was seen is 7e-7 (snip, whose sums over
# samples cancel), and this is 11 times as much.
ORDER = 2.0**-17
# Weights of a float16 or bfloat16 network are rounded by half an eps, and each layer rounds again
# what it answers. In eps of the format, of the largest score of a layer: (criteria, most of it,
# least share of a weight mask that is the same). Gradients of few samples cancel most.
WEIGHTS = ("magnitude", "l2", "fpgm"), 0.51, 0.98
FORWARD = ("activation", "variance", "wanda", "synflow"), 16, 0.98
GRADIENTS = ("taylor", "snip", "fisher"), 128, 0.9
FORMATS = (torch.bfloat16, torch.float16)


def distance(one: Tensor, other: Tensor) -> float:
    """The largest difference, in units of the largest score."""
    one, other = one.double(), other.double()
    largest = one.abs().max().clamp(min=torch.finfo(torch.float64).tiny)
    return float((one - other).abs().max() / largest)


def check_same_order(one: Numbers, other: Numbers) -> None:
    """Scores to rounding; as many kept; what changes place lies at the threshold; answers alike."""
    assert one.scores.keys() == other.scores.keys()
    for key, scores in one.scores.items():
        assert distance(scores, other.scores[key]) <= ORDER, key
        mask, here = one.masks[key], other.masks[key]
        assert int(mask.sum()) == int(here.sum()), key
        changed = mask != here
        if bool(changed.any()):
            near = scores[changed].double()
            assert float(near.max() - near.min()) <= 2 * ORDER * float(scores.abs().max()), key
    torch.testing.assert_close(one.loss, other.loss, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(one.score, other.score, rtol=1e-5, atol=1e-5)
    assert torch.equal(one.predicted, other.predicted)


def settings(name: str) -> Iterator[tuple[int, int]]:
    """(threads, samples at once), of which each network has some."""
    yield from ((2, 64), (1, 7 if name in zoo.SMALL else 17))


@pytest.mark.parametrize(
    "name",
    # resnet20 takes as long as all others together, and has no kind of layer that they have not.
    [*QUICK, *(pytest.param(n, marks=pytest.mark.slow) for n in LARGE if n != "resnet20")],
)
def test_threads_and_blocks_change_no_more_than_the_last_digits(name: str) -> None:
    bench = bench_of(name)
    with threads(1):
        first, again = numbers(bench), numbers(bench_of(name))
    for part in ("scores", "masks"):
        one, other = getattr(first, part), getattr(again, part)
        assert all(torch.equal(one[key], other[key]) for key in one | other), part
    assert torch.equal(first.loss, again.loss)
    for number, at_once in settings(name):
        with threads(number):
            check_same_order(first, numbers(bench, at_once, at_once))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "number"), [("lenet300", 2), ("GRU, both ways", 1)])
def test_another_process_finds_the_same_bit_by_bit(name: str, number: int, tmp_path: Path) -> None:
    file = tmp_path / "other.pt"
    words = [sys.executable, "-m", "tests.determinism", name, str(file), str(number)]
    subprocess.run(words, check=True, cwd=ROOT, timeout=300)
    with threads(number):
        one, other = vars(numbers(bench_of(name))), torch.load(file)
    for part in ("scores", "masks"):
        assert one[part].keys() == other[part].keys()
        assert all(torch.equal(one[part][key], other[part][key]) for key in one[part]), part
    assert all(torch.equal(one[part], other[part]) for part in ("predicted", "loss", "score"))


@pytest.mark.parametrize("dtype", slow_but(lambda dtype: dtype == torch.bfloat16, FORMATS), ids=str)
@pytest.mark.parametrize(
    "name",
    ["MLP regressor", *(pytest.param(n, marks=pytest.mark.slow) for n in LARGE[:2])],
)
def test_short_formats_score_as_float32_within_their_rounding(
    name: str, dtype: torch.dtype
) -> None:
    with threads(1):
        whole, short = numbers(bench_of(name)), numbers(bench_of(name, dtype))
    eps = torch.finfo(dtype).eps
    assert whole.scores.keys() == short.scores.keys()
    for criteria, most, least in (WEIGHTS, FORWARD, GRADIENTS):
        for key in (key for key in whole.scores if key.split()[0] in criteria):
            assert distance(whole.scores[key], short.scores[key]) <= most * eps, key
            same = float((whole.masks[key] == short.masks[key]).float().mean())
            assert same >= least or key.split()[1] != "weight", key
    for key, mask in whole.masks.items():
        assert int(mask.sum()) == int(short.masks[key].sum()), key
    for key in (key for key in whole.masks if key.startswith("lamp")):  # it ranks as magnitude does
        assert torch.equal(short.masks[key], short.masks[key.replace("lamp", "magnitude")])
    if name in ("lenet300", "resnet20"):
        assert abs(float(whole.score.mean() - short.score.mean())) <= 0.02


def test_all_criteria_are_among_them() -> None:
    found = numbers(bench_of("1-D audio CNN"))
    assert {key.split()[0] for key in found.scores} == {
        name
        for name, one in CRITERIA.items()
        if one.score.__module__.startswith("pruneviz.") and one.granularities != ("block",)
    }
    cut = [1 - float(mask.float().mean()) for key, mask in found.masks.items() if "weight" in key]
    assert all(abs(share - LEVEL) < 0.02 for share in cut)
