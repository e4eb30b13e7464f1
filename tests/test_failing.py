"""Does a network that raises after it was opened end in a sentence that says where?"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

from pruneviz.cli import main
from pruneviz.plan import Plan
from pruneviz.workbench import Workbench
from pruneviz.workbench.opening import open_workbench
from tests.cases import slow_but
from tests.page import Page, choice_key, new_app, read

SAMPLES, PATIENCE = 200, 300
ERRORS = [RuntimeError, KeyError, NotImplementedError, AssertionError, ZeroDivisionError]
WORDS = r"the network's own code \(Moody\) fails on input \(\d+, 6\) with {}: not today$"


class Moody(nn.Module):
    """Raises once its input holds a large number: on a particular sample, that is."""

    def __init__(self, error: type[Exception] = RuntimeError) -> None:
        super().__init__()
        self.fc, self.norm, self.out = nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 3)
        self.error = error

    def forward(self, x: Tensor) -> Tensor:
        if type(x) is Tensor and x.abs().max() > 99:  # what follows the graph sends no numbers
            raise self.error("not today\nand the day after neither")
        return self.out(self.norm(self.fc(x)).relu())


def opened(error: type[Exception], *, calibration: bool = False) -> Workbench:
    torch.manual_seed(0)
    data = {
        side: (torch.randn(SAMPLES, 6), torch.arange(SAMPLES) % 3)
        for side in ("calibration", "validation")
    }
    data["calibration" if calibration else "validation"][0][130] = 1000.0
    return open_workbench(Moody(error).eval(), data)


@pytest.mark.parametrize("error", ERRORS)
def test_measuring_says_on_which_samples(error: type[Exception]) -> None:
    bench = opened(error)
    for plan in (Plan(), Plan(sparsity={"fc": 0.5})):
        assert bench.evaluate(plan, 64).n == 64
        with pytest.raises(
            ValueError, match=r"^measuring samples 128\.\.191: " + WORDS.format(error.__name__)
        ):
            bench.evaluate(plan)
    assert bench.evaluate(Plan(sparsity={"fc": 0.5}), 128).n == 128


CALIBRATING: dict[str, tuple[str, Callable[[Workbench], object]]] = {
    "evidence": (
        r"^.*gathering evidence on calibration samples 128\.\.191: ",
        lambda bench: bench.prune(Plan("wanda", sparsity={"fc": 0.5})),
    ),
    "reconstruct": (
        r"^.*repairing on calibration samples: ",
        lambda bench: bench.prune(
            Plan(granularity="neuron", sparsity={"fc": 0.5}, repair=("reconstruct",))
        ),
    ),
    "recalibrate": (
        r"^.*repairing on calibration samples: ",
        lambda bench: bench.prune(Plan(sparsity={"fc": 0.5}, repair=("recalibrate",))),
    ),
}


@pytest.mark.parametrize("case", CALIBRATING)
@pytest.mark.parametrize("error", slow_but(lambda error: error in (RuntimeError, KeyError), ERRORS))
def test_calibrating_says_what_was_done(case: str, error: type[Exception]) -> None:
    start, work = CALIBRATING[case]
    with pytest.raises(ValueError, match=start + WORDS.format(error.__name__)):
        work(opened(error, calibration=True))


@pytest.mark.parametrize(
    "words",
    [
        ["prune", "--all", "0.5"],
        ["scan", "--levels", "0.5"],
        ["allocate", "--target", "0.5"],
        ["compare"],
        pytest.param(["cost", "--all", "0.5"], id="cost", marks=pytest.mark.slow),
        ["train", "--all", "0.5", "--epochs", "1"],
    ],
    ids=lambda words: str(words[0]),
)
def test_the_command_line_says_it_in_one_line(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "from tests.test_failing import *\n\ndef made():\n    return opened(KeyError).source\n"
    (tmp_path / f"moody_{words[0]}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(Path(__file__).parent.parent)
    result = CliRunner().invoke(main, [words[0], f"moody_{words[0]}:made", *words[1:]])
    if result.exit_code:  # a command that never met the sample has nothing to say
        assert isinstance(result.exception, SystemExit), result.exception
        assert "Moody) fails on input (64, 6) with KeyError: not today" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "side", slow_but(lambda side: side == "calibration", ["calibration", "validation"])
)
def test_the_app_says_it_without_a_traceback(
    side: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "from tests.test_failing import *\n\n"
        f"def made():\n    return opened(KeyError, calibration={side == 'calibration'}).source\n"
    )
    (tmp_path / f"moody_{side}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(Path(__file__).parent.parent)
    monkeypatch.setattr(sys, "argv", ["app.py", "--model", f"moody_{side}:made"])
    if side == "validation":
        app = new_app().run()
        assert not app.exception
        said = read(app.error[0].value)
        assert "measuring samples 128..191: the network's own code (Moody) fails" in said
        assert app.selectbox(key=choice_key(app, "ask_model")).options[0] == f"moody_{side}:made"
        return
    page = Page()
    page.choose("ask_criterion", "wanda").arrive()
    assert page.plan.criterion == "magnitude"
    assert "calibration samples 128..191" in str(page.session.message)
    for name in ("sensitivity", "criteria", "devices", "train", "history", "export"):
        page.app.switch_page(f"pruneviz/ui/pages/{name}.py")
        page.run()  # which must not raise


class Uncut(nn.Module):
    """Raises as soon as a weight is cut."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.out = nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        if type(x) is Tensor and bool((self.fc.weight == 0).any()):
            raise RuntimeError("not today")
        out: Tensor = self.out(self.fc(x).relu())
        return out


def test_the_board_stays_and_leads_back_where_a_plan_makes_the_network_raise() -> None:
    data = torch.randn(SAMPLES, 6), torch.arange(SAMPLES) % 3
    page = Page(model="lenet300").own("uncut", open_workbench(Uncut().eval(), data))
    page.settle(fc=0.5)
    for _ in range(PATIENCE):  # a busy machine answers at a later look
        if page.session.message is not None:
            break
        time.sleep(0.1)
        page.run()
    assert "fails on input" in str(page.session.message)
    page.settle(fc=0.0)
    assert page.result().delta == 0
