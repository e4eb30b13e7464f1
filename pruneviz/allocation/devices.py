"""Which small devices would a network fit on?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

KIB, MIB, GIB = 2**10, 2**20, 2**30
WIDTHS: Mapping[str, int] = MappingProxyType({"int8": 1, "fp16": 2, "fp32": 4})
MICROCONTROLLER, COMPUTER, PHONE = "microcontroller", "single-board computer", "phone"
_SMALLEST, _LARGEST = 1, 2**30  # KiB of a budget of one's own


@dataclass(frozen=True)
class Device:
    """What a device offers.

    kind: "microcontroller" (weights are read where they are stored, in flash), "single-board
    computer" or "phone" (weights are loaded into RAM). flash: bytes that can store weights; None
    where that is a card of the owner's choice. ram: bytes. source: where both figures stand.
    """

    name: str
    kind: str
    flash: int | None
    ram: int
    source: str
    note: str = ""


DEVICES: tuple[Device, ...] = (
    Device(
        "Arduino Zero (SAMD21G18)", MICROCONTROLLER, 256 * KIB, 32 * KIB,
        "Microchip, SAM D21/DA1 Family data sheet (DS40001882): ATSAMD21G18A",
    ),
    Device(
        "ST Nucleo-F446RE", MICROCONTROLLER, 512 * KIB, 128 * KIB,
        "STMicroelectronics, STM32F446xC/E datasheet (DS10693): STM32F446RE",
    ),
    Device(
        "Arduino Nano 33 BLE Sense", MICROCONTROLLER, MIB, 256 * KIB,
        "Arduino, Nano 33 BLE Sense Rev2 datasheet (ABX00069): nRF52840",
    ),
    Device(
        "ST 32F746G-Discovery", MICROCONTROLLER, MIB, 320 * KIB,
        "STMicroelectronics, STM32F745xx STM32F746xx datasheet (DS10916): STM32F746NG",
        "320 KB of system RAM; 16 KB for instructions and 4 KB of backup RAM are not counted",
    ),
    Device(
        "ST Nucleo-H743ZI", MICROCONTROLLER, 2 * MIB, MIB,
        "STMicroelectronics, STM32H743 reference manual (RM0433): STM32H743ZI",
        "1 MB of RAM in several banks; the largest in one piece has 512 KB",
    ),
    Device(
        "Raspberry Pi Pico (RP2040)", MICROCONTROLLER, 2 * MIB, 264 * KIB,
        "Raspberry Pi, Pico datasheet and RP2040 datasheet",
    ),
    Device(
        "Raspberry Pi Pico 2 (RP2350)", MICROCONTROLLER, 4 * MIB, 520 * KIB,
        "Raspberry Pi, Pico 2 datasheet and RP2350 datasheet",
    ),
    Device(
        "ESP32-WROOM-32D", MICROCONTROLLER, 4 * MIB, 520 * KIB,
        "Espressif, ESP32-WROOM-32D & ESP32-WROOM-32U datasheet, sec. 3.1 and 3.2",
        "520 KB of RAM for data and instructions together",
    ),
    Device(
        "Raspberry Pi Zero 2 W", COMPUTER, None, 512 * MIB,
        "Raspberry Pi, Zero 2 W product brief",
    ),
    Device(
        "Raspberry Pi 4 Model B, 1 GB", COMPUTER, None, GIB,
        "Raspberry Pi, 4 Model B product brief (the smallest of 1, 2, 4, 8 GB)",
    ),
    Device(
        "Raspberry Pi 5, 2 GB", COMPUTER, None, 2 * GIB,
        "Raspberry Pi, 5 product brief: the 2 GB model",
    ),
    Device(
        "Samsung Galaxy A14 5G", PHONE, 64 * 10**9, 4 * GIB,
        "Samsung, Galaxy A14 5G specifications: the model with 4 GB and 64 GB",
    ),
    Device(
        "Google Pixel 8a", PHONE, 128 * 10**9, 8 * GIB,
        "Google, Pixel 8a technical specifications: the model with 8 GB and 128 GB",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Need:
    """Bytes that a network takes: of its weights, and of its activations at their peak."""

    weights: int
    activations: int

    def ram(self, device: Device) -> int:
        """Bytes at work: activations, and the weights where they are not read from flash."""
        return self.activations + (0 if device.kind == MICROCONTROLLER else self.weights)


@dataclass(frozen=True)
class DeviceFit:
    """Whether a need fits a device.

    short_flash, short_ram: bytes too many, 0 where it fits. flash_share, ram_share: of what there
    is, 1 = all; None where storage is no bound.
    """

    short_flash: int
    short_ram: int
    flash_share: float | None
    ram_share: float

    @property
    def fits(self) -> bool:
        """Whether nothing is short."""
        return not (self.short_flash or self.short_ram)

    @property
    def words(self) -> str:
        """The verdict in a few words."""
        short = [(self.short_flash, "flash"), (self.short_ram, "RAM")]
        missing = [f"{size(number)} of {what}" for number, what in short if number]
        return f"short by {' and '.join(missing)}" if missing else "fits"


def needs(params: int, activation_bytes: int, weights: str = "int8", bytes_each: int = 4) -> Need:
    """What a network takes with weights and activations of this width.

    params: parameters left after removal. activation_bytes: at their peak, for one sample, as
    measured with numbers of `bytes_each` bytes (4: float32). weights: "int8", "fp16" or "fp32".

    Raises ValueError for an unknown width or negative numbers.
    """
    if weights not in WIDTHS:
        raise ValueError(f"weights must be one of {', '.join(WIDTHS)}, got {weights!r}")
    if params < 0 or activation_bytes < 0 or bytes_each < 1:
        raise ValueError(
            "parameters, activations and bytes a number can't be negative, "
            f"got {params}, {activation_bytes} and {bytes_each}"
        )
    width = WIDTHS[weights]
    return Need(params * width, -(-activation_bytes * width // bytes_each))


def verdict(need: Need, device: Device) -> DeviceFit:
    """Whether `need` fits on `device`, or by how much it is short."""
    flash, ram = need.weights, need.ram(device)
    return DeviceFit(
        short_flash=0 if device.flash is None else max(0, flash - device.flash),
        short_ram=max(0, ram - device.ram),
        flash_share=None if device.flash is None else flash / device.flash,
        ram_share=ram / device.ram,
    )


def budget(flash_kib: float, ram_kib: float) -> Device:
    """A microcontroller with these many KiB; ValueError names what is out of range."""
    for name, value in (("flash", flash_kib), ("RAM", ram_kib)):
        if not _SMALLEST <= value <= _LARGEST:  # NaN is refused here too
            raise ValueError(f"{name} must be in {_SMALLEST}..{_LARGEST:,} KiB, got {value!r}")
    return Device(
        "Your own device",
        MICROCONTROLLER,
        int(flash_kib * KIB),
        int(ram_kib * KIB),
        "your own figures",
    )


def size(number: int) -> str:
    """Bytes as people read them, in units of 1,024."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if number >= unit:
            return f"{number / unit:,.1f} {name}"
    return f"{number:,} B"
