"""What is opened when the app starts with words of one's own?"""

from __future__ import annotations

import copy
import io
import re
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save
from torch.nn.utils import prune

from pruneviz.network.replica import fingerprint
from pruneviz.plan import to_link
from pruneviz.sources.registered import load_registered
from pruneviz.ui.session import cached
from tests.cases import slow_but
from tests.page import Page
from tests.test_files import FILES
from tests.test_own_network import FITTING, errors, own_data, own_weights, upload


@pytest.fixture
def page() -> Page:
    """The app at lenet300."""
    return Page(model="lenet300")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with weights and data."""
    (tmp_path / "mine.safetensors").write_bytes(save(own_weights()))
    (tmp_path / "own.npz").write_bytes(own_data())
    return tmp_path


def start(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    """The words behind `streamlit run app.py --`."""
    monkeypatch.setattr(sys, "argv", ["/somewhere/app.py", *words])


@pytest.mark.slow
def test_what_is_named_at_the_start_opens_first(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    weights, data = str(folder / "mine.safetensors"), str(folder / "own.npz")
    start(monkeypatch, "--model", weights, "--arch", FITTING, "--data", data)
    page = Page()
    assert page.session.name == "mine.safetensors"
    assert page.app.selectbox(key=page.key("ask_model")).options[0] == "mine.safetensors"
    assert not page.app.error
    page.settle(fc1=0.5).finish()
    again = Page(**page.address)
    assert again.session.bench is page.session.bench, "opened once for everybody"
    assert again.plan == page.plan
    page.choose("ask_model", "lenet5")
    assert page.session.name == "lenet5"


@pytest.mark.parametrize(
    ("words", "said"),
    slow_but(
        lambda words, said: said in ("nosuch.safetensors", "big"),
        [
            (("--model", "nosuch.safetensors", "--arch", FITTING), "nosuch.safetensors"),
            (("--model", "lenet5", "--nosuch"), "--nosuch"),
            (("--modle", "lenet5"), "--modle"),
            (("--model", "lenet5", "--size", "big"), "big"),
        ],
    ),
)
def test_words_that_do_not_open_are_said_and_the_samples_work(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    start(monkeypatch, *words)
    page = Page()
    assert said in errors(page)
    assert page.session.name == "lenet5"
    page.choose("ask_model", "lenet300")
    assert page.session.name == "lenet300"


def test_a_sample_with_own_data_stands_beside_the_sample(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    start(monkeypatch, "--model", "lenet5", "--data", str(folder / "own.npz"))
    page = Page()
    assert page.session.name == "lenet5 (yours)"
    assert len(page.session.bench.source.validation) < 60
    page.choose("ask_model", "lenet5")
    assert len(page.session.bench.source.validation) == 2_000
    cached.bench_of.clear()


def test_a_link_to_a_network_that_is_not_open_here_says_so() -> None:
    link = to_link(Page(model="lenet5").plan, fingerprint(load_registered("lenet5").model))
    page = Page(model="theirs.safetensors", plan=link)
    assert "'theirs.safetensors'" in page.errors()
    assert "--model" in page.errors()


@pytest.mark.parametrize(
    "name",
    slow_but(
        lambda name: name in ("whole.pt", "llama.gguf"),
        ["whole.pt", "gptq.safetensors", "llama.gguf", "script.pt"],
    ),
)
@pytest.mark.filterwarnings("ignore")  # torch's, on what these files are made with
def test_a_file_that_holds_no_weights_is_told_what_it_is(page: Page, name: str) -> None:
    content, words = FILES[name]
    upload(page, FITTING, (name, content()))
    assert re.search(f"{name}.*{words}", errors(page))
    assert page.session.name == "lenet300"


def test_an_upload_that_came_pruned_begins_with_its_plan(page: Page) -> None:
    network = copy.deepcopy(load_registered("lenet5").model)
    prune.l1_unstructured(network.get_submodule("fc1"), "weight", amount=0.7)
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    upload(page, FITTING, ("pruned.pt", file.getvalue()))
    session = page.session
    assert session.name == "pruned.pt"
    assert session.settled.sparsity["fc1"] == pytest.approx(0.7, abs=1e-4)
    mask = session.bench.masks(session.settled).masks["fc1"]
    assert torch.equal(mask, network.get_buffer("fc1.weight_mask").bool())
