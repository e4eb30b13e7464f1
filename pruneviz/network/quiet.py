"""How do torch's exporters work without writing to the terminal?"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

_LOGGERS = ("torch", "onnxscript", "onnx_ir")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Nothing that libraries print, log or warn of inside: what matters is in what they raise.

    For one thread at a time. What other threads log at that moment by other loggers is not lost.
    """
    loggers = [logging.getLogger(name) for name in logging.root.manager.loggerDict]
    muted = [one for one in loggers if one.name.partition(".")[0] in _LOGGERS]
    before = [one.disabled for one in muted]
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        try:
            for one in muted:
                one.disabled = True
            yield
        finally:
            for one, was in zip(muted, before, strict=True):
                one.disabled = was
