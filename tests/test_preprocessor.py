"""What is taken of a folder's preprocessor_config.json, and what is refused before any work?"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

import pruneviz as pv
from pruneviz.sources.networks.architectures import build
from pruneviz.sources.networks.preprocessor import FILE, image_spec
from tests import optional

RESNET = {"model_type": "resnet", "embedding_size": 8, "hidden_sizes": [8, 8], "depths": [1, 1]}


def folder(place: Path, rule: object, **keys: object) -> str:
    """A network of pictures whose configuration states no size."""
    optional.transformers()
    (place / "config.json").write_text(json.dumps(RESNET | keys))
    (place / FILE).write_text(rule if isinstance(rule, str) else json.dumps(rule))
    return f"hf:{place}"


@pytest.mark.parametrize(
    ("rule", "size"),
    [
        ({"size": 40}, (40, 40)),
        ({"size": [40, 48]}, (40, 48)),
        ({"size": {"height": 40, "width": 48}}, (40, 48)),
        ({"size": {"shortest_edge": 40}}, (40, 40)),
        ({"size": {"shortest_edge": 256}, "crop_size": {"height": 40, "width": 40}}, (40, 40)),
        ({"size": {"longest_edge": 40}}, None),
        ({"size": None}, None),
        ({}, None),
    ],
)
def test_every_way_to_state_a_size_is_read(
    rule: object, size: tuple[int, int] | None, tmp_path: Path
) -> None:
    assert build(folder(tmp_path, rule)).spec.size == size


def test_channels_are_those_of_the_configuration_else_three(tmp_path: Path) -> None:
    assert build(folder(tmp_path, {"size": 40}, num_channels=1)).spec.channels == 1
    assert image_spec(SimpleNamespace(image_size=8), tmp_path, "net", ()).channels == 3


def test_scaling_is_one_number_or_one_for_each_channel_or_none(tmp_path: Path) -> None:
    rule = {"image_mean": 0.5, "image_std": [1, 2, 3], "crop_pct": 0.5, "resample": 3}
    spec = build(folder(tmp_path, rule)).spec
    assert (spec.mean, spec.std, spec.crop) == ((0.5,), (1.0, 2.0, 3.0), 0.5)
    assert spec.interpolation == "bicubic"
    spec = build(folder(tmp_path, rule | {"do_normalize": False, "resample": [9]})).spec
    assert (spec.mean, spec.std, spec.interpolation) == ((), (), "bilinear")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("[1]", f"its {FILE} holds list, not keys"),
        ("{", f"its {FILE} is no JSON"),
        ({"size": "big"}, "'size'.*pixels.*'big'"),
        ({"size": [3, -4]}, "'size'.*pixels"),
        ({"size": 64.5}, "'size'.*pixels"),
        ({"size": {"height": 20}}, "'size'.*pixels"),
        ({"size": {"height": [1], "width": 2}}, "'size'.*pixels"),
        ({"image_mean": "x"}, "'image_mean'.*numbers"),
        ({"image_mean": [True, 0, 0]}, "'image_mean'.*numbers"),
        ('{"image_mean": 1e400}', "'image_mean'.*numbers"),
        ({"image_std": [1, 0, 1]}, "'image_std'.*numbers above 0"),
        ({"crop_pct": -3}, "'crop_pct'.*above 0"),
        ({"crop_pct": [1]}, "'crop_pct'.*above 0"),
    ],
)
def test_what_no_picture_can_have_is_refused_by_name(
    rule: object, words: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=words) as refusal:
        build(folder(tmp_path, rule))
    assert "\n" not in str(refusal.value)


def test_a_picture_over_the_bound_is_refused_before_any_is_made(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"3,000,000,000,000 numbers.*PRUNEVIZ_INPUT_NUMBERS"):
        pv.open(folder(tmp_path, {"size": 10**6}))


def test_the_size_of_the_configuration_is_looked_at_too(tmp_path: Path) -> None:
    vit = {
        "model_type": "vit", "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1,
        "intermediate_size": 8, "image_size": "wide",
    }  # fmt: skip
    with pytest.raises(ValueError, match=r"cannot (be built|build)"):
        build(folder(tmp_path, {}, **vit))
