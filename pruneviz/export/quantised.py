"""How does a network leave in whole numbers of eight bits, and what does that cost it?"""

from __future__ import annotations

import contextlib
import logging
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pruneviz.data import Data
from pruneviz.export.programs import (
    ONNX,
    ONNX_WEIGHTS,
    file_answers,
    on_cpu,
    take,
    which,
    write_graph,
)
from pruneviz.export.proof import Proof
from pruneviz.export.subject import Subject, subject_of
from pruneviz.measuring.answers import answer
from pruneviz.measuring.bench import Bench
from pruneviz.measuring.evaluate import Evaluation, summarise
from pruneviz.measuring.reasons import reason
from pruneviz.measuring.runtime import onnx_session
from pruneviz.network.forward_pass import call_all, fit
from pruneviz.network.likeness import Likeness
from pruneviz.network.replica import replica
from pruneviz.plan import Plan
from pruneviz.progress import ShareDone, silent_share
from pruneviz.tasks.several import judge_answer
from pruneviz.tasks.task_scores import concatenate

INT8 = "model-int8.onnx"
_CALIBRATED, _PIECE = 64, 8


def write_int8(subject: Subject, folder: Path) -> None:
    """Quantised by ONNX Runtime: networks with convolutions with ranges measured on calibration
    data, others with ranges that are found while they run.
    """
    try:
        from onnxruntime import quantization as q
    except ImportError as error:
        raise ValueError(
            f"ONNX Runtime is not here ({error}); pip install 'pruneviz[export]'"
        ) from None
    there = (folder / ONNX).exists()  # it was asked for as well
    if not there:
        write_graph(subject, folder)
    try:
        if ONNX in subject.fixed:
            raise ValueError(f"it is quantised with any batch size alone: {subject.fixed[ONNX]}")
        with _quiet():
            if static(subject):
                q.quantize_static(
                    folder / ONNX,
                    folder / INT8,
                    _Reader(subject),
                    per_channel=True,
                    activation_type=q.QuantType.QUInt8,
                    weight_type=q.QuantType.QInt8,
                )
            else:
                q.quantize_dynamic(folder / ONNX, folder / INT8, weight_type=q.QuantType.QInt8)
    finally:
        if not there:
            for name in (ONNX, ONNX_WEIGHTS):
                (folder / name).unlink(missing_ok=True)


def prove_int8(subject: Subject, folder: Path) -> Proof:
    """Run on all validation samples: its accuracy beside that of the plan."""
    session = onnx_session(folder / INT8)
    likeness = Likeness()
    for part, reference in subject.parts():
        likeness.add(reference, file_answers(subject, session, take(part, subject.samples)))
    score = measure(subject, session)
    task, ranges = subject.bench.task, "measured" if static(subject) else "found as it runs"
    return Proof(
        likeness.difference,
        f"rounded to 8 bits, so not the same answers: {task.word} "
        f"{task.score_text(score.accuracy)}, {score.words.replace('dense', 'the plan')} "
        f"against the plan, on {score.n:,} samples; "
        f"of the {which(subject)} network, ranges {ranges}",
    )


def evaluate_int8(bench: Bench, plan: Plan, report: ShareDone = silent_share) -> Evaluation:
    """The score of a plan in 8 bits on all validation samples, paired with the same plan in 32: of
    the file that an export writes, which is not kept.

    Raises ValueError in one sentence where the network cannot be quantised.
    """
    stopped: list[BaseException] = []

    def watch(done: float) -> None:
        try:
            report(done)
        except BaseException as error:
            stopped.append(error)
            raise

    try:
        with tempfile.TemporaryDirectory() as folder:
            subject = subject_of(bench, plan, watch)
            watch(0.0)
            write_int8(subject, Path(folder))
            return measure(subject, onnx_session(Path(folder) / INT8))
    except Exception as error:  # exporters raise whatever they like
        if stopped:
            raise stopped[0] from None
        raise ValueError(reason(error)) from None


def measure(subject: Subject, session: Any) -> Evaluation:
    """The file's answers to all validation samples, paired with those of the plan."""
    bench, data = subject.bench, subject.bench.source.validation
    task, size = bench.task, len(data)
    model, tensors = subject.pruned.dense, subject.pruned.tensors
    first = bench.original.source.model if task.needs_dense else model
    network, outcomes = replica(first), []
    for start in range(0, size, bench.block):
        subject.report(start / size)
        part = data.take(slice(start, start + bench.block))
        answers = file_answers(subject, session, _floats(network, part))
        dense = call_all(network, part.inputs) if task.needs_dense else None
        dense = None if dense is None else {n: t.detach().cpu() for n, t in dense.items()}
        outcomes.append(judge_answer(task, answers, part.targets, dense))
    plan = answer(model, tensors, data, 0, size, task, bench.block, dense=first)
    classes = bench.source.classes
    return summarise(concatenate(outcomes), plan, data.targets, classes, size, task)


def static(subject: Subject) -> bool:
    """Whether ranges are measured beforehand: where there are convolutions."""
    return any(isinstance(m, nn.modules.conv._ConvNd) for m in subject.network.modules())


class _Reader:
    """Calibration data, as ONNX Runtime asks for it."""

    def __init__(self, subject: Subject) -> None:
        network, data = on_cpu(subject.pruned.dense), subject.bench.source.calibration
        data = data.first(_CALIBRATED)
        parts = [data.take(slice(s, s + _PIECE)) for s in range(0, len(data), _PIECE)]
        self._parts = iter([_arrays(_floats(network, part)) for part in parts])

    def get_next(self) -> dict[str, Any] | None:
        """The next batch, None at the end."""
        return next(self._parts, None)


def _floats(network: nn.Module, part: Data) -> Tensor | dict[str, Tensor]:
    arguments = fit(network, part.inputs)
    return (
        arguments.cpu()
        if isinstance(arguments, Tensor)
        else {n: t.cpu() for n, t in arguments.items()}
    )


def _arrays(inputs: Tensor | dict[str, Tensor]) -> dict[str, Any]:
    tensors = {"input": inputs} if isinstance(inputs, Tensor) else inputs
    return {name: tensor.detach().numpy() for name, tensor in tensors.items()}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    root = logging.getLogger()
    before = root.level
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        root.setLevel(logging.ERROR)
        try:
            yield
        finally:
            root.setLevel(before)
