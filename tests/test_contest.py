"""Is a contest fair, remembered, and careful with what it calls real?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from pruneviz.background import CancelledError
from pruneviz.comparison.contest import Contest, ContestRequest, contest
from pruneviz.plan import Plan
from pruneviz.sensitivity.answers import measure, recall
from pruneviz.storage.measurement_store import MeasurementStore
from pruneviz.workbench import Workbench
from tests.counting_bench import CountingBench

ASKED = ContestRequest(("magnitude", "wanda"), (0.5, 0.9))


@pytest.fixture
def lenet300(benches: Callable[[str], Workbench]) -> CountingBench:
    return CountingBench(benches("lenet300"))


def silent(label: str, done: float) -> None:
    pass


def hold(bench: CountingBench, memory: MeasurementStore, asked: ContestRequest = ASKED) -> Contest:
    return contest(bench, memory, asked, silent)


# -- who takes part ----------------------------------------------------------------------------


def test_the_random_control_always_takes_part(
    lenet300: CountingBench, memory: MeasurementStore
) -> None:
    found = hold(lenet300, memory)
    assert found.complete
    assert found.criteria == ("magnitude", "wanda", "random")
    assert len(found.entries) == 2 * (2 + 3)
    alone = hold(lenet300, memory, replace(ASKED, criteria=(), seeds=2))
    assert alone.criteria == ("random",)
    twice = hold(lenet300, memory, replace(ASKED, criteria=("random", "magnitude", "random")))
    assert twice.criteria == ("random", "magnitude")


def test_numbers_are_those_of_the_plans_measured_one_by_one(
    lenet300: CountingBench, memory: MeasurementStore
) -> None:
    found = hold(lenet300, memory)
    for _, row in found.table.iterrows():
        if row["criterion"] == "random" and math.isnan(row["seed"]):
            continue
        seed = 0 if math.isnan(row["seed"]) else int(row["seed"])
        levels = dict.fromkeys(lenet300.layer_of, row["sparsity"])
        result = lenet300.bench.evaluate(Plan(row["criterion"], sparsity=levels, seed=seed))
        for name in ("n", "accuracy", "low", "high", "delta", "delta_low", "delta_high"):
            assert row[name] == getattr(result, name)


def test_the_control_spans_its_seeds(lenet300: CountingBench, memory: MeasurementStore) -> None:
    table = hold(lenet300, memory).table
    seeds = table[(table["criterion"] == "random") & (table["sparsity"] == 0.5)]
    mean, own = seeds[seeds["seed"].isna()].iloc[0], seeds[seeds["seed"].notna()]
    assert list(own["seed"]) == [0, 1, 2]
    assert mean["accuracy"] == pytest.approx(own["accuracy"].mean())
    assert (mean["low"], mean["high"]) == (own["low"].min(), own["high"].max())
    assert own["accuracy"].nunique() > 1


def test_without_names_all_take_part_and_who_cannot_is_told(
    benches: Callable[[str], Workbench], memory: MeasurementStore
) -> None:
    asked = ContestRequest(plan=Plan(granularity="neuron"), levels=(0.5,), n=64)
    found = hold(CountingBench(benches("lenet5")), memory, asked)
    assert found.complete
    assert "no batch norm" in found.left_out["bn_scale"]
    assert "bn_scale" not in found.criteria
    assert {"l2", "apoz", "taylor"} < set(found.criteria)


def test_all_cut_the_same_from_the_same_layers(
    lenet300: CountingBench, memory: MeasurementStore
) -> None:
    found = hold(lenet300, memory, replace(ASKED, locked=("fc3",)))
    assert found.layers == ("fc1", "fc2")
    cut = {plan for plan, _ in lenet300.asked if plan.sparsity}
    assert {tuple(plan.sparsity.items()) for plan in cut} == {
        (("fc1", level), ("fc2", level)) for level in (0.5, 0.9)
    }


# -- how it is shared out ----------------------------------------------------------------------


def test_the_levels_of_a_plan_are_scaled_to_the_same_total(
    lenet300: CountingBench, memory: MeasurementStore
) -> None:
    own = Plan(sparsity={"fc1": 0.8, "fc2": 0.5, "fc3": 0.0})
    hold(lenet300, memory, replace(ASKED, plan=own, allocation="sliders"))
    plans = {plan.sparsity["fc1"]: plan for plan, _ in lenet300.asked if plan.sparsity}
    sizes = {name: layer.size for name, layer in lenet300.layer_of.items()}
    totals = [sum(p.sparsity.get(n, 0) * k for n, k in sizes.items()) for p in plans.values()]
    assert [t / sum(sizes.values()) for t in sorted(totals)] == pytest.approx([0.5, 0.9], abs=1e-6)
    for plan in plans.values():
        kept = [1 - plan.sparsity[name] for name in ("fc1", "fc2")]
        assert math.log(kept[0]) / math.log(kept[1]) == pytest.approx(
            math.log(0.2) / math.log(0.5), rel=1e-4
        )
        assert not plan.sparsity.get("fc3")


def test_an_allocation_is_that_of_the_steering(
    lenet300: CountingBench, memory: MeasurementStore
) -> None:
    hold(lenet300, memory, replace(ASKED, allocation="erk"))
    wanted = lenet300.bench.studies.levels("erk", (0.5, 0.9))
    for place, level in enumerate((0.5, 0.9)):
        share = {name: wanted[name][place] for name in wanted}
        assert any(dict(plan.sparsity) == pytest.approx(share) for plan, _ in lenet300.asked), level


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"criteria": ("magnitud",)}, "magnitud"),
        ({"criteria": ("l2",)}, "l2"),
        ({"levels": ()}, "levels must be in"),
        ({"levels": (1.5,)}, r"1\.5"),
        ({"n": 1}, "got 1"),
        ({"n": 10**6}, "1000000"),
        ({"seeds": 0}, "seeds must be"),
        ({"locked": ("fc9",)}, "'fc9'"),
        ({"allocation": "fair"}, "'fair'"),
        ({"allocation": "sensitivity"}, "curves"),
        ({"allocation": "sliders"}, "stay there, so at most"),
        ({"allocation": "sliders", "plan": Plan(sparsity={"fc1": 1.0})}, "stand at 100 %"),
        ({"allocation": "sliders", "plan": Plan(scope="global")}, "global"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(
    lenet300: CountingBench, memory: MeasurementStore, change: dict[str, object], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        hold(lenet300, memory, replace(ASKED, **change))  # type: ignore[arg-type]
    assert not [plan for plan, _ in lenet300.asked if plan.sparsity]


# -- memory ------------------------------------------------------------------------------------


def test_the_second_time_nothing_is_measured(
    lenet300: CountingBench, memory: MeasurementStore
) -> None:
    first = hold(lenet300, memory)
    lenet300.asked.clear()
    second = contest(lenet300, memory, ASKED, None)
    assert second.complete
    assert lenet300.asked == []
    assert second.table.equals(first.table)
    assert second.verdicts == first.verdicts


def test_what_is_not_measured_is_not_known(
    lenet300: CountingBench, memory: MeasurementStore
) -> None:
    found = contest(lenet300, memory, ASKED, None)
    assert not found.complete
    assert found.table.empty
    assert found.verdicts == ()
    assert lenet300.asked == []


def test_cancel_keeps_what_was_measured(lenet300: CountingBench, memory: MeasurementStore) -> None:
    def stop(label: str, done: float) -> None:
        if done >= 0.6:
            raise CancelledError

    with pytest.raises(CancelledError):
        contest(lenet300, memory, ASKED, stop)
    part = contest(lenet300, memory, ASKED, None)
    assert len(part.answers) == 6
    assert [one.sparsity for one in part.verdicts] == [0.5], "a level that is whole has a verdict"
    lenet300.asked.clear()
    assert hold(lenet300, memory).complete
    assert len({plan for plan, _ in lenet300.asked}) == 4
    assert hold(lenet300, memory).table.equals(hold(lenet300, MeasurementStore(None)).table)


def test_scores_are_kept_as_they_are(lenet300: CountingBench, memory: MeasurementStore) -> None:
    plan = Plan(sparsity={"fc1": 0.9})
    found = measure(lenet300, memory, plan, 100, lambda: None)
    again = recall(lenet300, memory, plan, 100)
    assert again is not None
    assert torch.equal(found.scores, again.scores)
    assert torch.equal(found.scores, lenet300.bench.evaluate(plan, 100).scores)
    assert recall(lenet300, memory, plan, 99) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"scores": 1, "weight": null}'])
def test_what_is_damaged_is_measured_again(
    lenet300: CountingBench, memory: MeasurementStore, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(memory, "get", lambda key: text)
    assert recall(lenet300, memory, Plan(sparsity={"fc1": 0.5}), 64) is None


def test_a_refusal_is_remembered_and_told(
    lenet300: CountingBench, memory: MeasurementStore
) -> None:
    plan = Plan(granularity="neuron", sparsity={"fc9": 0.5})
    with pytest.raises(ValueError, match="fc9"):
        measure(lenet300, memory, plan, 64, lambda: None)
    with pytest.raises(ValueError, match="fc9"):
        recall(lenet300, memory, plan, 64)
