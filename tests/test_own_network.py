"""Can somebody open their own network in the app, and is what is dangerous or wrong refused?"""

from __future__ import annotations

import io
import itertools
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save

from pruneviz.sources.registered import load_registered
from tests.cases import slow_but
from tests.page import Page

FITTING = "sample:lenet5"


@pytest.fixture
def page() -> Page:
    """The app at lenet300."""
    return Page(model="lenet300")


def own_weights() -> dict[str, torch.Tensor]:
    """Weights for lenet5 that are not the sample's."""
    model = load_registered("lenet5").model
    return {name: tensor * 1.01 for name, tensor in model.state_dict().items()}


def own_data(count: int = 60) -> bytes:
    """An .npz of some of lenet5's digits."""
    data = load_registered("lenet5").validation.first(count)
    assert isinstance(data.inputs, torch.Tensor)
    assert data.targets is not None
    file = io.BytesIO()
    np.savez(file, x=data.inputs.numpy(), y=data.targets.numpy())
    return file.getvalue()


def upload(
    page: Page, arch: str, weights: tuple[str, bytes] | None = None, data: bytes | None = None
) -> Page:
    """Fill in the form and send it."""
    page.app.text_input(key=key(page, "arch")).set_value(arch)
    if weights is not None:
        name, content = weights
        box = page.app.file_uploader(key=key(page, "weights"))
        box.set_value((name, content, "application/octet-stream"))
    if data is not None:
        box = page.app.file_uploader(key=key(page, "data"))
        box.set_value(("own.npz", data, "application/octet-stream"))
    next(button for button in page.app.button if button.label == "Open").click()
    return page.run()


def key(page: Page, name: str) -> str:
    return f"upload_{name}-{page.app.session_state['upload_round']}"


def errors(page: Page) -> str:
    return " ".join(str(error.value) for error in page.app.error)


# -- through the browser -----------------------------------------------------------------------


@pytest.mark.slow
def test_uploaded_weights_without_data_are_compared_with_themselves(page: Page) -> None:
    upload(page, FITTING, ("mine.safetensors", save(own_weights())))
    bench = page.session.bench
    assert page.session.name == bench.name == "mine.safetensors"
    assert page.app.selectbox(key=page.key("ask_model")).value == "mine.safetensors"
    assert bench.task.against_dense
    assert any("synthetic" in note for note in bench.notes)
    weights = own_weights()
    assert all(bench.source.model.state_dict()[name].equal(weights[name]) for name in weights)
    page.settle(fc1=0.5).finish()
    assert page.result().n == len(bench.source.validation)
    assert page.address["model"] == "mine.safetensors"


def test_uploaded_weights_and_data_are_measured_by_accuracy(page: Page) -> None:
    upload(page, FITTING, ("mine.safetensors", save(own_weights())), own_data())
    bench = page.session.bench
    assert bench.task.name == "classes"
    assert len(bench.source.calibration) + len(bench.source.validation) == 60
    page.finish()
    assert page.result().accuracy > 0.8


@pytest.mark.slow
def test_whoever_has_a_class_of_their_own_is_told_how_to_start(page: Page) -> None:
    assert "streamlit run app.py -- --model mine:network --data mine:data" in page.texts()


def test_an_upload_is_seen_by_its_own_session_alone(page: Page) -> None:
    upload(page, FITTING, ("mine.safetensors", save(own_weights())))
    mine = page.app.selectbox(key=page.key("ask_model")).options
    assert "mine.safetensors" in mine
    other = Page(model="mine.safetensors")
    assert "mine.safetensors" not in other.app.selectbox(key=other.key("ask_model")).options
    assert "Unknown model 'mine.safetensors'" in other.errors()
    assert "upload" in other.errors(), "what to do"
    assert other.session.name == "lenet5"


@pytest.mark.slow
def test_two_uploads_of_one_name_and_the_samples_stand_side_by_side(page: Page) -> None:
    for _ in range(2):
        upload(page, FITTING, ("mine.safetensors", save(own_weights())))
    options = page.app.selectbox(key=page.key("ask_model")).options
    assert {"mine.safetensors", "mine.safetensors (uploaded)", "lenet5"} <= set(options)
    page.app.selectbox(key=page.key("ask_model")).set_value("lenet5")
    page.run()
    assert page.session.name == "lenet5"
    page.app.selectbox(key=page.key("ask_model")).set_value("mine.safetensors")
    page.run()
    assert page.session.name == "mine.safetensors"


class Evil:
    """Leaves a mark wherever it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize(
    ("zipped", "name"),
    slow_but(
        lambda zipped, name: zipped == (name in ("evil.pt", "evil.safetensors")),
        itertools.product([True, False], ["evil.pt", "evil.pth", "evil.bin", "evil.safetensors"]),
    ),
)
def test_a_file_that_would_run_code_is_refused(
    page: Page, tmp_path: Path, name: str, zipped: bool
) -> None:
    mark = tmp_path / "ran"
    file = io.BytesIO()
    if zipped:
        torch.save({"state_dict": own_weights(), "more": Evil(mark)}, file)
    else:
        pickle.dump({"state_dict": Evil(mark)}, file)
    before = page.session
    upload(page, FITTING, (name, file.getvalue()))
    assert not mark.exists()
    assert name in errors(page)
    assert page.session is before


def test_data_that_would_run_code_is_refused(page: Page, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    file = io.BytesIO()
    np.savez(file, x=np.array([Evil(mark)], dtype=object), y=np.zeros(1))
    upload(page, FITTING, None, file.getvalue())
    assert not mark.exists()
    assert errors(page)
    assert page.session.name == "lenet300"


@pytest.mark.parametrize(
    ("arch", "weights", "said"),
    slow_but(
        lambda arch, weights, said: arch in ("os:getcwd", "hf:/etc") or weights,
        [
            ("", None, "architecture"),
            ("os:getcwd", None, "architecture"),
            ("hf:/etc", None, "folder of this machine"),
            ("hf:../secret", None, "folder of this machine"),
            ("sample:nosuch", None, "nosuch"),
            ("sample:lenet300", ("mine.safetensors", save({"w": torch.ones(2)})), "w"),
            (FITTING, ("cut.safetensors", save({"w": torch.ones(99)})[:40]), "cut.safetensors"),
        ],
    ),
)
def test_what_does_not_open_is_a_sentence_and_nothing_is_lost(
    page: Page, arch: str, weights: tuple[str, bytes] | None, said: str
) -> None:
    page.settle(fc1=0.5)
    before, plan = page.session, page.plan
    upload(page, arch, weights)
    assert said in errors(page)
    assert (page.session, page.plan) == (before, plan)
    assert page.session.name == "lenet300"
