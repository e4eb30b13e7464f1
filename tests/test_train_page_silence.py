"""What is shown of units that were silent while a network trained?"""

from __future__ import annotations

import shutil

import pytest

from pruneviz.storage.home import home
from tests.test_train_page import Trains


@pytest.mark.slow
def test_units_cut_for_their_silence_are_shown_with_what_they_did() -> None:
    shutil.rmtree(home() / "training", ignore_errors=True)
    page = Trains(model="lenet300")
    page.choose("ask_granularity", "neuron")
    page.settle(fc1=0.5)
    page.go()
    page.set(method="activity", epochs=2, samples=500).set(every=5)
    page.press("train-begin").done()
    assert page.trainer.result is not None, page.trainer.message
    assert "Units cut for their activity" in page.said()
    events = next(t.value for t in page.app.dataframe if "why" in t.value)
    assert events["unit"].str.isdigit().any()
    assert events["why"].str.contains("of its activations").any()
    page.press("train-use").arrive()
    assert "L2 norm instead of Magnitude" in (page.session.message or "")
