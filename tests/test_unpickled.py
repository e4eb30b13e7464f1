"""Are files that run code opened only when that was allowed, and opened right?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pruneviz.network.graph import ONE_AT_A_TIME
from pruneviz.network.replica import replica
from pruneviz.sources.networks.unpickled import runs_code, unpickle


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.audio = nn.Conv1d(4, 6, 3, padding="same")
        self.head = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))

    def forward(self, images: Tensor) -> Tensor:
        hidden = self.norm(self.conv(images)).relu()
        hidden = self.audio(hidden.flatten(2)).mean(-1)
        return self.head(hidden)  # type: ignore[no-any-return]


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(7, 4)
        self.head = nn.Linear(4, 7, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.embed(ids))  # type: ignore[no-any-return]


class Evil:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.write_text, (self.marker, "ran")


def exported(model: nn.Module, inputs: Tensor, path: Path) -> Path:
    batch = torch.export.Dim("batch", min=1)
    with ONE_AT_A_TIME:  # a page that another test left may still be at it
        program = torch.export.export(model, (inputs,), dynamic_shapes=({0: batch},))
    torch.export.save(program, path)
    return path


def test_nothing_is_opened_without_leave(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    torch.save(Evil(marker), tmp_path / "evil.pt")
    with pytest.raises(ValueError, match=r"evil\.pt would run code when opened.*--unsafe-load"):
        unpickle(tmp_path / "evil.pt")
    assert not marker.exists()


def test_a_whole_network_is_opened_with_leave(tmp_path: Path) -> None:
    model = Net().eval()
    torch.save(model, tmp_path / "net.pt")
    opened, notes = unpickle(tmp_path / "net.pt", unsafe=True)
    inputs = torch.randn(3, 2, 8, 8)
    assert torch.equal(opened(inputs), model(inputs))
    assert "running the code" in notes[0]


@pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning")  # of torch's own copying
def test_an_exported_program_has_its_layers_again(tmp_path: Path) -> None:
    model = Net().eval()
    path = exported(model, torch.randn(4, 2, 8, 8), tmp_path / "net.pt2")
    assert runs_code(path)
    opened, _ = unpickle(path, unsafe=True)
    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d)
    for name, layer in model.named_modules():
        if isinstance(layer, kinds):
            assert type(opened.get_submodule(name)) is type(layer)
    assert dict(opened.named_parameters()).keys() == dict(model.named_parameters()).keys()
    inputs = torch.randn(3, 2, 8, 8)
    assert torch.equal(replica(opened)(inputs), model(inputs))
    halved = {"conv.weight": opened.get_parameter("conv.weight") * 0}
    changed = torch.func.functional_call(opened, halved, (inputs,))
    model.conv.weight.data.zero_()
    assert torch.equal(changed, model(inputs))


def test_a_tied_weight_of_an_exported_program_is_one_layer(tmp_path: Path) -> None:
    model = Tied().eval()
    path = exported(model, torch.randint(7, (4, 5)), tmp_path / "tied.pt2")
    opened, _ = unpickle(path, unsafe=True)
    ids = torch.randint(7, (2, 5))
    assert torch.equal(opened(ids), model(ids))
    assert sum(p.numel() for p in opened.parameters()) == 28


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 no zip"])
@pytest.mark.parametrize("name", ["x.pt", "x.pt2"])
def test_what_is_no_network_is_refused(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name} cannot be opened") as error:
        unpickle(tmp_path / name, unsafe=True)
    assert "\n" not in str(error.value)


def test_a_missing_file_and_a_state_dict_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no\.pt: there is no such file"):
        unpickle(tmp_path / "no.pt", unsafe=True)
    torch.save(Net().state_dict(), tmp_path / "w.pt")
    with pytest.raises(ValueError, match=r"w\.pt holds OrderedDict, not a network"):
        unpickle(tmp_path / "w.pt", unsafe=True)
