"""Does a zip of pictures become what the same folder does, and is what it must not hold refused?"""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest
import torch
from PIL import Image

from pruneviz import limits
from pruneviz.sources.data.reader import read_data
from pruneviz.sources.data.samples import Samples
from pruneviz.sources.spec import InputSpec
from pruneviz.sources.upload import PictureFormat, open_upload
from pruneviz.ui.workbench.picture_form import read

SPEC = InputSpec("image", 1, (28, 28))
CLASSES = ("cat", "dog")


def png(grey: int, size: tuple[int, int] = (28, 28)) -> bytes:
    file = io.BytesIO()
    Image.new("L", size, grey).save(file, "PNG")
    return file.getvalue()


def archive(folder: Path, entries: dict[str, bytes | str]) -> Path:
    path = folder / "photos.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries.items():
            made.writestr(name, content)
    return path


def zoo(each: int = 5, below: str = "") -> dict[str, bytes | str]:
    return {
        f"{below}{name}/{i}.png": png(10 * place + i)
        for place, name in enumerate(CLASSES)
        for i in range(each)
    }


def same(one: Samples, other: Samples) -> bool:
    sides = ((one.calibration, other.calibration), (one.validation, other.validation))
    return one.classes == other.classes and all(
        torch.equal(a.inputs, b.inputs) and torch.equal(a.targets, b.targets) for a, b in sides
    )


@pytest.mark.parametrize("below", ["", "photos/"])
def test_a_zip_is_read_as_the_folder_in_it(tmp_path: Path, below: str) -> None:
    entries = zoo(below=below) | {"__MACOSX/._0.png": "x", f"{below}cat/.DS_Store": "x"}
    path = archive(tmp_path, entries)
    zipfile.ZipFile(path).extractall(tmp_path / "folder")
    inside = tmp_path / "folder" / below
    (tmp_path / "folder" / "__MACOSX" / "._0.png").unlink()
    (tmp_path / "folder" / "__MACOSX").rmdir()
    samples = read_data(path, spec=SPEC)
    assert samples.classes == CLASSES
    assert same(samples, read_data(inside, spec=SPEC))


@pytest.mark.parametrize(
    ("lines", "classes"),
    [
        ("file,label\n{}", ("cat", "dog")),
        ("{}", ("cat", "dog")),
    ],
)
def test_labels_stand_in_a_file(tmp_path: Path, lines: str, classes: tuple[str, ...]) -> None:
    rows = [(f"images/{i}.png", CLASSES[i % 2]) for i in range(10)]
    text = lines.format("\n".join(f"{name},{label}" for name, label in rows))
    entries: dict[str, bytes | str] = {f"images/{i}.png": png(i) for i in range(10)}
    samples = read_data(archive(tmp_path, entries | {"labels.csv": text}), spec=SPEC)
    assert samples.classes == classes
    for side in (samples.calibration, samples.validation):
        assert isinstance(side.inputs, torch.Tensor)
        grey = (side.inputs[:, 0, 0, 0] * 255).round().long()
        assert torch.equal(grey % 2, side.targets)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ("0.png,cat\n1.png,dog", r"labels.csv has no label for 2.png"),
        ("0.png,a\n1.png,b\n2.png,b\n7.png,b", r"labels '7.png', and there is no such picture"),
        ("0.png,a\n0.png,b\n1.png,b\n2.png,b", r"gives '0.png' two labels"),
        ("0.png\n1.png,b\n2.png,b", r"line 1 of labels.csv has 1 cells"),
    ],
)
def test_labels_that_do_not_go_with_the_pictures(tmp_path: Path, labels: str, said: str) -> None:
    entries: dict[str, bytes | str] = {f"{i}.png": png(i) for i in range(3)}
    with pytest.raises(ValueError, match=said):
        read_data(archive(tmp_path, entries | {"labels.csv": labels}), spec=SPEC)


