"""Which optional libraries can a test use here?"""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

# Operators live as long as the library that defined them.
_DEFINED: list[Any] = []


@cache
def torchvision() -> ModuleType:
    """torchvision, or a skipped test with the reason."""
    return _imported("torchvision")


@cache
def timm() -> ModuleType:
    """timm, which imports torchvision, or a skipped test with the reason."""
    torchvision()
    return _imported("timm")


@cache
def transformers() -> ModuleType:
    """transformers, which imports torchvision where there is one, or a skipped test."""
    _define_operators()
    return _imported("transformers")


@cache
def onnx2pytorch() -> ModuleType:
    """onnx2pytorch, which imports torchvision, or a skipped test with the reason."""
    _imported("onnx")
    return _imported("onnx2pytorch")


@cache
def mlflow() -> ModuleType:
    """MLflow (its small half is enough), or a skipped test with the reason."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own dependencies
        return _imported("mlflow")


def _imported(name: str) -> ModuleType:
    _define_operators()
    try:
        return importlib.import_module(name)
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"{name} cannot be imported here: {error}")


def _define_operators() -> None:
    """Lets torchvision's usual build, which wants CUDA, be imported beside a torch without it.

    Its compiled part does not load there, and two operators that its import looks up are missing.
    """
    found = importlib.util.find_spec("torchvision")
    if _DEFINED or found is None or not found.submodule_search_locations:
        return
    for folder in found.submodule_search_locations:
        for compiled in Path(folder).glob("_C.*"):
            try:
                torch.ops.load_library(compiled)  # type: ignore[no-untyped-call]
            except OSError:
                continue
            return
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for name in ("nms", "qnms"):
        signature = f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        library.define(signature)  # type: ignore[no-untyped-call]
    _DEFINED.append(library)
