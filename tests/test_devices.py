"""Does a network fit on a small device, or by how much is it short?"""

from __future__ import annotations

import math

import pytest

from pruneviz.allocation.devices import (
    COMPUTER,
    DEVICES,
    GIB,
    KIB,
    MIB,
    MICROCONTROLLER,
    PHONE,
    WIDTHS,
    Device,
    Need,
    budget,
    needs,
    size,
    verdict,
)

SMALL = Device("small", MICROCONTROLLER, 100, 40, "by hand")
PI = Device("pi", COMPUTER, None, 140, "by hand")
HANDY = Device("handy", PHONE, 1_000, 140, "by hand")


# -- needs -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weights", "expected"),
    [("int8", Need(10, 6)), ("fp16", Need(20, 12)), ("fp32", Need(40, 24))],
)
def test_bytes_scale_with_the_width(weights: str, expected: Need) -> None:
    assert needs(10, 24, weights) == expected


def test_half_a_number_takes_a_whole_byte() -> None:
    assert needs(1, 5, "int8") == Need(1, 2)
    assert needs(1, 24, "int8", bytes_each=2) == Need(1, 12), "measured in half precision"


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((10, 10, "int4"), "'int4'"),
        ((-1, 10, "int8"), "-1"),
        ((1, -10, "int8"), "-10"),
        ((1, 1, "int8", 0), "0"),
    ],
)
def test_bad_needs_are_refused_by_name(values: tuple[int, int, str], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        needs(*values)


# -- verdicts ----------------------------------------------------------------------------------


def test_a_microcontroller_reads_its_weights_from_flash() -> None:
    fitting = verdict(Need(100, 40), SMALL)
    assert fitting.fits
    assert fitting.words == "fits"
    assert (fitting.flash_share, fitting.ram_share) == (1.0, 1.0)
    short = verdict(Need(130, 50), SMALL)
    assert (short.short_flash, short.short_ram) == (30, 10)
    assert short.words == "short by 30 B of flash and 10 B of RAM"
    assert (short.flash_share, short.ram_share) == (1.3, 1.25)


def test_one_byte_too_many_does_not_fit() -> None:
    assert verdict(Need(101, 40), SMALL).words == "short by 1 B of flash"
    assert verdict(Need(100, 41), SMALL).words == "short by 1 B of RAM"


@pytest.mark.parametrize("device", [PI, HANDY])
def test_computers_and_phones_load_their_weights_into_ram(device: Device) -> None:
    assert verdict(Need(100, 40), device).fits
    short = verdict(Need(100, 41), device)
    assert (short.short_flash, short.short_ram) == (0, 1)


def test_a_card_of_the_owners_choice_is_no_bound() -> None:
    assert verdict(Need(100, 40), PI).flash_share is None
    assert verdict(Need(100, 40), HANDY).flash_share == 0.1


# -- the table ---------------------------------------------------------------------------------


def test_devices_have_a_name_of_their_own_and_a_source() -> None:
    assert len({device.name for device in DEVICES}) == len(DEVICES)
    for device in DEVICES:
        assert len(device.source) > 20
        assert device.kind in (MICROCONTROLLER, COMPUTER, PHONE)
        assert device.ram > 0
        assert (device.flash is None) == (device.kind == COMPUTER)


def test_there_are_microcontrollers_from_256_kib_to_2_mib_of_flash_and_bigger_things() -> None:
    flashes = {device.flash for device in DEVICES if device.kind == MICROCONTROLLER}
    assert {256 * KIB, 512 * KIB, MIB, 2 * MIB} <= flashes
    assert {device.kind for device in DEVICES} == {MICROCONTROLLER, COMPUTER, PHONE}


@pytest.mark.parametrize(
    ("name", "flash", "ram"),
    [
        ("Arduino Nano 33 BLE Sense", MIB, 256 * KIB),
        ("ST Nucleo-F446RE", 512 * KIB, 128 * KIB),
        ("Raspberry Pi Pico (RP2040)", 2 * MIB, 264 * KIB),
        ("Raspberry Pi Zero 2 W", None, 512 * MIB),
    ],
)
def test_known_figures(name: str, flash: int | None, ram: int) -> None:
    found = {device.name: device for device in DEVICES}[name]
    assert (found.flash, found.ram) == (flash, ram)


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
def test_what_fits_wide_fits_narrow(device: Device) -> None:
    fits = [verdict(needs(300_000, 200_000, width), device).fits for width in WIDTHS]
    assert fits == sorted(fits, reverse=True)


# -- budgets of one's own ------------------------------------------------------------------------


def test_a_budget_of_ones_own_is_a_microcontroller() -> None:
    own = budget(64, 0.5 * 40)
    assert (own.flash, own.ram, own.kind) == (64 * KIB, 20 * KIB, MICROCONTROLLER)


@pytest.mark.parametrize(
    ("flash", "ram", "named"),
    [(0, 10, "flash.*0"), (10, -3, "RAM.*-3"), (math.nan, 10, "flash.*nan"), (2**40, 1, "flash")],
)
def test_a_budget_out_of_range_is_refused_by_name(flash: float, ram: float, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        budget(flash, ram)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 B"),
        (1023, "1,023 B"),
        (1024, "1.0 KiB"),
        (31 * KIB + 512, "31.5 KiB"),
        (2 * MIB, "2.0 MiB"),
        (GIB, "1.0 GiB"),
    ],
)
def test_bytes_are_readable(number: int, words: str) -> None:
    assert size(number) == words
