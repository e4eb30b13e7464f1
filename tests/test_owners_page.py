"""Does each browser see a history of its own, and can a branch of it be shared to be read?"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from pruneviz.history import History
from pruneviz.plan import Plan
from pruneviz.storage.home import VARIABLE
from pruneviz.ui.session import cached, owners
from pruneviz.ui.session.owners import Owner
from tests.page import Page, links, new_app, path_of

TOKENS = {name: name * 43 for name in "AB"}


class Visitor(Page):
    """One browser that has been here before, and tells its cookie."""

    PAGE = "history"

    def __init__(self, name: str, kept: bool | None = True, **address: str) -> None:
        self.app = new_app()
        self.app.query_params.update(address)
        self.app.session_state["owner"] = owners.by_token(TOKENS[name], kept)
        self.seq = 0
        self.run()

    @property
    def owner(self) -> Owner:
        found = self.app.session_state["owner"]
        assert isinstance(found, Owner)
        return found

    @property
    def plans(self) -> list[str]:
        """What the table of the history has."""
        tables = self.app.dataframe
        return [str(plan) for plan in tables[0].value["plan"]] if tables else []


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.slow
def test_two_browsers_share_a_branch_and_nothing_else(home: Path) -> None:
    first, second = Visitor("A", model="lenet300"), Visitor("B", model="lenet300")
    first.settle(fc1=0.5).finish()
    second.settle(fc2=0.6).finish()
    assert first.go().plans == ["○ dense", "● Magnitude, weight: 50 % in 1 layer"]
    assert second.go().plans == ["○ dense", "● Magnitude, weight: 60 % in 1 layer"]
    assert len(History(home).visits()) == 4, "Python sees all"

    first.press("history-share")
    token = next(iter(cached.history().shares.values()))
    assert f"shared={token}" in links(first.app)[0]
    reader = Visitor("B", shared=token)
    reader.app.switch_page(path_of("history"))
    reader.app.query_params["shared"] = token
    reader.run()
    assert reader.plans == ["○ Magnitude, weight: 50 % in 1 layer"]
    assert "Nothing in it can be changed here" in reader.texts()
    assert {"history-restore", "history-mine"} <= reader.buttons()
    assert not {"history-delete", "history-share"} & reader.buttons()
    assert not reader.app.text_input(key="history_text").disabled
    assert len(reader.app.text_input) == 1, "no name and no note to change"
    reader.press("history-mine")
    assert reader.plans == ["○ dense", "○ Magnitude, weight: 60 % in 1 layer"]

    first.press("history-withdraw")
    reader.app.query_params["shared"] = token
    reader.run()
    assert "withdrawn" in reader.texts()
    assert reader.plans == ["○ dense", "○ Magnitude, weight: 60 % in 1 layer"]


def test_what_was_there_before_belongs_to_the_first_who_comes_back(home: Path) -> None:
    history = History(home)
    bench_plan = Plan(sparsity={"fc1": 0.5})
    Visitor("A", kept=False)
    assert not history.of(owners.by_token(TOKENS["A"], None).name).holds, "lost with the tab"
    second = Visitor("B")
    assert history.of(second.owner.name).holds
    assert not Visitor("A").go().plans
    assert bench_plan not in second.session.visited


def test_a_browser_that_keeps_no_cookie_is_told_so(home: Path) -> None:
    page = Visitor("A", kept=False, model="lenet300")
    page.settle(fc1=0.5).finish()
    assert len(page.go().plans) == 2, "within the tab all is as ever"
    assert "your history lasts only until this tab" in page.texts()


def test_a_tab_that_was_second_goes_on_as_the_first(home: Path) -> None:
    page = Visitor("A", kept=None, model="lenet300")
    page.settle(fc1=0.5).finish()
    page.app.session_state["owner_cookie"] = {"kept": TOKENS["B"]}
    page.run()
    assert page.owner == owners.by_token(TOKENS["B"], True)
    assert len(page.go().plans) == 2, "what was visited meanwhile came along"
    page.app.session_state["owner_cookie"] = {"kept": "<script>"}
    page.run()
    assert page.owner.kept, "and stays so"


@pytest.mark.parametrize("said", ["", "short", 5, None, ["x"], "x" * 44, "é" * 43])
def test_what_is_no_token_is_no_cookie_that_was_kept(said: object) -> None:
    assert not owners.is_token(said)


def test_trainings_are_their_owners(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = History(home)
    whole.of("first").claim()
    who: dict[str, Owner | None] = {"now": None}
    monkeypatch.setattr(owners, "current", lambda: who["now"])
    places = {}
    for name in (None, "first", "second", "third"):
        who["now"] = None if name is None else Owner(name)
        places[name] = cached.training_folder()
    assert places[None] == places["first"] == home / "training", "where the command line has them"
    assert len(set(places.values())) == 3
    assert all(place.is_relative_to(home) for place in places.values())


def visitor(
    monkeypatch: pytest.MonkeyPatch,
    cookie: str | None = None,
    user: dict[str, object] | None = None,
    host: str | None = "localhost",
) -> Owner | None:
    """Whoever comes by a browser that tells this."""
    headers = {} if host is None else {"Host": host}
    cookies = {} if cookie is None else {owners.COOKIE: cookie}
    context = SimpleNamespace(headers=headers, cookies=cookies)
    told = SimpleNamespace(context=context, user=user or {}, session_state={})
    monkeypatch.setattr(owners, "st", told)
    found = owners.current()
    assert owners.current() == found, "and stays so"
    return found


def test_an_owner_is_who_signed_in_or_else_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    def come(*told: object, **more: object) -> Owner:
        found = visitor(monkeypatch, *told, **more)  # type: ignore[arg-type]
        assert found is not None
        return found

    assert visitor(monkeypatch, TOKENS["A"], host=None) is None, "without a browser: all"
    first, second = come(TOKENS["A"]), come(TOKENS["B"])
    assert first.kept
    assert first == come(TOKENS["A"]) != second
    assert TOKENS["A"] not in first.name, "the history's file does not tell who may read it"
    unknown = [come(), come(), come("'; DROP TABLE visits"), come(TOKENS["A"] + "A")]
    assert len({owner.name for owner in unknown}) == len(unknown)
    assert all(owner.kept is None and owners.is_token(owner.token) for owner in unknown)

    ann = {"is_logged_in": True, "iss": "https://one", "sub": "ann"}
    signed = come(TOKENS["A"], ann)
    assert signed == come(TOKENS["B"], ann) == come(None, ann)
    assert signed.kept
    names = {
        signed.name,
        come(None, ann | {"iss": "https://two"}).name,
        come(None, ann | {"sub": "bob"}).name,
        first.name,
    }
    assert len(names) == 4
    assert come(TOKENS["A"], {"is_logged_in": False}) == first, "signed out: the browser"
    assert owners.can_sign_in()
    assert come(TOKENS["A"]) == first
    assert not owners.can_sign_in(), "none is set up"
