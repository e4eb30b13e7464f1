"""Why can a library not follow, or run, a network, in a sentence?"""

from __future__ import annotations

import re

_LENGTH = 400
_BATCH = re.compile(
    r"Constraints violated|conflicts between user-specified|inferred a static shape|"
    r"inferred to be a constant|\.size\(\)\[0\]|shape\[0\]"
)
_DATA = "data-dependent"
_CODE = re.compile(r'File "[^"]*?([^"/\\]+)", line (\d+)[^\n]*\n\s+(\S[^\n]*)')
_KERNEL = re.compile(r"Could not find an implementation for (\w+)")
_NOISE = re.compile(
    r"For more information, run with \S+|For extended logs[^\n]*|If you suspect[^\n]*|"
    r"For more debugging help[^\n]*|For C\+\+ stack trace[^\n]*|The error above occurred[^\n]*|"
    r"\x1b\[\d+m"
)


def reason(error: BaseException) -> str:
    """What an exporter or a runtime raised, in a line, in our words where the cause is known."""
    text = str(error).strip() or type(error).__name__
    if error.__cause__ is not None and not isinstance(error, ValueError):
        text = str(error.__cause__).strip() or text
    kernel = _KERNEL.search(text)
    if kernel:
        return (
            f"ONNX Runtime on the CPU has no {kernel[1]} for this number format; export the "
            "network in float32 (network.float()), whose answers differ by rounding alone"
        )
    if fixes_batch(error):
        return (
            "its code fixes the batch size: it makes a Python number of it (len(x), "
            "int(x.shape[0]), a loop over the samples); x.shape[0] as it is, or code without the "
            f"number, leaves it free{_place(text)}"
        )
    if _DATA in text:
        return f"its code decides by the numbers that it is given, which no graph can{_place(text)}"
    return _short(text)


def fixes_batch(error: BaseException | None) -> bool:
    """Whether torch could not leave the size of the batch free, here or in what caused it."""
    return error is not None and bool(_BATCH.search(str(error)) or fixes_batch(error.__cause__))


def _place(text: str) -> str:
    """The last line of the user's own code that torch names."""
    lines = _CODE.findall(text.partition("The following call raised this error")[2] or text)
    return f" (in {lines[-1][0]}, line {lines[-1][1]}: {lines[-1][2].strip()})" if lines else ""


def _short(text: str) -> str:
    """In one line; too long a one ends behind a word."""
    plain = " ".join(_NOISE.sub("", text).split())
    return plain if len(plain) <= _LENGTH else f"{plain[:_LENGTH].rpartition(' ')[0]} …"
