"""Which kinds of targets and outputs are there, each with the numbers that others get for it?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from tests.task_oracles import (
    Numbers,
    agreement,
    closeness,
    cosine,
    of_binary,
    of_classes,
    of_labels,
    of_marks,
    of_pixels,
    of_tokens,
    of_values,
    shares,
    sigmoid,
)

N = 90


class Net(nn.Module):
    """A body of one layer, and what `end` makes of its answer."""

    def __init__(self, body: nn.Module, end: Callable[[Tensor], Tensor] = lambda y: y) -> None:
        super().__init__()
        self.body, self.end = body, end

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.body(x))


class Classifier(nn.Module):
    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.body, self.classifier = nn.Linear(6, 12), nn.Linear(12, outputs)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.classifier(self.body(x).relu())
        return found


class Reader(nn.Module):
    """Token logits [n, t, words]."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.body = nn.Embedding(11, 6), nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(self.words(x)) @ self.words.weight.T


@dataclass(frozen=True)
class Kind:
    """A network with its data, the task it is for, and the numbers that others get for it."""

    network: nn.Module
    inputs: Tensor
    targets: Tensor | None
    task: str
    form: str
    right: Callable[[np.ndarray, np.ndarray], Numbers]


def rows(outputs: int, end: Callable[[Tensor], Tensor] = lambda y: y) -> nn.Module:
    return Net(nn.Linear(6, outputs), end)


def picture(outputs: int, end: Callable[[Tensor], Tensor] = lambda y: y) -> nn.Module:
    return Net(nn.Conv2d(2, outputs, 3, padding=1), end)


def coins(*shape: int) -> Tensor:
    return torch.randint(2, shape)


def kinds() -> dict[str, Kind]:
    x, pixels = torch.randn(N, 6), torch.randn(N, 2, 5, 4)
    classes, segments = torch.randint(4, (N,)), torch.randint(3, (N, 5, 4))
    hot = F.one_hot(classes, 4)
    some = segments.masked_fill(torch.rand(N, 5, 4) < 0.2, 255)
    marks = coins(N, 5, 4)
    logits = {"labels": of_labels, "binary": of_binary}

    def from_logits(name: str) -> Callable[[np.ndarray, np.ndarray], Numbers]:
        return lambda answers, y: logits[name](sigmoid(answers), y)

    def softmaxed(answers: np.ndarray, y: np.ndarray) -> Numbers:
        return of_classes(shares(answers), y)

    def exponent(answers: np.ndarray, y: np.ndarray) -> Numbers:
        return of_classes(shares(answers), y)  # log-probabilities are logits as well

    found = {
        f"labels, {dtype}": Kind(
            rows(5), x, coins(N, 5).to(dtype), "labels", "", from_logits("labels")
        )
        for dtype in (torch.float32, torch.float64, torch.int64, torch.bool, torch.uint8)
    }
    found |= {
        f"binary, {dtype}, {'x'.join(map(str, shape))} by {'x'.join(map(str, tuple(y.shape[1:])))}":
        Kind(
            rows(1) if len(shape) == 2 else rows(1, lambda y: y[:, 0]),
            x, y.to(dtype), "binary", "", from_logits("binary"),
        )
        for dtype in (torch.float32, torch.int64, torch.int32, torch.bool)
        for shape in ((N, 1), (N,))
        for y in (coins(N), coins(N, 1))
    }  # fmt: skip
    found |= {
        "labels by sigmoid": Kind(
            rows(5, torch.sigmoid), x, coins(N, 5).float(), "labels", "chances", of_labels
        ),
        "binary by sigmoid": Kind(
            rows(1, torch.sigmoid), x, coins(N), "binary", "chances", of_binary
        ),
        "binary by own sigmoid": Kind(
            rows(1, lambda y: 1 / (1 + (-y).exp())), x, coins(N), "binary", "chances", of_binary
        ),
        "one-hot floats": Kind(rows(4), x, hot.float(), "classes", "", softmaxed),
        "one-hot integers": Kind(rows(4), x, hot, "classes", "", softmaxed),
        "one-hot bools": Kind(rows(4), x, hot.bool(), "classes", "", softmaxed),
        "classes": Kind(rows(4), x, classes, "classes", "", softmaxed),
        "classes in a column": Kind(rows(4), x, classes[:, None], "classes", "", softmaxed),
        "classes by softmax": Kind(
            rows(4, lambda y: y.softmax(1)), x, classes, "classes", "probabilities", of_classes
        ),
        "classes by log-softmax": Kind(
            rows(4, lambda y: y.log_softmax(1)), x, classes, "classes", "log-probabilities",
            exponent,
        ),
        "one-hot by softmax": Kind(
            rows(4, lambda y: y.softmax(1)), x, hot.float(), "classes", "probabilities", of_classes
        ),
        "segments": Kind(picture(3), pixels, segments, "positions", "", of_pixels),
        "segments, some ignored": Kind(picture(3), pixels, some, "positions", "", of_pixels),
        "segments with a channel": Kind(
            picture(3), pixels, segments[:, None], "positions", "",
            lambda answers, y: of_pixels(answers, y[:, 0]),
        ),
        "segments, one-hot": Kind(
            picture(3), pixels, F.one_hot(segments, 3).movedim(-1, 1).float(), "positions", "",
            of_pixels,
        ),
        "marks": Kind(picture(1), pixels, marks[:, None].float(), "labels", "", of_marks),
        "marks without a channel": Kind(picture(1), pixels, marks, "labels", "", of_marks),
        "marks, some ignored": Kind(
            picture(1), pixels, marks.masked_fill(torch.rand(N, 5, 4) < 0.2, 255), "labels", "",
            of_marks,
        ),
        "next tokens": Kind(
            Reader(), torch.randint(11, (N, 7)), torch.randint(11, (N, 7)), "positions", "",
            of_tokens,
        ),
        "values": Kind(rows(3), x, torch.randn(N, 3), "values", "", of_values),
        "one value": Kind(rows(1), x, torch.randn(N), "values", "", of_values),
        "whole values": Kind(rows(1), x, torch.randint(9, (N,)).float(), "values", "", of_values),
        "values between 0 and 1": Kind(
            rows(3, torch.sigmoid), x, torch.rand(N, 3), "values", "chances", of_values
        ),
    }  # fmt: skip
    return found


