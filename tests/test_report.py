"""Does a report tell what was measured, in one file that runs nothing but its own?"""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner, Result
from torch import nn

import pruneviz as pv
from pruneviz.cli import main
from pruneviz.history import History, ModelVersion, measurement_of
from pruneviz.measuring import cost as cost_module
from pruneviz.plan import Plan
from pruneviz.recipes import from_yaml, replay
from pruneviz.report import report
from pruneviz.report.parts import escape, table
from pruneviz.report.pictures import pick
from pruneviz.workbench import Workbench

lenet5_alone = pytest.mark.parametrize("bench", ["lenet5"], indirect=True)
EVIL = "<script>alert(1)</script>"


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["report", *map(str, words)])


def plan_of(bench: Workbench) -> Plan:
    free = [name for name in bench.layer_of if name not in bench.locks]
    return Plan(sparsity=dict.fromkeys(free, 0.6))


def section(text: str, name: str) -> str:
    found = re.search(rf'<section id="{name}">.*?</section>', text, re.DOTALL)
    assert found is not None
    return found[0]


@pytest.mark.slow
@pytest.mark.parametrize("bench", ["lenet5", "resnet20", "vit"], indirect=True)
def test_a_report_tells_what_was_measured(bench: Workbench) -> None:
    plan = plan_of(bench)
    text, result, counts = report(bench, plan), bench.evaluate(plan), bench.counts(plan)
    assert f"<dd>{100 * result.accuracy:.1f} %</dd>" in text
    assert f"{counts.params_kept:,} of {counts.params:,}" in text
    for name in bench.layer_of:
        assert f'<td class="left">{name}</td>' in section(text, "plan")
    rows = section(text, "tradeoff")
    assert rows.count("<tr>") == 1 + 5  # dense, three weaker ones, this one
    assert section(text, "classes").count("<tr>") == 1 + len(result.per_class)
    assert section(text, "weights").count("<img ") == min(48, len(bench.layer_of))
    for name in ("sensitivity", "ledger", "again"):
        assert section(text, name)


@lenet5_alone
def test_its_recipe_replays(bench: Workbench) -> None:
    text = report(bench, plan_of(bench))
    recipe, script = re.findall(r'<pre tabindex="0">(.*?)</pre>', text, re.DOTALL)
    assert replay(from_yaml(html.unescape(recipe)), bench).same
    compile(html.unescape(script), "script", "exec")


@lenet5_alone
def test_plans_that_were_visited_are_points(bench: Workbench) -> None:
    name = next(name for name in bench.layer_of if name not in bench.locks)
    visits = [Plan(sparsity={name: level}) for level in (0.25, 0.5)]
    text = section(report(bench, plan_of(bench), visits, n=64), "tradeoff")
    assert text.count("<tr>") == 1 + 4
    assert text.count("<td>64</td>") == 4
    assert "click to return" not in text


