"""Which numbers do scikit-learn and numpy give for a task's outputs and targets?"""

from __future__ import annotations

import math

import numpy as np
from sklearn.metrics import accuracy_score, f1_score, jaccard_score, log_loss, r2_score

Numbers = dict[str, float]


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