def unlabelled() -> dict[str, Kind]:
    x, pixels = torch.randn(N, 6), torch.randn(N, 2, 5, 4)

    def chances(now: np.ndarray, was: np.ndarray) -> Numbers:
        return agreement(now, was, chances=True)

    sound = Net(nn.Conv1d(1, 1, 9, padding=4))
    return {
        "sound": Kind(sound, torch.randn(N, 1, 50), None, "closeness", "", closeness),
        "flat sound": Kind(
            Net(nn.Conv1d(1, 1, 9, padding=4), lambda y: y[:, 0]), torch.randn(N, 1, 50), None,
            "closeness", "", closeness,
        ),
        "image": Kind(picture(3), pixels, None, "closeness", "", closeness),
        "image by sigmoid": Kind(
            picture(3, torch.sigmoid), pixels, None, "closeness", "chances", closeness
        ),
        "sequence": Kind(rows(4), torch.randn(N, 7, 6), None, "closeness", "", closeness),
        "values": Kind(rows(3), x, None, "closeness", "", closeness),
        "one value": Kind(rows(1), x, None, "closeness", "", closeness),
        "embedding": Kind(
            rows(5, lambda y: F.normalize(y, dim=1)), x, None, "cosine", "unit length", cosine
        ),
        "classifier": Kind(Classifier(4), x, None, "agreement", "", agreement),
        "probabilities": Kind(
            rows(4, lambda y: y.softmax(1)), x, None, "agreement", "probabilities", chances
        ),
        "log-probabilities": Kind(
            rows(4, lambda y: y.log_softmax(1)), x, None, "agreement", "log-probabilities",
            agreement,
        ),
        "probabilities of pixels": Kind(
            picture(3, lambda y: y.softmax(1)), pixels, None, "agreement", "probabilities",
            lambda now, was: agreement(now, was, chances=True, axis=1),
        ),
        "token logits": Kind(Reader(), torch.randint(11, (N, 7)), None, "agreement", "", agreement),
    }  # fmt: skip


torch.manual_seed(20)

LABELLED, UNLABELLED = kinds(), unlabelled()


def tells_most(name: str) -> bool:
    """Of kinds that differ in the type or the shape of their targets alone, one each."""
    return not name.startswith(("labels, ", "binary, ")) or name in (
        "labels, torch.int64",
        "labels, torch.float32",
        "binary, torch.float32, 90x1 by 1",
        "binary, torch.int64, 90 by ",
        "binary, torch.bool, 90 by 1",
    )
