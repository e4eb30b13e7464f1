"""How large may a network be that is opened by name, configuration or ONNX?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pruneviz import limits
from tests import optional

# -- networks by name, configuration and ONNX ----------------------------------------------------


def folder(path: Path, **keys: object) -> str:
    path.mkdir(exist_ok=True)
    known = {"model_type": "gpt2", "n_embd": 8, "n_layer": 1, "n_head": 1, "vocab_size": 50}
    (path / "config.json").write_text(json.dumps(known | keys))
    return f"hf:{path}"


@pytest.mark.parametrize(
    "keys",
    [
        {"vocab_size": -1},
        {"vocab_size": 2**40},
        {"n_embd": 2**20, "n_inner": 2**20},
        {"n_layer": 10**7},
        {"n_layer": -3},
        {"n_positions": 2**30},
        {"num_labels": 2**24},
        {"num_labels": -2},
        {"vocab_size": 1e400},
        {"n_head": 0},
    ],
)
def test_sizes_of_a_configuration_are_looked_at(keys: dict[str, object], tmp_path: Path) -> None:
    optional.transformers()
    from pruneviz.sources.networks.architectures import build

    with pytest.raises(ValueError, match=r"config.json|parameters|modules|cannot be built"):
        build(folder(tmp_path / "net", **keys))


@pytest.mark.parametrize("name", ["timm:resnet18", "torchvision:resnet18"])
def test_parameters_are_counted_before_they_have_values(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    getattr(optional, name.partition(":")[0])()
    from pruneviz.sources.networks.architectures import build

    monkeypatch.setenv("PRUNEVIZ_PARAMETERS", "11_000_000")
    with pytest.raises(ValueError, match=r"at least .* parameters.*PRUNEVIZ_PARAMETERS"):
        build(name)
    monkeypatch.setenv("PRUNEVIZ_PARAMETERS", "12_000_000")
    model = build(name).model
    assert sum(each.numel() for each in model.parameters()) < 12_000_000
    monkeypatch.setenv("PRUNEVIZ_MODULES", "20")
    with pytest.raises(ValueError, match=r"PRUNEVIZ_MODULES"):
        build(name)


@pytest.mark.parametrize("size", [2**40, -5, 2**62])
def test_axes_of_an_onnx_file_are_looked_at(size: int, tmp_path: Path) -> None:
    optional.onnx2pytorch()
    import onnx

    from pruneviz.sources.networks.onnx_file import open_onnx

    make, kinds = onnx.helper, onnx.TensorProto
    x = make.make_tensor_value_info("x", kinds.FLOAT, [None, size])
    y = make.make_tensor_value_info("y", kinds.FLOAT, [None, size])
    graph = make.make_graph([make.make_node("Relu", ["x"], ["y"])], "g", [x], [y])
    path = tmp_path / "net.onnx"
    onnx.save(make.make_model(graph), str(path))
    with pytest.raises(ValueError, match=r"net.onnx"):
        open_onnx(path)


def test_a_constant_may_not_ask_for_a_large_tensor(tmp_path: Path) -> None:
    optional.onnx2pytorch()
    import onnx

    from pruneviz.sources.networks.onnx_file import open_onnx

    make, kinds = onnx.helper, onnx.TensorProto
    x = make.make_tensor_value_info("x", kinds.FLOAT, [None, 4])
    y = make.make_tensor_value_info("y", kinds.FLOAT, [None, 4])
    shape = make.make_tensor("shape", kinds.INT64, [2], [2**20, 2**20])
    nodes = [make.make_node("Expand", ["x", "shape"], ["y"])]
    path = tmp_path / "net.onnx"
    onnx.save(make.make_model(make.make_graph(nodes, "g", [x], [y], [shape])), str(path))
    with pytest.raises(ValueError, match=r"net.onnx: Expand makes"):
        open_onnx(path)


def test_a_download_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    from pruneviz.sources.networks.hub import chosen_files

    sizes: dict[str, int | None] = {"config.json": 500, "model.safetensors": 1_000}
    assert len(chosen_files(sizes, "owner/name")) == 2
    monkeypatch.setenv("PRUNEVIZ_DOWNLOAD_BYTES", "999")
    with pytest.raises(ValueError, match=r"1,000 bytes to download, more than 999"):
        chosen_files(sizes, "owner/name")


# -- seen by people ------------------------------------------------------------------------------


def test_settings_lists_every_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from pruneviz.cli import main

    monkeypatch.setenv("PRUNEVIZ_CLASSES", "5")
    shown = CliRunner().invoke(main, ["settings"])
    assert shown.exit_code == 0
    for known in limits.LIMITS.values():
        assert known.variable in shown.output
    assert "PRUNEVIZ_CLASSES = 5 classes (changed)" in shown.output
    rows = json.loads(CliRunner().invoke(main, ["settings", "--json"]).output)
    assert {row["name"]: row["value"] for row in rows}["classes"] == 5
    monkeypatch.setenv("PRUNEVIZ_CLASSES", "many")
    wrong = CliRunner().invoke(main, ["settings"])
    assert wrong.exit_code == 1
    assert "PRUNEVIZ_CLASSES must be a whole number" in wrong.output
    assert "fault" not in wrong.output
