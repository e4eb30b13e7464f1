"""Is every kind of target and output measured by the right numbers, with nothing to be said?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score, jaccard_score, log_loss, r2_score
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

import pruneviz as pv
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan
from tests.cases import slow_but

N = 90
Numbers = dict[str, float]
HALF = Plan(sparsity={"body": 0.5})


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


def sigmoid(values: np.ndarray) -> np.ndarray:
    found: np.ndarray = 1 / (1 + np.exp(-values.astype(np.float64)))
    return found


def shares(values: np.ndarray, axis: int = -1) -> np.ndarray:
    power = np.exp(values.astype(np.float64) - values.max(axis, keepdims=True))
    found: np.ndarray = power / power.sum(axis, keepdims=True)
    return found


def of_labels(chances: np.ndarray, y: np.ndarray) -> Numbers:
    said = chances > 0.5
    return {
        "accuracy": float((said == y).mean()),
        "F1 micro": f1_score(y, said, average="micro"),
        "F1 macro": f1_score(y, said, average="macro", zero_division=0),
        "loss": float(np.mean([log_loss(y[:, k], chances[:, k]) for k in range(y.shape[1])])),
    }


def of_binary(chances: np.ndarray, y: np.ndarray) -> Numbers:
    chances, y = chances.reshape(-1), y.reshape(-1)
    said = chances > 0.5
    return {
        "accuracy": accuracy_score(y, said),
        "F1": f1_score(y, said, zero_division=0),
        "loss": log_loss(y, chances),
    }


def of_classes(chances: np.ndarray, y: np.ndarray) -> Numbers:
    if y.ndim == 2:
        y = y[:, 0] if y.shape[1] == 1 else y.argmax(1)
    labels = range(chances.shape[1])
    return {
        "accuracy": accuracy_score(y, chances.argmax(1)),
        "loss": log_loss(y, chances, labels=labels),
    }


def of_pixels(logits: np.ndarray, y: np.ndarray) -> Numbers:
    y = y.argmax(1) if y.ndim == 4 else y
    counted = y < 250
    chances = shares(np.moveaxis(logits, 1, -1))[counted]
    wanted, said = y[counted], chances.argmax(-1)
    present = sorted({*wanted.tolist(), *said.tolist()})
    return {
        "accuracy": accuracy_score(wanted, said),
        "mean IoU": jaccard_score(wanted, said, labels=present, average="macro"),
        "loss": log_loss(wanted, chances, labels=range(chances.shape[-1])),
    }


def of_marks(logits: np.ndarray, y: np.ndarray) -> Numbers:
    y = y.reshape(-1)
    counted = y < 250
    chances, wanted = sigmoid(logits.reshape(-1))[counted], y[counted]
    said = chances > 0.5
    return {
        "accuracy": accuracy_score(wanted, said),
        "IoU": jaccard_score(wanted, said, zero_division=0),
        "F1": f1_score(wanted, said, zero_division=0),
        "loss": log_loss(wanted, chances),
    }


def of_tokens(logits: np.ndarray, y: np.ndarray) -> Numbers:
    chances = shares(logits).reshape(-1, logits.shape[-1])
    loss = log_loss(y.reshape(-1), chances, labels=range(chances.shape[1]))
    accuracy = accuracy_score(y.reshape(-1), chances.argmax(1))
    return {"accuracy": accuracy, "perplexity": math.exp(loss), "loss": loss}


def of_values(answers: np.ndarray, y: np.ndarray) -> Numbers:
    answers, y = answers.reshape(len(y), -1), y.reshape(len(y), -1)
    return {"R²": r2_score(y, answers), "RMSE": float(np.sqrt(((answers - y) ** 2).mean()))}


def closeness(now: np.ndarray, was: np.ndarray) -> Numbers:
    now, was = (x.reshape(len(x), -1) for x in (now, was))
    return {
        "relative error": float(
            np.mean(np.linalg.norm(now - was, axis=1) / np.linalg.norm(was, axis=1))
        )
    }


def cosine(now: np.ndarray, was: np.ndarray) -> Numbers:
    lengths = np.linalg.norm(now, axis=-1) * np.linalg.norm(was, axis=-1)
    return {"cosine": float(((now * was).sum(-1) / lengths).mean())}


def agreement(
    now: np.ndarray, was: np.ndarray, *, chances: bool = False, axis: int = -1
) -> Numbers:
    p, q = (x.astype(np.float64) if chances else shares(x, axis) for x in (was, now))
    return {
        "top-1 agreement": float((p.argmax(axis) == q.argmax(axis)).mean()),
        "KL divergence": float((p * np.log(p / q)).sum(axis).mean()),
    }


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


def opened(kind: Kind) -> pv.Workbench:
    torch.manual_seed(21)
    for parameter in kind.network.parameters():
        nn.init.normal_(parameter, std=0.5)
    ignore = 255 if kind.targets is not None and bool((kind.targets == 255).any()) else None
    return pv.open(kind.network.eval(), (kind.inputs, kind.targets), ignore=ignore)


def answers(model: nn.Module, inputs: Tensor) -> np.ndarray:
    with torch.inference_mode():
        found: np.ndarray = model(inputs).numpy()
    return found


def given_targets(bench: pv.Workbench, kind: Kind) -> np.ndarray:
    """The validation targets as they were given: found again by their inputs."""
    inputs, targets = bench.source.validation.inputs, kind.targets
    assert isinstance(inputs, Tensor)
    assert targets is not None
    everything = kind.inputs.to(inputs.dtype).reshape(N, -1)
    which = [
        int((everything == one).all(1).nonzero()[0, 0]) for one in inputs.reshape(len(inputs), -1)
    ]
    return targets[which].numpy()


def numbers(result: Evaluation) -> Numbers:
    return {name: value for name, value in result.measures.items() if "top-5" not in name}


@pytest.mark.parametrize("name", LABELLED)
def test_targets_and_outputs_are_measured_as_others_do(name: str) -> None:
    kind = LABELLED[name]
    bench = opened(kind)
    assert (bench.task.name, bench.task.form) == (kind.task, kind.form)
    assert any(f"task {kind.task!r}" in note for note in bench.notes)
    targets, inputs = given_targets(bench, kind), bench.source.validation.inputs
    assert isinstance(inputs, Tensor)
    for plan in (Plan(), HALF):
        model = bench.prune(plan).model
        result = bench.evaluate(plan)
        expected = kind.right(answers(model, inputs), targets)
        assert numbers(result) == pytest.approx(expected, rel=1e-4, abs=1e-6)
        assert result.accuracy == pytest.approx(next(iter(expected.values())), rel=1e-4, abs=1e-6)
        assert result.low <= result.accuracy <= result.high


def test_whole_values_are_said() -> None:
    bench = opened(LABELLED["whole values"])
    assert any("give integers if they are classes" in note for note in bench.notes)


@pytest.mark.parametrize("name", UNLABELLED)
def test_without_targets_answers_are_compared_by_what_they_are(name: str) -> None:
    kind = UNLABELLED[name]
    bench = opened(kind)
    assert (bench.task.name, bench.task.form) == (kind.task, kind.form)
    assert any(f"task {kind.task!r}" in note for note in bench.notes)
    inputs = bench.source.validation.inputs
    assert isinstance(inputs, Tensor)
    dense = answers(bench.source.model, inputs)
    result = bench.evaluate(HALF)
    expected = kind.right(answers(bench.prune(HALF).model, inputs), dense)
    assert dict(result.measures) == pytest.approx(expected, rel=1e-3, abs=1e-6)
    assert bench.evaluate(Plan()).accuracy == 1
    assert ("points" in result.words) == (kind.task == "agreement")


@pytest.mark.parametrize("name", slow_but(tells_most, LABELLED))
def test_gradients_follow_the_loss_that_is_measured(name: str) -> None:
    bench = opened(LABELLED[name])
    data = bench.source.calibration
    assert isinstance(data.inputs, Tensor)
    assert data.targets is not None
    weight = next(bench.source.model.parameters()).detach().clone().requires_grad_()
    first = next(n for n, _ in bench.source.model.named_parameters())
    outputs = torch.func.functional_call(bench.source.model, {first: weight}, (data.inputs,))
    loss = bench.task.loss(outputs, data.targets)
    judged = bench.task.judge(outputs.detach(), data.targets)
    torch.testing.assert_close(loss.detach(), judged.loss, rtol=1e-4, atol=1e-5)
    (expected,) = torch.autograd.grad(loss.mean(), weight)
    if first == "body.weight":
        found = bench.evidence("gradients")["body"].gradient
        assert found is not None
        torch.testing.assert_close(found.float(), expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "name", ["labels, torch.int64", "one-hot floats", "marks, some ignored", "binary by sigmoid"]
)
def test_training_follows_it_too(name: str) -> None:
    bench = opened(LABELLED[name])
    training = pv.Training(method="dense", epochs=3, batch=16, learning_rate=0.05)
    trained = bench.train(Plan(), training)
    again = pv.Workbench(trained.source("again"))
    assert (again.task.name, again.task.form) == (bench.task.name, bench.task.form)
    assert again.evaluate(Plan()).loss < bench.evaluate(Plan()).loss
