"""Do folders of pictures by class become what the network's own pipeline would make of them?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from pruneviz.sources.data.pictures import prepare
from pruneviz.sources.data.reader import read_data
from pruneviz.sources.data.samples import DataRequest, Samples
from pruneviz.sources.spec import InputSpec
from tests import optional
from tests.cases import slow_but

SPEC = InputSpec("image", 3, (16, 16), (0.5, 0.4, 0.3), (0.2, 0.2, 0.2))


def picture(path: Path, size: tuple[int, int] = (16, 16), mode: str = "RGB", seed: int = 0) -> None:
    """A picture of noise; size: width and height, as Pillow has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(values).convert(mode).save(path)


def zoo(folder: Path, each: int = 5, classes: tuple[str, ...] = ("cat", "dog")) -> Path:
    for i, name in enumerate(classes):
        for j in range(each):
            picture(folder / name / f"{j}.png", seed=each * i + j)
    return folder


def inputs(samples: Samples) -> Tensor:
    assert isinstance(samples.validation.inputs, Tensor)
    return samples.validation.inputs


def said(samples: Samples, words: str) -> bool:
    return any(words in note for note in samples.notes)


def test_sub_folders_are_classes(tmp_path: Path) -> None:
    samples = read_data(zoo(tmp_path), spec=SPEC)
    assert samples.classes == ("cat", "dog")
    assert (len(samples.calibration), len(samples.validation)) == (4, 6) or (
        len(samples.calibration), len(samples.validation)) == (3, 7)  # fmt: skip
    assert inputs(samples).shape[1:] == (3, 16, 16)
    assert inputs(samples).dtype == torch.float32
    assert said(samples, "images were normalised with mean (0.5, 0.4, 0.3)")


def test_pixels_are_scaled_and_normalised_by_hand(tmp_path: Path) -> None:
    for name in ("0.png", "1.png"):
        (tmp_path / "a").mkdir(exist_ok=True)
        Image.new("RGB", (4, 4), (255, 51, 0)).save(tmp_path / "a" / name)
    plain = read_data(tmp_path)
    assert inputs(plain)[0, :, 0, 0].tolist() == pytest.approx([1, 0.2, 0])
    told = read_data(tmp_path, mean=(0.5, 0.0, 0.5), std=(0.5, 0.1, 1.0))
    assert inputs(told)[0, :, 3, 3].tolist() == pytest.approx([1, 2, -0.5])


