"""Does the user's code come by name, and does all that can go wrong say so in one sentence?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from torch import nn

from pruneviz.sources.networks.architectures import build
from pruneviz.sources.networks.factories import build_by_name, module_by_name
from pruneviz.sources.networks.weights import Weights

CODE = """
from torch import nn

def build(): return nn.Linear(3, 2)
def pair(): return nn.Linear(3, 2), (1, 2)
def nothing(): return None
def number(): return 3
def breaks(): raise KeyError("lost")
def leaves(): raise SystemExit(3)
def needs(what): return what
class Nets:
    small = nn.Linear(1, 1)
    class Net(nn.Linear):
        def __init__(self): super().__init__(2, 2)
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    Path("pv_own").mkdir()
    Path("pv_own/__init__.py").touch()
    Path("pv_own/nets.py").write_text(CODE)
    Path("pv_own/broken.py").write_text("1 / 0")
    Path("pv_own/wants.py").write_text("import pv_not_there")
    yield
    for name in [name for name in sys.modules if name.startswith("pv_own")]:
        del sys.modules[name]


def test_functions_classes_and_networks_are_found_from_the_folder_one_stands_in() -> None:
    assert isinstance(build_by_name("pv_own.nets:build"), nn.Linear)
    assert isinstance(build_by_name("pv_own.nets:Nets.Net"), nn.Linear)
    assert isinstance(build_by_name("pv_own.nets:Nets.small"), nn.Linear)
    pair = build_by_name("pv_own.nets:pair")
    assert isinstance(pair, tuple)
    assert pair[1] == (1, 2)


def test_a_function_is_given_itself_when_it_is_not_to_be_called() -> None:
    assert callable(build_by_name("pv_own.nets:needs", call=False))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pv_own.nets", "package.module:function, got 'pv_own.nets'"),
        (":build", "package.module:function"),
        ("pv own:build", "package.module:function"),
        ("../nets:build", "package.module:function"),
        ("pv_nowhere:build", "no module 'pv_nowhere'"),
        ("pv_own.nowhere:build", "no module 'pv_own.nowhere'"),
        ("pv_own.nets:built", "pv_own.nets has no 'built'"),
        ("pv_own.broken:build", "importing pv_own.broken raised ZeroDivisionError: division"),
        ("pv_own.wants:build", "importing pv_own.wants raised ModuleNotFoundError: No module"),
        ("pv_own.nets:breaks", "raised KeyError: 'lost'"),
        ("pv_own.nets:leaves", "raised SystemExit: 3"),
        ("pv_own.nets:needs", "without arguments, raised TypeError: needs"),
        ("pv_own.nets:nothing", "returned None"),
    ],
)
def test_what_goes_wrong_is_one_sentence(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        build_by_name(name)
    assert "\n" not in str(error.value)


def test_a_network_is_asked_for() -> None:
    with pytest.raises(ValueError, match=r"gave int, not an nn\.Module"):
        module_by_name("pv_own.nets:number")


def test_own_code_is_an_architecture_where_it_is_allowed() -> None:
    state = nn.Linear(3, 2).state_dict()
    found = build("pv_own.nets:build", Weights(state), own_code=True)
    assert found.model.get_parameter("bias").equal(state["bias"])
    assert found.spec.kind == "unknown"
    with pytest.raises(ValueError, match=r"own code .* is for the command line"):
        build("pv_own.nets:build")
