"""What do the tests share? Small workbenches over the sample networks, and proof at the end."""

from __future__ import annotations

import gc
import signal
import sqlite3
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

# The process that hands out the tests reads this file too and runs none: what takes seconds to
# import is imported where it is used.
if TYPE_CHECKING:
    from pruneviz.storage.measurement_store import MeasurementStore
    from pruneviz.workbench import Workbench

NETWORKS = ("lenet300", "lenet5", "resnet20", "vit")
CALIBRATED, VALIDATED = 64, 128


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--ends",
        action="store_true",
        help="run the first and the last case of each test alone: what another Python or library"
        " breaks seldom hides in those between",
    )


@pytest.hookimpl(trylast=True)  # after those that the markers leave out
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--ends"):
        return
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    ends = {item for each in cases.values() for item in (each[0], each[-1])}
    config.hook.pytest_deselected(items=[item for item in items if item not in ends])
    items[:] = [item for item in items if item in ends]


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Small tensors on busy cores: threads that wait for each other cost twenty times the work."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session", autouse=True)
def _steady_pace() -> Iterator[None]:
    """How busy the machine becomes during a test changes nothing in it; `test_probe` learns."""
    from pruneviz.measuring.pace import Pace

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pace, "learn", lambda *_: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _nobody_watches_departures() -> Iterator[None]:
    """Pages are drawn for visitors who are never there: what is kept for them would be let go of
    every ten seconds. `test_departures` looks by itself.
    """
    from pruneviz.ui.session.departures import Departures

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Departures, "watch", lambda _: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _libraries_are_no_garbage() -> None:
    """A full collection, which some tests and some pages want, does not walk through all that was
    imported.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C reaches what a test starts, also where the tests themselves run in the background: a
    shell has that ignore it, and what ignores it has its children ignore it.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Connection(sqlite3.Connection):
    """Warns where it is left to the garbage collector, as Python itself does since 3.13."""

    closed = True

    def __init__(self, *words: Any, **settings: Any) -> None:
        super().__init__(*words, **settings)
        self.closed = False  # one that could not be opened need not be closed

    def close(self) -> None:
        self.closed = True
        super().close()

    def __del__(self) -> None:
        if not self.closed:
            warnings.warn(f"unclosed database in {self!r}", ResourceWarning, stacklevel=1)


@pytest.fixture(scope="session", autouse=True)
def _connections_are_closed() -> Iterator[None]:
    """Whoever opens a database closes it, on every Python."""
    if sys.version_info >= (3, 13):
        yield
        return
    connect = sqlite3.connect
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, factory=Connection, **k))
        yield


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests measure is kept in a folder of theirs, not in the user's."""
    from pruneviz.storage.home import VARIABLE

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture
def fresh_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own: nothing was measured or done before."""
    from pruneviz.storage.home import VARIABLE

    home = tmp_path / "home"
    monkeypatch.setenv(VARIABLE, str(home))
    return home


@pytest.fixture
def memory() -> MeasurementStore:
    """What is measured is known as long as the test lasts."""
    from pruneviz.storage.measurement_store import MeasurementStore

    return MeasurementStore(None)


@pytest.fixture
def no_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger exports nothing to ONNX Runtime: that takes most of its time."""
    from pruneviz.measuring import cost

    def missing(*_: object) -> None:
        raise ValueError("ONNX Runtime is not here")

    monkeypatch.setattr(cost, "in_onnx_runtime", missing)


@pytest.fixture(scope="session")
def new_bench() -> Callable[[str], Workbench]:
    """Opens a sample network afresh, over few samples and with nothing measured before."""
    from pruneviz.sources.registered import load_registered
    from pruneviz.workbench import Workbench

    def make(name: str) -> Workbench:
        source = load_registered(name)
        return Workbench(
            replace(
                source,
                calibration=source.calibration.first(CALIBRATED),
                validation=source.validation.first(VALIDATED),
                dense=None,
            )
        )

    return make


@pytest.fixture(scope="session")
def whole_lenet300() -> Workbench:
    """lenet300 over all its samples, so that some points may have more of them than others."""
    import pruneviz

    return pruneviz.open("lenet300")


def opened_zoo(name: str) -> Workbench:
    """A small network of the zoo with its data, under its name there."""
    import pruneviz
    from tests import zoo

    model, data = zoo.made(name)
    bench = pruneviz.open(model, data)
    bench.name = name
    return bench


@pytest.fixture(scope="session", autouse=True)
def benches(new_bench: Callable[[str], Workbench]) -> Iterator[Callable[[str], Workbench]]:
    """The workbench of a sample network or of a small one of the zoo by name, shared by the whole
    session: to trace a network takes longer than most of what is tested.

    When the session ends, the weights all tests have shared must be those that were loaded.
    """
    from pruneviz.network.replica import fingerprint
    from tests.zoo import SMALL

    opened: dict[str, Workbench] = {}
    loaded: dict[str, str] = {}

    def get(name: str) -> Workbench:
        if name not in opened:
            opened[name] = opened_zoo(name) if name in SMALL else new_bench(name)
            loaded[name] = fingerprint(opened[name].source.model)
        return opened[name]

    yield get
    now = {name: fingerprint(bench.source.model) for name, bench in opened.items()}
    assert now == loaded, "a test, or the engine under it, has written to the shared dense weights"


@pytest.fixture(params=NETWORKS)
def bench(request: pytest.FixtureRequest, benches: Callable[[str], Workbench]) -> Workbench:
    """Each of the four sample networks in turn."""
    return benches(request.param)


@pytest.fixture(autouse=True)
def _same_chance() -> Iterator[None]:
    """Every test starts from the same random stream and leaves the process's own alone."""
    import torch

    before = torch.get_rng_state()
    torch.manual_seed(0)
    yield
    torch.set_rng_state(before)
