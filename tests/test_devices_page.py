"""Does the page of small devices tell what fits, and make it fit?"""

from __future__ import annotations

import time

import pandas as pd
import pytest

from pruneviz.allocation.devices import DEVICES, KIB, budget, verdict
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.ui.allocate.device_fit_work import DeviceFitWork, need_of
from pruneviz.ui.text import plain
from tests.cases import slow_but
from tests.page import PATIENCE, Page, path_of


class Devices(Page):
    """The page of devices, reached from the workbench in the same tab."""

    PAGE, STATE = "devices", "DeviceFitWork"

    def go(self) -> Devices:
        self.app.switch_page(path_of("devices"))
        return self.done()

    def done(self) -> Devices:
        """Let the page's own work end."""
        end = time.monotonic() + PATIENCE
        self.run()
        while (job := self.fitting.job) is not None or self.session.next_change is not None:
            assert time.monotonic() < end
            waits = job if job is not None else self.session.job
            if waits is not None:
                waits.wait(PATIENCE)
            self.run()
        return self

    @property
    def fitting(self) -> DeviceFitWork:
        found = self.app.session_state["DeviceFitWork"]
        assert isinstance(found, DeviceFitWork)
        return found

    @property
    def table(self) -> pd.DataFrame:
        return self.app.dataframe[0].value.set_index("device")

    def press(self, key: str) -> Devices:
        self.app.button(key=key).click()
        return self.done()

    def budget(self, flash: float, ram: float) -> Devices:
        self.app.number_input(key="device_flash").set_value(flash)
        self.app.number_input(key="device_ram").set_value(ram)
        return self.done()


@pytest.fixture
def page() -> Devices:
    """The devices under whole neurons of lenet5."""
    found = Devices(model="lenet5")
    found.choose("ask_granularity", "neuron")
    return found.go()


def test_every_device_has_its_verdict_by_hand(page: Devices) -> None:
    need = need_of(page.fitting, "int8")
    assert need is not None
    assert need.weights == 61_706
    for device in DEVICES:
        row = page.table.loc[device.name]
        assert row["verdict"].endswith(verdict(need, device).words)
        assert row["source"].startswith(device.source)
    zero = page.table.loc["Arduino Zero (SAMD21G18)"]
    assert zero["flash used"] == f"{100 * 61_706 / (256 * KIB):.1f} %"
    assert zero["verdict"] == "✓ fits"


@pytest.mark.parametrize(
    ("weights", "factor"),
    slow_but(lambda weights, _: weights == "fp16", [("int8", 1), ("fp16", 2), ("fp32", 4)]),
)
def test_the_width_is_a_choice(page: Devices, weights: str, factor: int) -> None:
    page.app.session_state["device_weights"] = weights
    page.done()
    share = 100 * factor * 61_706 / (256 * KIB)
    assert page.table.loc["Arduino Zero (SAMD21G18)"]["flash used"] == f"{share:,.1f} %"
    assert page.app.metric[3].label == "Accuracy as fp32"
    notes = [each.value for each in page.app.caption if "not measured" in each.value]
    assert notes == ([] if weights == "fp32" else [f"As {weights}: not measured."])


@pytest.mark.slow
def test_the_accuracy_of_8_bits_is_measured_by_a_click(page: Devices) -> None:
    pytest.importorskip("onnxruntime")
    page.press("devices-int8")
    score = page.fitting.rounded.get(page.session.settled)
    assert isinstance(score, Evaluation)
    assert score.n == len(page.session.bench.source.validation)
    shown = page.app.metric[3]
    assert shown.label == "Accuracy as int8"
    assert shown.value == plain(page.session.bench.task.score_text(score.accuracy))
    assert "Against fp32: " in page.texts()
    page.app.session_state["device_weights"] = "fp16"
    page.done()
    assert page.app.metric[3].label == "Accuracy as fp32"


def test_a_budget_of_ones_own_stands_in_the_table(page: Devices) -> None:
    page.budget(32, 32)
    assert page.table.loc["Your own device"]["verdict"] == "✗ short by 28.3 KiB of flash"


@pytest.mark.parametrize(
    ("flash", "ram", "named"),
    slow_but(lambda flash, *_: flash == 0, [(0, 32, "flash"), (32, -1, "RAM")]),
)
def test_a_budget_that_is_none_is_refused_by_name(
    page: Devices, flash: float, ram: float, named: str
) -> None:
    page.budget(flash, ram)
    assert named in page.app.error[0].value
    assert "Your own device" not in page.table.index
    assert len(page.table) == len(DEVICES)


@pytest.mark.slow
def test_a_suggestion_applied_makes_it_fit(page: Devices) -> None:
    page.budget(32, 32)
    page.app.session_state["device_choice"] = "Your own device"
    page.done().press("devices-suggest")
    found = page.fitting.suggestion
    assert found is not None
    assert found.plan is not None
    steps = page.app.dataframe[1].value
    assert list(steps["slider"]) == [step.slider for step in found.by_slider()]
    assert "Predicted" in page.texts()
    page.press("devices-apply")
    assert page.plan == found.plan
    need = need_of(page.fitting, "int8")
    assert need is not None
    assert verdict(need, budget(32, 32)).fits
    assert "Fits Your own device" in page.texts()
    assert page.table.loc["Your own device"]["verdict"] == "✓ fits"


@pytest.mark.slow
def test_what_can_never_fit_is_told(page: Devices) -> None:
    page.budget(1, 32)
    page.app.session_state["device_choice"] = "Your own device"
    page.done().press("devices-suggest")
    assert "Even at 90 % everywhere" in page.texts()
    assert page.plan.is_dense


def test_single_weights_shrink_nothing_and_neurons_are_offered() -> None:
    page = Devices(model="lenet5")
    page.settle(fc1=0.9)
    page.go().budget(32, 32)
    page.app.session_state["device_choice"] = "Your own device"
    page.done()
    assert "Zeros are stored like any other number" in page.texts()
    assert page.table.loc["Your own device"]["verdict"].startswith("✗ short by 28.3 KiB")
    assert "devices-suggest" not in {button.key for button in page.app.button}
    page.press("devices-neurons")
    assert page.plan.granularity == "neuron"
    assert page.table.loc["Your own device"]["verdict"] == "✓ fits"


@pytest.mark.slow
def test_there_and_back_loses_nothing(page: Devices) -> None:
    page.budget(48, 24)
    page.back()
    page.settle(fc1=0.5).finish()
    before, session = page.plan, page.session
    page.go()
    assert page.app.number_input(key="device_flash").value == 48
    assert page.fitting.session is session
    page.back()
    assert page.session is session
    assert page.plan == before
    assert page.session.have == ("", ""), "the browser has to be told everything again"
    assert page.app.selectbox(key=page.key("ask_granularity")).value == "neuron"
    assert page.app.selectbox(key=page.key("ask_model")).value == "lenet5"
    assert page.address["model"] == "lenet5"
    page.ask("undo")
    assert page.plan != before


@pytest.mark.slow
def test_another_network_begins_anew(page: Devices) -> None:
    first = page.fitting
    page.back()
    page.app.selectbox(key=page.key("ask_model")).set_value("lenet300")
    page.run()
    page.go()
    assert page.fitting is not first
    assert "lenet300" in page.texts()
