"""Are Hugging Face dataset folders, parquet and arrow files read as the datasets library would?"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pruneviz.sources.data.reader import read_data
from pruneviz.sources.data.samples import Samples
from pruneviz.sources.spec import InputSpec

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

LABELS = [0, 1] * 5
NAMES = {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}


def png(i: int, size: int = 8) -> dict[str, Any]:
    memory = io.BytesIO()
    Image.new("RGB", (size, size), (i, i, i)).save(memory, "png")
    return {"bytes": memory.getvalue(), "path": None}


def arrow(path: Path, columns: dict[str, Any], features: dict[str, Any] | None = None) -> Path:
    """One split as `Dataset.save_to_disk` writes it."""
    path.mkdir(parents=True, exist_ok=True)
    table = pyarrow.table(columns)
    if features:
        info = json.dumps({"info": {"features": features}}).encode()
        table = table.replace_schema_metadata({b"huggingface": info})
    for i in range(2):
        part = table.slice(i * len(table) // 2, len(table) // 2)
        file = pyarrow.OSFile(str(path / f"data-0000{i}-of-00002.arrow"), "wb")
        with file, pyarrow.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(part)
    state = {"_data_files": [{"filename": f"data-0000{i}-of-00002.arrow"} for i in range(2)]}
    (path / "state.json").write_text(json.dumps(state), encoding="utf-8")
    (path / "dataset_info.json").write_text(json.dumps({"features": features}), encoding="utf-8")
    return path


def said(samples: Samples, words: str) -> bool:
    return any(words in note for note in samples.notes)


def both(samples: Samples) -> list[list[float]]:
    sides = (samples.calibration, samples.validation)
    rows = torch.cat([next(iter(side.tensors().values())) for side in sides])
    return sorted(rows.flatten(1).tolist())


def test_pictures_with_classes(tmp_path: Path) -> None:
    columns = {"image": [png(i) for i in range(10)], "label": LABELS}
    samples = read_data(arrow(tmp_path / "d", columns, NAMES), spec=InputSpec("image", 3, (8, 8)))
    assert samples.classes == ("cat", "dog")
    for side in (samples.calibration, samples.validation):
        assert isinstance(side.inputs, torch.Tensor)
        assert side.inputs.shape[1:] == (3, 8, 8)
        assert side.targets is not None
        assert torch.equal(side.targets, (side.inputs[:, 0, 0, 0] * 255).round().long() % 2)


def test_tokens_with_labels_are_padded(tmp_path: Path) -> None:
    columns = {"input_ids": [[1] * (2 + i % 3) for i in range(10)], "label": LABELS,
               "text": ["left alone"] * 10}  # fmt: skip
    samples = read_data(arrow(tmp_path / "d", columns), spec=InputSpec("tokens", vocab=3))
    assert samples.validation.tensors()["input_ids"].shape[1] == 4
    assert "attention_mask" in samples.validation.tensors()
    assert samples.classes == ("0", "1")


def test_columns_of_numbers_are_features(tmp_path: Path) -> None:
    columns = {"a": list(range(10)), "b": [0.5] * 10, "label": LABELS, "name": ["x"] * 10}
    samples = read_data(arrow(tmp_path / "d", columns))
    assert both(samples) == [[float(i), 0.5] for i in range(10)]
    assert said(samples, "inputs are the columns a, b")


def test_a_column_of_lists_is_a_tensor(tmp_path: Path) -> None:
    grid = [[[float(i), 1.0], [2.0, 3.0]] for i in range(10)]
    samples = read_data(arrow(tmp_path / "d", {"x": grid, "y": [0.5 * i for i in range(10)]}))
    assert both(samples) == [[float(i), 1.0, 2.0, 3.0] for i in range(10)]
    assert samples.validation.targets is not None
    assert samples.validation.targets.is_floating_point()


def test_splits_of_a_dataset_dict_stay_apart(tmp_path: Path) -> None:
    arrow(tmp_path / "train", {"x": [[1.0]] * 10, "label": LABELS})
    arrow(tmp_path / "test", {"x": [[2.0]] * 10, "label": LABELS})
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}', encoding="utf-8")
    samples = read_data(tmp_path)
    assert torch.as_tensor(samples.calibration.inputs).unique().tolist() == [1]
    assert torch.as_tensor(samples.validation.inputs).unique().tolist() == [2]
    assert said(samples, "train calibrates, test validates")


def test_parquet_with_splits_in_its_names(tmp_path: Path) -> None:
    for name, value in (("train", 1.0), ("validation", 2.0)):
        table = pyarrow.table({"x": [[value]] * 10, "label": LABELS})
        (tmp_path / "data").mkdir(exist_ok=True)
        parquet.write_table(table, tmp_path / "data" / f"{name}-00000-of-00001.parquet")
    samples = read_data(tmp_path)
    assert torch.as_tensor(samples.calibration.inputs).unique().tolist() == [1]
    assert len(read_data(tmp_path / "data" / "train-00000-of-00001.parquet").validation) == 7


def test_more_than_the_limit_is_a_seeded_choice(tmp_path: Path) -> None:
    table = {"image": [png(i) for i in range(40)], "label": LABELS * 4}
    numbers = {"x": [[float(i)] for i in range(40)], "label": LABELS * 4}
    for i, columns in enumerate((table, numbers)):
        samples = read_data(arrow(tmp_path / str(i), columns), limit=12)
        assert len(samples.calibration) + len(samples.validation) == 12
        assert said(samples, "12 of 40 samples were taken, a seeded choice")


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no inputs, only label"):
        read_data(arrow(tmp_path / "a", {"label": LABELS}))
    with pytest.raises(ValueError, match="'name' must be numbers"):
        read_data(arrow(tmp_path / "a", {"label": LABELS, "name": [["x"]] * 10}))
    with pytest.raises(ValueError, match="texts need the network's tokenizer: pass tokenizer="):
        read_data(arrow(tmp_path / "b", {"text": ["x"] * 10, "label": LABELS}))
    with pytest.raises(ValueError, match="is empty: give at least two"):
        read_data(arrow(tmp_path / "c", {"x": pyarrow.array([], pyarrow.float32())}))
    missing = arrow(tmp_path / "d", {"x": [[1.0]] * 10})
    (missing / "data-00001-of-00002.arrow").unlink()
    with pytest.raises(ValueError, match=r"data-00001-of-00002.arrow is missing from"):
        read_data(missing)
    short = arrow(tmp_path / "e", {"x": [[1.0]] * 1000}) / "data-00000-of-00002.arrow"
    short.write_bytes(short.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"data-00000-of-00002.arrow is no arrow or parquet file"):
        read_data(short.parent)
    for text in ("{", "[" * 200_000):
        (short.parent / "state.json").write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=r"state.json in .* is no JSON"):
            read_data(short.parent)
    with pytest.raises(ValueError, match="without a picture"):
        read_data(arrow(tmp_path / "f", {"image": [png(1), {"bytes": None, "path": None}] * 5}))


@pytest.mark.filterwarnings("ignore")  # of the library itself
def test_what_the_datasets_library_saves_is_read_as_it_reads_it(tmp_path: Path) -> None:
    library = pytest.importorskip("datasets", reason="the datasets library is not installed")
    rng = np.random.default_rng(0)
    pictures = [Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)) for _ in range(20)]
    features = library.Features(
        image=library.Image(),
        grid=library.Array2D((2, 3), "float32"),
        label=library.ClassLabel(names=["cat", "dog"]),
    )
    columns = {"image": pictures, "grid": rng.random((20, 2, 3)), "label": LABELS * 2}
    whole = library.Dataset.from_dict(columns, features=features).select(range(3, 18))
    sides = whole.train_test_split(0.4, seed=1)
    whole.save_to_disk(str(tmp_path / "one"), num_shards=2)
    whole.remove_columns("image").save_to_disk(str(tmp_path / "grid"))
    whole.to_parquet(str(tmp_path / "one.parquet"))
    sides.save_to_disk(str(tmp_path / "two"))
    wanted = sorted(np.asarray(row["image"]).transpose(2, 0, 1).flatten().tolist() for row in whole)
    for given in (tmp_path / "one", tmp_path / "one.parquet", whole, tmp_path / "two", dict(sides)):
        samples = read_data(given)
        got = [[round(255 * value) for value in row] for row in both(samples)]
        assert sorted(got) == wanted
        assert samples.classes == ("cat", "dog") or given is whole or isinstance(given, dict)
    assert len(read_data(tmp_path / "two").validation) == len(sides["test"])
    assert np.allclose(
        both(read_data(tmp_path / "grid")),
        sorted(np.asarray(row["grid"]).flatten().tolist() for row in whole),
    )
