"""Does a plan of the history keep what it costs, and do two of them stand beside each other?"""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from pruneviz.history import History, ModelVersion
from pruneviz.history.comparison import costs_apart
from pruneviz.history.file import FILE
from pruneviz.history.records import cost_from, cost_text
from pruneviz.history.schema import STEPS
from pruneviz.measuring.latency import Timing
from pruneviz.measuring.ledger import Cost, Footprint, RuntimeCost
from pruneviz.measuring.sizes import FileSize
from pruneviz.plan import Plan
from pruneviz.storage.database import open_database
from pruneviz.storage.home import VARIABLE
from tests.page import Page

MODEL = ModelVersion("lenet5", "a" * 12, "d" * 16)
PAGE = "pruneviz/ui/pages/history.py"


def timing(milliseconds: float) -> Timing:
    return Timing(milliseconds / 1000, milliseconds / 1100, milliseconds / 900, 15)


def cost(*, small: bool, runtime: bool) -> Cost:
    """A ledger by hand: 1,000 parameters of which 400 are left, shrunk to 500."""
    dense = Footprint(1_000, 0, 5_000, 4_100, 3_700, 64, timing(2))
    masked = replace(dense, zeros=600, zipped=1_900, latency=timing(2.5))
    shrunk = Footprint(500, 100, 2_500, 2_100, 1_800, 32, timing(1)) if small else None
    return Cost(
        asked=0.6,
        kept=400,
        ideal_macs=2_000,
        dense=dense,
        masked=masked,
        shrunk=shrunk,
        onnx=RuntimeCost("shrunk", 2_600, 1e-7, timing(0.5)) if runtime else None,
        bitmask=FileSize(1_750, 1, 4),
        csr=FileSize(3_300, 2, 4),
        batch=8,
        threads=2,
        why_not_shrunk="" if small else "no units were cut.",
        why_not_onnx="" if runtime else "it is not installed",
    )


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize("runtime", [True, False])
def test_a_ledger_comes_back_as_it_was(tmp_path: Path, small: bool, runtime: bool) -> None:
    history, kept = History(tmp_path), cost(small=small, runtime=runtime)
    number = history.visit(MODEL, Plan())
    assert history.ledger_of(number) is None
    history.record_cost(number, cost(small=False, runtime=False))
    history.record_cost(number, kept)
    history.record_cost(number + 1, kept)
    history.close()
    again = History(tmp_path)
    assert again.ledger_of(number) == kept
    assert again.ledger_of(number + 1) is None, "no visit, no ledger"
    again.delete([number])
    assert again.ledger_of(number) is None
    assert again.complaint == ""
    again.close()


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"dense": null}', "{"])
def test_a_damaged_ledger_is_none(text: str) -> None:
    assert cost_from(text) is None


def test_a_ledger_with_unknown_words_is_none() -> None:
    assert cost_from(cost_text(cost(small=True, runtime=True)).replace("csr", "cxr")) is None


def test_a_history_without_ledgers_gets_room_for_them(tmp_path: Path) -> None:
    """As the first release wrote it; an older program refuses what the new one has written."""
    old = open_database(tmp_path / FILE, STEPS[:1])
    old.execute("INSERT INTO models VALUES (1, 'lenet5', 'aaaaaaaaaaaa', 'dddddddddddddddd', 0)")
    old.execute(
        "INSERT INTO visits (id, model, session, digest, plan, criterion, granularity, scope, "
        "note, first, last) VALUES (7, 1, 's', 'x', '{}', 'l2', 'weight', 'layer', 'kept', 0, 0)"
    )
    old.close()
    history = History(tmp_path)
    history.record_cost(7, cost(small=True, runtime=True))
    assert history.visits()["note"].tolist() == ["kept"]
    assert history.ledger_of(7) == cost(small=True, runtime=True)
    assert history.complaint == ""
    history.close()
    with pytest.raises(sqlite3.DatabaseError, match="newer version, schema 3"):
        open_database(tmp_path / FILE, STEPS[:1])


def test_a_ledger_goes_along_when_the_file_is_lost(tmp_path: Path) -> None:
    history = History(tmp_path)
    number = history.visit(MODEL, Plan())
    history.record_cost(number, cost(small=True, runtime=True))
    for path in [*tmp_path.iterdir()]:
        path.unlink()
    assert history.ledger_of(number) == cost(small=True, runtime=True)
    history.close()


def test_costs_beside_each_other_by_hand() -> None:
    table = costs_apart(cost(small=False, runtime=False), cost(small=True, runtime=True))
    rows = table.set_index("quantity")
    assert rows.loc["network"].tolist() == ["masked", "shrunk"]
    assert rows.loc["parameters"].tolist() == ["400", "500"]
    assert rows.loc["MACs"].tolist() == ["5,000", "2,500"]
    assert rows.loc["zipped file"].tolist() == ["1.90 kB", "1.80 kB"]
    assert rows.loc["latency"].tolist() == ["2.50 ms", "1.00 ms"]
    assert rows.loc["latency, ONNX Runtime"].tolist() == ["", "0.500 ms"]
    assert rows.index.is_unique


@pytest.mark.slow
def test_a_ledger_measured_on_the_page_is_compared_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "home"))
    page = Page(model="lenet5").finish()
    first, second = cost(small=False, runtime=True), cost(small=True, runtime=True)
    page.settle(fc1=0.5).finish()
    plan = page.plan
    page.choose("tabs", "Ledger")
    books = page.app.session_state["LedgerWork"]
    books.enter(plan, first)
    page.settle(fc1=0.8).finish()
    numbers = [page.session.diary.visits[each] for each in (plan, page.plan)]  # type: ignore[union-attr]
    page.app.switch_page(PAGE)
    page.run()
    page.app.session_state["history_first"], page.app.session_state["history_second"] = numbers
    page.run()
    said = "\n".join(each.value for each in page.app.caption)
    assert "The ledger of the second was not measured" in said
    books.enter(page.plan, second)
    page.run()
    table = next(each.value for each in page.app.dataframe if "network" in [*each.value.iloc[:, 0]])
    assert table.set_index("quantity").loc["network"].tolist() == ["masked", "shrunk"]
