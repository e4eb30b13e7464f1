"""Does each owner of a history see and change what is theirs, and nothing else?"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread

import pytest

from pruneviz.history import History, Measurement, ModelVersion
from pruneviz.history.file import FILE
from pruneviz.history.schema import STEPS
from pruneviz.plan import Plan
from pruneviz.storage.database import open_database

LENET = ModelVersion("lenet5", "a" * 12, "d" * 16)
OTHER = ModelVersion("vit", "c" * 12, "e" * 16)


def plan(level: float) -> Plan:
    return Plan(sparsity={"fc1": level})


def record(accuracy: float) -> Measurement:
    return Measurement(100, accuracy, 0.1, 0.9, 0.5, 0.0, -0.1, 0.1, 100, 50, 50, 1000, 500)


def grown(history: History, name: str) -> list[int]:
    """Three plans in a row, the second of them named and noted."""
    first = history.visit(LENET, plan(0.0))
    second = history.visit(LENET, plan(0.1), first, name)
    history.note(second, f"of {name}")
    history.record_measurement(second, record(0.8))
    return [first, second, history.visit(LENET, plan(0.2), second)]


@pytest.fixture
def whole(tmp_path: Path) -> History:
    return History(tmp_path)


def test_an_owner_sees_what_is_theirs_and_python_sees_all(whole: History) -> None:
    ann, bob = whole.of("ann"), whole.of("bob")
    hers, his = grown(ann, "wide"), grown(bob, "narrow")
    ann.visit(OTHER, plan(0.5))
    assert bob.visits()["id"].tolist() == bob.tree()["id"].tolist() == his
    assert bob.models() == [LENET]
    assert ann.models() == [OTHER, LENET]
    assert len(whole.visits()) == 7
    for number in hers:
        with pytest.raises(ValueError, match=f"no visit {number} in the history"):
            bob.plan_of(number)
        assert bob.record_of(number) is None
        assert bob.ledger_of(number) is None
        assert ann.plan_of(number) == whole.plan_of(number)
    assert "wide" not in bob.export_csv()
    assert dict(zip(whole.owners["owner"], whole.owners["visits"], strict=True)) == {
        "ann": 4,
        "bob": 3,
    }
    assert bob.owners["owner"].tolist() == ["bob"]


def test_nobody_changes_what_is_anothers(whole: History) -> None:
    ann, bob = whole.of("ann"), whole.of("bob")
    hers = grown(ann, "wide")
    before = ann.visits()
    bob.note(hers[1], "mine now")
    bob.name_branch(hers[1], "mine now")
    bob.record_measurement(hers[1], record(0.1))
    assert bob.delete(hers) == 0
    assert not bob.withdraw(hers[1])
    with pytest.raises(ValueError, match="no visit"):
        bob.share(hers[1])
    with pytest.raises(ValueError, match="belongs to another owner"):
        bob.visit(LENET, plan(0.7), session=ann.session)
    child = bob.visit(LENET, plan(0.7), parent=hers[1])
    assert bob.visits()["parent"].isna().all(), "nothing of his comes from hers"
    assert before.equals(ann.visits())
    assert bob.delete([child, *hers]) == 1


def test_with_others_about_an_owner_sees_what_she_would_see_alone(whole: History) -> None:
    names, chance = ("ann", "bob", "cleo"), random.Random(0)
    alone = {name: History(None, session=name) for name in names}
    among = {name: whole.of(name) for name in names}
    number: dict[str, list[tuple[int, int]]] = {name: [] for name in names}  # alone, among others
    for step in range(150):
        name = chance.choice(names)
        one, many, known = alone[name], among[name], number[name]
        chosen = chance.choice(known) if known else None
        act = chance.choice(["visit", "visit", "note", "branch", "measured", "delete"])
        if act == "visit" or chosen is None:
            level, parents = chance.randrange(40) / 40, chosen or (None, None)
            made = (
                one.visit(LENET, plan(level), parents[0]),
                many.visit(LENET, plan(level), parents[1]),
            )
            if made not in known:
                known.append(made)
        elif act == "delete":
            known.remove(chosen)
            assert one.delete([chosen[0]]) == many.delete([chosen[1]]) == 1
        else:
            for history, visit in zip((one, many), chosen, strict=True):
                if act == "measured":
                    history.record_measurement(visit, record(step / 200))
                else:
                    (history.note if act == "note" else history.name_branch)(visit, f"step {step}")
    for name in names:
        place = {many: one for one, many in number[name]}
        table, wanted = among[name].tree(), alone[name].tree()
        assert [place[n] for n in among[name].visits()["id"]] == alone[name].visits()["id"].tolist()
        for column in ("plan", "name", "note", "branch", "accuracy", "times", "line"):
            assert table[column].tolist() == pytest.approx(
                wanted[column].tolist(), nan_ok=True
            ) or (table[column].tolist() == wanted[column].tolist()), column


# -- what is nobody's --------------------------------------------------------------------------


def test_what_is_nobodys_belongs_to_whoever_comes_first(whole: History) -> None:
    rows = grown(whole, "before owners")
    ann, bob = whole.of("ann"), whole.of("bob")
    assert ann.visits().empty
    assert ann.claim()
    assert not bob.claim()
    assert ann.claim(), "and again"
    assert bob.visits().empty
    assert ann.visits()["id"].tolist() == rows
    ann.note(rows[0], "hers")
    later = whole.visit(LENET, plan(0.9))
    assert later in ann.visits()["id"].tolist(), "what Python adds goes the same way"
    assert bob.delete(rows) == 0
    assert ann.delete([later]) == 1


def test_of_many_who_come_at_once_one_is_the_first(tmp_path: Path) -> None:
    grown(History(tmp_path), "before owners")
    names = [f"owner {k}" for k in range(8)]
    start, held = Barrier(len(names)), dict[str, bool]()

    def come(name: str) -> None:
        mine = History(tmp_path).of(name)
        start.wait()
        held[name] = mine.claim()

    threads = [Thread(target=come, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first = [name for name in names if held[name]]
    assert len(first) == 1
    seen = {name: len(History(tmp_path).of(name).visits()) for name in names}
    assert seen == {name: 3 * (name in first) for name in names}


def test_whoever_is_forgotten_by_the_browser_gets_it_all_back(whole: History) -> None:
    old = grown(whole, "before owners")
    ann, bob = whole.of("ann"), whole.of("bob")
    ann.claim()
    hers, his = grown(ann, "wide"), grown(bob, "narrow")
    assert whole.release("ann") == 6, "with what was nobody's and so hers"
    again = whole.of("her other browser")
    assert again.claim()
    assert again.visits()["id"].tolist() == [*old, *hers]
    assert bob.visits()["id"].tolist() == his
    assert whole.release("bob") == 3
    assert again.visits()["id"].tolist() == [*old, *hers], "what she holds is not let go with his"
    assert whole.of("bob anew").claim()
    assert whole.of("bob anew").visits()["id"].tolist() == his


def test_numbers_of_a_table_are_numbers_of_visits(whole: History) -> None:
    grown(whole, "wide")
    first, second, third = whole.visits()["id"]
    whole.note(first, "noted")
    whole.record_measurement(first, record(0.5))
    whole.visit(LENET, plan(0.6), parent=third)
    assert whole.branch(whole.share(second)).plan_of(third) == plan(0.2)
    assert whole.withdraw(second)
    assert whole.delete([first]) == 1
    assert whole.visits()["parent"].tolist()[1:] == [2, 3]
    assert whole.complaint == ""


def test_an_owner_has_a_name(whole: History) -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        whole.of("")


# -- branches to read --------------------------------------------------------------------------


def test_a_shared_branch_is_read_and_not_changed(whole: History) -> None:
    ann = whole.of("ann")
    first, second, third = grown(ann, "wide")
    token = ann.share(second)
    assert ann.share(second) == token
    assert ann.shares == {second: token}
    read = whole.of("bob").branch(token)
    assert read.visits()["id"].tolist() == [second, third]
    assert read.tree()["branch"].tolist() == ["wide", "wide"]
    assert read.plan_of(third) == plan(0.2)
    assert read.record_of(second) == ann.record_of(second)
    assert read.models() == [LENET]
    assert "of wide" in read.export_csv()
    with pytest.raises(ValueError, match="no visit"):
        read.plan_of(first)
    later = ann.visit(LENET, plan(0.3), third)
    assert later in read.visits()["id"].tolist(), "the branch grows"
    acts: list[Callable[[], object]] = [
        lambda: read.visit(LENET, plan(0.5)),
        lambda: read.note(second, "x"),
        lambda: read.name_branch(second, "x"),
        lambda: read.record_measurement(second, record(0.1)),
        lambda: read.delete([second]),
        lambda: read.share(third),
        lambda: read.withdraw(second),
    ]
    for act in acts:
        with pytest.raises(ValueError, match="shared to be read"):
            act()
    with pytest.raises(ValueError, match="only an owner can claim"):
        read.claim()
    assert whole.of("bob").visits().empty


def test_a_branch_that_was_withdrawn_or_deleted_is_read_no_longer(whole: History) -> None:
    ann = whole.of("ann")
    first, second, _ = grown(ann, "wide")
    tokens = [ann.share(second), ann.share(first)]
    reading = [whole.branch(token) for token in tokens]
    assert ann.withdraw(second)
    assert not ann.withdraw(second)
    assert reading[0].visits().empty
    ann.delete([first])
    assert reading[1].visits().empty
    for token in (*tokens, "", "no such token"):
        with pytest.raises(ValueError, match="nothing is shared under this address"):
            whole.branch(token)
    assert ann.share(second) not in tokens, "an address that was withdrawn stays so"
    assert ann.shares.keys() == {second}


# -- files -------------------------------------------------------------------------------------


def test_a_file_from_before_owners_keeps_all_it_had(tmp_path: Path) -> None:
    old = open_database(tmp_path / FILE, STEPS[:2])
    old.execute("INSERT INTO models VALUES (1, 'lenet5', 'a', 'd', 0.0)")
    for number in (1, 2):
        old.execute(
            "INSERT INTO visits (id, model, session, parent, digest, plan, criterion, granularity, "
            "scope, name, note, first, last) "
            "VALUES (?, 1, 's', ?, ?, '{}', 'm', 'weight', 'layer', 'n', 'kept', 0, 0)",
            (number, number - 1 or None, f"digest {number}"),
        )
    old.close()
    history = History(tmp_path)
    assert history.complaint == ""
    assert history.visits()["note"].tolist() == ["kept", "kept"]
    assert history.visits()["parent"].tolist()[1] == 1
    ann = history.of("ann")
    assert ann.claim()
    assert ann.visits().equals(history.visits())
    history.close()
    with pytest.raises(sqlite3.DatabaseError, match="newer version"):
        open_database(tmp_path / FILE, STEPS[:2])


def test_owners_and_links_outlive_a_file_that_was_taken_away(tmp_path: Path) -> None:
    whole = History(tmp_path)
    grown(whole, "before owners")
    ann = whole.of("ann")
    ann.claim()
    token = ann.share(grown(ann, "wide")[1])
    for path in tmp_path.iterdir():
        path.unlink()
    assert len(ann.visits()) == 6
    assert "was taken away" in whole.complaint
    whole.close()
    again = History(tmp_path)
    assert len(again.of("ann").visits()) == 6
    assert not again.of("bob").claim()
    assert len(again.branch(token).visits()) == 2