def link() -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("cat/9.png")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    ("entry", "content", "said"),
    [
        ("cat/notes.pdf", b"x", r"photos.zip holds 'cat/notes.pdf', which is no picture"),
        ("cat/9.png", b"no picture", r"9.png cannot be read as a picture \(1 of 11"),
        ("../9.png", png(1), r"'../9.png' in it leads out of the archive"),
        ("/tmp/9.png", png(1), r"'/tmp/9.png' in it leads out"),
        ("..\\9.png", png(1), r"leads out"),
        (link(), b"/etc/passwd", r"'cat/9.png' in it leads out"),
    ],
)
def test_what_a_zip_must_not_hold(
    tmp_path: Path, entry: str | zipfile.ZipInfo, content: bytes, said: str
) -> None:
    path = archive(tmp_path, zoo())
    with zipfile.ZipFile(path, "a") as made:
        made.writestr(entry, content)
    with pytest.raises(ValueError, match=said):
        read_data(path, spec=SPEC)


def test_an_archive_that_is_none_or_holds_none_or_too_much(tmp_path: Path) -> None:
    path = tmp_path / "photos.zip"
    path.write_bytes(b"PK no archive")
    with pytest.raises(ValueError, match=r"photos.zip cannot be read as a zip"):
        read_data(path, spec=SPEC)
    with pytest.raises(ValueError, match=r"photos.zip holds no pictures"):
        read_data(archive(tmp_path, {}), spec=SPEC)
    bomb = archive(tmp_path, {"cat/0.png": b"\0" * 2_000_000})
    with limits.tighter(data_bytes=1_000_000), pytest.raises(ValueError, match="unfolds to 2,000,"):
        read_data(bomb, spec=SPEC)
    with limits.tighter(files=3), pytest.raises(ValueError, match="holds 10 files"):
        read_data(archive(tmp_path, zoo()), spec=SPEC)


def test_pictures_of_several_sizes_need_a_size(tmp_path: Path) -> None:
    path = archive(tmp_path, zoo() | {"cat/9.png": png(1, (30, 20))})
    with pytest.raises(ValueError, match="pictures differ in size"):
        read_data(path)
    assert read_data(path, size=16).validation.first(1).inputs.shape == (1, 1, 16, 16)


def test_an_upload_of_pictures(tmp_path: Path) -> None:
    data = archive(tmp_path, zoo()).read_bytes()
    wish = PictureFormat(mean=(0.5,), std=(0.5,), classes=("bird", "cat", "dog"))
    source = open_upload(None, "", "sample:lenet5", data, "photos.zip", pictures=wish)
    assert source.classes == ("bird", "cat", "dog")
    assert source.validation.targets is not None
    assert {*source.validation.targets.tolist()} <= {1, 2}
    assert isinstance(source.validation.inputs, torch.Tensor)
    assert float(source.validation.inputs.max()) == pytest.approx((14 / 255 - 0.5) / 0.5, abs=0.05)
    assert source.opened is not None
    assert (source.opened.mean, source.opened.classes) == (wish.mean, wish.classes)
    twice = PictureFormat(classes=("a", "a"))
    with pytest.raises(ValueError, match="class names must differ"):
        open_upload(None, "", "sample:lenet5", data, "photos.zip", pictures=twice)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (("wide", "ImageNet", "", "", ""), "Size takes pixels such as 224 or 200x320, got 'wide'"),
        (("", "ImageNet", "0.5", "", ""), "choose it"),
        (("", "my own mean and std", "a", "1", ""), "Mean takes numbers such as 0.5"),
        (("", "my own mean and std", "0.5", "0", ""), "Std must be above 0"),
    ],
)
def test_fields_that_cannot_be_read(fields: tuple[str, str, str, str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(*fields)


def test_fields_become_a_format() -> None:
    assert read("", "as the architecture states", "", "", "") == PictureFormat()
    assert read("200 x 320", "0 to 1", "", "", "cat, dog") == PictureFormat(
        (200, 320), (0.0,), (1.0,), ("cat", "dog")
    )