@pytest.mark.parametrize("how", ["bilinear", "bicubic", "nearest"])
@pytest.mark.parametrize("crop", [1.0, 0.875])
@pytest.mark.parametrize("shape", [(16, 16), (50, 33), (33, 50), (7, 9), (333, 500)])
def test_pictures_are_resized_and_cut_as_torchvision_does(
    tmp_path: Path, how: str, crop: float, shape: tuple[int, int]
) -> None:
    """torchvision, by hand: shorter side to int(size / crop), the longer cut to whole pixels."""
    picture(tmp_path / "x.png", shape)
    spec = InputSpec("image", 3, (16, 16), interpolation=how, crop=crop)
    got, _ = prepare([tmp_path / "x.png"], DataRequest(spec))
    image, short = Image.open(tmp_path / "x.png"), int(16 / crop)
    width, height = image.size
    new = (short, short * height // width) if width <= height else (short * width // height, short)
    filters = {"bilinear": 2, "bicubic": 3, "nearest": 0}
    image = image.resize(new, Image.Resampling(filters[how]))
    left, top = round((new[0] - 16) / 2), round((new[1] - 16) / 2)
    wanted = np.asarray(image.crop((left, top, left + 16, top + 16)))
    assert np.allclose(got[0].permute(1, 2, 0).numpy(), wanted)


def test_the_users_size_goes_before_the_networks(tmp_path: Path) -> None:
    samples = read_data(zoo(tmp_path), spec=SPEC, size=(8, 12))
    assert inputs(samples).shape[1:] == (3, 8, 12)
    assert said(samples, "10 pictures were resized and cut to 8×12 pixels")


def test_pictures_of_different_sizes_need_one(tmp_path: Path) -> None:
    picture(zoo(tmp_path) / "cat" / "z.png", (20, 10))
    with pytest.raises(ValueError, match="pictures differ in size, 16×16 and 10×20: pass size="):
        read_data(tmp_path)
    assert inputs(read_data(tmp_path, size=8)).shape[2:] == (8, 8)


def test_grey_and_colour_are_turned_into_what_the_network_takes(tmp_path: Path) -> None:
    picture(zoo(tmp_path) / "cat" / "grey.png", mode="L")
    samples = read_data(tmp_path, spec=SPEC)
    assert said(samples, "1 grey pictures were turned into colour, for 3 channels")
    samples = read_data(tmp_path, spec=InputSpec("image", 1, (16, 16)))
    assert inputs(samples).shape[1] == 1
    assert said(samples, "10 coloured pictures were turned grey, for one channel")
    assert inputs(read_data(tmp_path)).shape[1] == 3


def test_pictures_that_are_all_grey_have_one_channel(tmp_path: Path) -> None:
    for i in range(4):
        picture(tmp_path / "a" / f"{i}.png", mode="L")
    assert inputs(read_data(tmp_path)).shape[1] == 1
    assert inputs(read_data(tmp_path, mean=(0.1, 0.2, 0.3))).shape[1] == 3


@pytest.mark.parametrize("mode", ["RGBA", "P", "CMYK", "LA", "1"])
def test_pictures_of_any_mode_are_read(tmp_path: Path, mode: str) -> None:
    suffix = "tif" if mode == "CMYK" else "png"
    for i in range(2):
        picture(tmp_path / "a" / f"{i}.{suffix}", mode=mode)
    assert inputs(read_data(tmp_path, spec=SPEC)).shape[1] == 3


def test_sixteen_bits_are_scaled_not_cut_off(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in "01":
        Image.fromarray(np.full((4, 4), 32896, dtype=np.uint16)).save(
            tmp_path / "a" / f"{name}.png"
        )
    assert inputs(read_data(tmp_path)).unique().tolist() == pytest.approx([128 / 255])


def test_train_and_val_stay_apart(tmp_path: Path) -> None:
    zoo(tmp_path / "train", 3)
    zoo(tmp_path / "val", 2)
    samples = read_data(tmp_path, spec=SPEC)
    assert (len(samples.calibration), len(samples.validation)) == (6, 4)
    assert said(samples, "/train calibrates")
    zoo(tmp_path / "val", 2, ("emu",))
    with pytest.raises(ValueError, match=r"train and val in .* hold different classes: emu"):
        read_data(tmp_path, spec=SPEC)


def test_classes_that_the_network_names_take_their_places(tmp_path: Path) -> None:
    spec = InputSpec("image", 3, (16, 16), classes=("ant", "dog", "bee", "cat"))
    samples = read_data(zoo(tmp_path), spec=spec)
    assert samples.classes == ("ant", "dog", "bee", "cat")
    assert samples.validation.targets is not None
    assert set(samples.validation.targets.tolist()) == {1, 3}


def test_numbered_classes_out_of_order_are_said(tmp_path: Path) -> None:
    samples = read_data(zoo(tmp_path, 2, tuple(map(str, range(11)))), spec=SPEC)
    assert samples.classes[:3] == ("0", "1", "10")
    assert said(samples, "classes are numbered in the order of text: 0, 1, 10, 2, ...")


def test_an_empty_class_keeps_its_place(tmp_path: Path) -> None:
    (zoo(tmp_path) / "bee").mkdir()
    samples = read_data(tmp_path, spec=SPEC)
    assert samples.classes == ("bee", "cat", "dog")
    assert said(samples, "no pictures in 1 classes, such as 'bee'")


def test_pictures_in_no_sub_folder_have_no_targets(tmp_path: Path) -> None:
    for i in range(4):
        picture(tmp_path / f"{i}.png", seed=i)
    samples = read_data(tmp_path)
    assert samples.validation.targets is None
    assert said(samples, "pictures lie in no folder of a class: no targets")


def test_more_than_the_limit_is_a_seeded_choice(tmp_path: Path) -> None:
    zoo(tmp_path, 20)
    samples = read_data(tmp_path, spec=SPEC, limit=10)
    assert len(samples.calibration) + len(samples.validation) == 10
    assert said(samples, "10 of 40 samples were taken, a seeded choice")
    assert samples.validation.targets is not None
    assert len(set(samples.validation.targets.tolist())) == 2
    assert torch.equal(inputs(read_data(tmp_path, spec=SPEC, limit=10)), inputs(samples))


def test_broken_pictures_are_counted_and_the_first_is_named(tmp_path: Path) -> None:
    zoo(tmp_path)
    whole = (tmp_path / "cat" / "0.png").read_bytes()
    (tmp_path / "cat" / "3.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "dog" / "1.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"3.png cannot be read as a picture \(2 of 10 such"):
        read_data(tmp_path, spec=SPEC)


def test_a_mean_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"mean \(0.5, 0.5\) .* do not fit images of 3 channels"):
        read_data(zoo(tmp_path), spec=SPEC, mean=(0.5, 0.5))
    one = read_data(zoo(tmp_path), spec=SPEC, mean=0.5).validation
    each = read_data(zoo(tmp_path), spec=SPEC, mean=(0.5, 0.5, 0.5)).validation
    assert torch.equal(one.tensors()[""], each.tensors()[""])
    with pytest.raises(ValueError, match="std must be above 0"):
        read_data(tmp_path, spec=SPEC, std=(0, 1, 1))
    with pytest.raises(ValueError, match="the network takes 4"):
        read_data(tmp_path, spec=InputSpec("image", 4, (8, 8)))


@pytest.mark.parametrize(
    "name",
    slow_but(
        lambda name: name == "convnext_tiny", ["resnet50", "vit_base_patch16_224", "convnext_tiny"]
    ),
)
def test_pictures_come_out_as_from_timms_own_pipeline(tmp_path: Path, name: str) -> None:
    timm = optional.timm()
    data, stated = timm.data, timm.get_pretrained_cfg(name).to_dict()
    config = data.resolve_data_config({}, pretrained_cfg=stated)
    _, height, width = config["input_size"]
    spec = InputSpec("image", 3, (height, width), config["mean"], config["std"],
                     config["interpolation"], config["crop_pct"])  # fmt: skip
    for i, size in enumerate([(300, 200), (90, 333), (224, 224), (500, 375)]):
        picture(tmp_path / "a" / f"{i}.png", size, seed=i)
    samples = read_data({"train": tmp_path, "val": tmp_path}, spec=spec)
    transform = data.create_transform(**config)
    for i, got in enumerate(inputs(samples)):
        wanted = transform(Image.open(tmp_path / "a" / f"{i}.png"))
        assert torch.allclose(got, wanted, atol=1e-5)


def test_classes_are_numbered_as_torchvisions_image_folder_does(tmp_path: Path) -> None:
    folders = optional.torchvision().datasets.ImageFolder(
        str(zoo(tmp_path, 2, ("10", "9", "Zebra", "ant")))
    )
    assert read_data(tmp_path, spec=SPEC).classes == tuple(folders.classes)
    samples = read_data(folders, spec=SPEC)
    assert samples.classes == tuple(folders.classes)