def test_what_the_history_has_stands_as_it_was_measured(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    bench = pv.open(model, (torch.randn(80, 6), torch.arange(80) % 3))
    history, place = History(tmp_path), ModelVersion("mine", bench.fingerprint)
    plans = [Plan(sparsity={"0": level}) for level in (0.0, 0.25, 0.5, 0.75)]
    for number, plan in enumerate(plans):
        record = measurement_of(bench.evaluate(plan, 10), bench.counts(plan), bench.masks(plan))
        visit = history.visit(place, plan, branch=EVIL if number == 1 else "")
        history.record_measurement(
            visit, replace(record, params_kept=record.params_kept + 1_000_000)
        )
        history.note(visit, f"note {number}")
    history.visit(place, Plan(sparsity={"0": 0.9}))  # left before it was measured
    away = history.visit(place, Plan(criterion="own", sparsity={"0": 0.9}))
    history.record_measurement(away, record)
    text = section(report(bench, plans[3], past=history.visits()), "tradeoff")
    rows = [re.findall(r"<td.*?>(.*?)</td>", row) for row in re.findall("<tr>.*?</tr>", text)[1:]]
    assert [row[0] for row in rows] == [
        "dense",
        f"“{escape(EVIL)}”: Magnitude, weight: 25 % in 1 layer",
        "Magnitude, weight: 50 % in 1 layer",
        "Magnitude, weight: 75 % in 1 layer",
    ]
    count = bench.counts(plans[1]).params_kept + 1_000_000
    assert rows[1][1] == f"{count:,}"
    n = len(bench.source.validation)
    assert [row[-2] for row in rows] == [f"{n}", "10", "10", f"{n}"]
    assert [row[-1] for row in rows] == ["", "note 1", "note 2", ""]
    assert "2 other plans were visited, shown as they were measured then" in text
    none = section(report(bench, plans[3], past=history.visits("other")), "tradeoff")
    assert "has no other plan" in none
    history.close()


def test_many_plans_are_folded_away() -> None:
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    bench = pv.open(model, (torch.randn(80, 6), torch.arange(80) % 3))
    visits = [Plan(sparsity={"0": level / 20}) for level in range(1, 19)]
    text = section(report(bench, Plan(sparsity={"0": 0.95}), visits, n=8), "tradeoff")
    assert "<details><summary>All 20 plans</summary>" in text


def test_a_report_can_be_stopped_while_it_measures() -> None:
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    bench = pv.open(model, (torch.randn(80, 6), torch.arange(80) % 3))
    told: list[float] = []

    def stop(words: str, done: float) -> None:
        told.append(done)
        if words == "pictures":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        report(bench, Plan(sparsity={"0": 0.5}), progress=stop)
    assert told == sorted(told)
    assert 0 <= told[0] <= told[-1] <= 1
    assert len(told) > 5


@lenet5_alone
def test_nothing_is_fetched_and_plotly_comes_once(bench: Workbench) -> None:
    text = report(bench, plan_of(bench), n=64)
    without_programs = re.sub(r"<script[^>]*>.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r"(src|href)=[\"'](?!data:)", without_programs)
    assert "://" not in without_programs
    assert text.count("Copyright") <= 3
    assert len(text) < 8_000_000
    assert "default-src 'none'" in text
    assert "'unsafe-eval'" not in text
    assert "script-src 'unsafe-inline'" not in text


@lenet5_alone
def test_the_dense_network_has_a_report_too(bench: Workbench) -> None:
    text = section(report(bench, Plan(), n=64), "tradeoff")
    assert text.count("<tr>") == 1 + 1


def test_what_was_scanned_and_timed_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise ValueError("ONNX Runtime is not here")

    monkeypatch.setattr(cost_module, "in_onnx_runtime", missing)  # most of a ledger's time
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    bench = pv.open(model, (torch.randn(80, 6), torch.arange(80) % 3))
    plan = Plan(sparsity={"0": 0.5})
    text = report(bench, plan)
    assert "pruneviz scan" in section(text, "sensitivity")
    assert "Counted, not measured" in section(text, "ledger")
    bench.scan(plan, levels=(0.5,))
    text = report(bench, plan, cost=bench.cost(plan))
    assert "js" not in section(text, "ledger")
    assert "Timed at batch" in section(text, "ledger")
    assert "In hand in Python" in section(text, "again")


class Evil(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.add_module(EVIL.replace(".", ""), nn.Linear(4, 4))
        self.out = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.get_submodule(EVIL)(x).relu())


def evil_bench() -> Workbench:
    torch.manual_seed(0)
    data = (torch.randn(60, 4), torch.arange(60) % 2)
    return pv.open(Evil(), data, classes=(EVIL, "\"'><img src=x onerror=alert(1)>"))


def test_no_name_is_ever_markup() -> None:
    bench = evil_bench()
    plan = Plan(sparsity={EVIL: 0.5})
    bench.scan(plan, levels=(0.5,))
    text = report(bench, plan)
    assert EVIL not in text
    assert "<img src=x" not in text
    assert escape(EVIL) in section(text, "plan")
    assert escape(EVIL) in section(text, "classes")


# -- parts by hand -------------------------------------------------------------------------


def test_cells_of_a_picture_are_weights_by_hand() -> None:
    weight = np.arange(200 * 400, dtype=np.float32).reshape(200, 400)
    kept = np.ones(weight.shape, bool)
    kept[2] = kept[:, 3] = False
    cells, left_out = pick(weight, kept)
    assert (cells.shape, left_out) == ((100, 134), "drawn: every 2nd row and every 3rd column")
    assert cells[0, 0] == 0
    assert cells[2, 2] == weight[4, 6]
    assert np.isnan(cells[1]).all()
    assert np.isnan(cells[:, 1]).all()
    small, left_out = pick(weight[:2, :3], kept[:2, :3])
    assert left_out == ""
    np.testing.assert_array_equal(small, weight[:2, :3])


def test_as_much_of_a_picture_is_blank_as_is_cut() -> None:
    random = np.random.default_rng(0)
    weight = random.normal(size=(256, 384)).astype(np.float32)
    for share in (0.2, 0.5, 0.8, 0.95):
        kept = random.random(weight.shape) >= share
        assert np.isnan(pick(weight, kept)[0]).mean() == pytest.approx(share, abs=0.02)


def test_a_table_by_hand() -> None:
    frame = pd.DataFrame({"a&b": ["<x>"], "n": [1234], "share": [0.25], "none": [float("nan")]})
    assert table(frame) == (
        '<div class="wide"><table><thead><tr><th class="left">a&amp;b</th><th>n</th>'
        "<th>share</th><th>none</th></tr></thead>\n<tbody>"
        '<tr><td class="left">&lt;x&gt;</td><td>1,234</td><td>0.25</td><td></td></tr>\n'
        "</tbody></table></div>"
    )
