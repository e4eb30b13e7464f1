"""How does a network leave as a program that needs no class of the user's?"""

from __future__ import annotations

import copy
import keyword
import re
import warnings
from collections.abc import Mapping
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from pruneviz.data import Inputs
from pruneviz.export.proof import Proof, Run, check, prove
from pruneviz.export.subject import Subject
from pruneviz.measuring.reasons import fixes_batch, reason
from pruneviz.measuring.runtime import missing_library, onnx_session, run_onnx, separate, write_onnx
from pruneviz.network.graph import ONE_AT_A_TIME
from pruneviz.network.likeness import Likeness
from pruneviz.network.quiet import quiet
from pruneviz.network.replica import replica
from pruneviz.outputs import outputs

PT2, ONNX = "model.pt2", "model.onnx"
ONNX_WEIGHTS = f"{ONNX}.data"  # as torch calls it
_BATCH = 2  # torch.export takes a size of one, or none, for a number that never changes


def write_pt2(subject: Subject, folder: Path) -> None:
    """What torch.export traces, with any batch size; of one sample where the code fixes it."""
    try:
        with torch.no_grad(), ONE_AT_A_TIME, quiet():
            try:
                program = _trace(subject, _BATCH)
            except Exception as error:
                if not fixes_batch(error):
                    raise
                subject.fixed[PT2] = reason(error)
                program = _trace(subject, 1)
            # The file keeps what it was traced with: nobody's samples, and no more than two.
            program.example_inputs = tree_map(torch.zeros_like, program.example_inputs)
            with (folder / PT2).open("wb") as file:
                torch.export.save(program, file)
    except OSError:  # the disk, not the network
        raise
    except Exception as error:  # torch raises whatever it likes
        raise ValueError(f"torch.export cannot follow this network: {reason(error)}") from error


def _trace(subject: Subject, size: int) -> Any:
    """The program on a batch of this size, which is left free where it is not one."""
    network, example = on_cpu(subject.network), _example(subject, size)
    args = (example,) if isinstance(example, Tensor) else ()
    kwargs: dict[str, Tensor] = {} if isinstance(example, Tensor) else dict(example)
    names = {name: python_name(name) for name in kwargs}
    given_by_name = set(kwargs) <= set(signature(network.forward).parameters)
    if not given_by_name or not isinstance(network(*args, **kwargs), Tensor):
        network = _NamedOutputs(network, names)
    kwargs = {names[name]: tensor for name, tensor in kwargs.items()}
    batch = {0: torch.export.Dim.DYNAMIC}
    free: Any = (batch,) if args else dict.fromkeys(kwargs, batch)
    shapes = None if size == 1 else free
    return torch.export.export(network, args, kwargs, dynamic_shapes=shapes, strict=False)


def python_name(name: str) -> str:
    """An input's name as Python takes one: `lambda` is a word of its own there, so `lambda_`."""
    plain = re.sub(r"\W", "_", name)
    return f"{plain}_" if keyword.iskeyword(plain) or not plain.isidentifier() else plain


def prove_pt2(subject: Subject, folder: Path) -> Proof:
    """Loaded again (our own file, just written: loading runs what is in it), at two batch sizes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = torch.export.load(folder / PT2).module()

    def run(inputs: Inputs) -> Mapping[str, Tensor]:
        args, kwargs = ((inputs,), {}) if isinstance(inputs, Tensor) else ((), inputs)
        kwargs = {python_name(name): tensor for name, tensor in kwargs.items()}
        with torch.no_grad():
            return outputs(network(*args, **kwargs))

    return prove_twice(subject, run, subject.fixed.get(PT2))


def write_graph(subject: Subject, folder: Path) -> None:
    """ONNX by torch's dynamo exporter, with any batch size, checked by the onnx library; of one
    sample where the network's code fixes it.
    """
    network = on_cpu(subject.network)
    try:
        write_onnx(network, _example(subject, _BATCH), folder / ONNX, any_batch=True)
    except ValueError as error:
        if not fixes_batch(error):
            raise
        subject.fixed[ONNX] = reason(error.__cause__ or error)
        write_onnx(network, _example(subject, 1), folder / ONNX)
    try:
        import onnx
    except ImportError as error:
        raise missing_library(error) from None
    onnx.checker.check_model(str(folder / ONNX))


def prove_graph(subject: Subject, folder: Path) -> Proof:
    """Run in ONNX Runtime at two batch sizes."""
    try:
        return _prove_graph(subject, folder)
    except Exception as error:  # ONNX Runtime raises whatever it likes
        if ONNX in subject.fixed:
            raise
        # The exporter may have written the size of its example into the graph without a word.
        subject.fixed[ONNX] = f"in batches of two sizes: {reason(error)}"
        write_onnx(on_cpu(subject.network), _example(subject, 1), folder / ONNX)
        return _prove_graph(subject, folder)


def _prove_graph(subject: Subject, folder: Path) -> Proof:
    session = onnx_session(folder / ONNX)
    fixed = subject.fixed.get(ONNX)
    return prove_twice(subject, lambda part: file_answers(subject, session, part), fixed)


def file_answers(subject: Subject, session: Any, inputs: Inputs) -> dict[str, Tensor]:
    """What an ONNX file answers, by the names of the network's own outputs."""
    return dict(zip(subject.outputs, run_onnx(session, inputs).values(), strict=True))


def prove_twice(subject: Subject, run: Run, fixed: str | None = None) -> Proof:
    """The proof at two batch sizes: parts of the samples, and half of a part.

    fixed: why it takes one sample at a time alone, if it does.
    """
    if fixed is not None:
        words = f"of the {which(subject)} network, one sample at a time: {fixed}"
        return prove(subject, lambda given: run(take(given, 1)), words, alone=True)
    part, reference = next(subject.parts())
    size = _rows(part)
    half = max(1, size // 2)
    few = run(take(part, half))
    likeness = Likeness()
    for name, answer in few.items():
        whole = reference[name]
        if not answer.ndim or len(whole) != size:  # it has no row for each sample
            continue
        if answer.shape[0] * size != whole.shape[0] * half:
            raise ValueError(f"a batch of {half} is answered in shape {tuple(answer.shape)}")
        likeness.add({name: whole[: len(answer)]}, {name: answer})
    check(likeness)
    words = f"of the {which(subject)} network, in batches of {size} and {half}"
    if len(subject.outputs) > 1:
        words += f", outputs {', '.join(map(repr, subject.outputs))}"
    proof = prove(subject, lambda given: run(take(given, _rows(given))), words)
    return Proof(max(likeness.difference, proof.difference or 0.0), proof.words)


def _rows(inputs: Inputs) -> int:
    tensors = [inputs] if isinstance(inputs, Tensor) else inputs.values()
    return max(len(tensor) for tensor in tensors)


def which(subject: Subject) -> str:
    """The network that is in the file, in a word."""
    return "masked" if subject.small is None else "shrunk"


def on_cpu(network: nn.Module) -> nn.Module:
    """It, or a copy, in eval mode where ONNX Runtime, and most who load files, are."""
    here = all(parameter.device.type == "cpu" for parameter in network.parameters())
    return replica(network) if here else copy.deepcopy(network).eval().cpu()


def take(inputs: Inputs, count: int) -> Inputs:
    """The first of the samples, on the CPU."""
    if isinstance(inputs, Tensor):
        return inputs[:count].cpu()
    return {name: tensor[:count].cpu() for name, tensor in inputs.items()}


def _example(subject: Subject, size: int) -> Inputs:
    first = take(subject.inputs, size)
    tensors = {"": first} if isinstance(first, Tensor) else first
    full = {n: t if len(t) == size else torch.cat([t] * size) for n, t in tensors.items()}
    return full[""] if isinstance(first, Tensor) else full


class _NamedOutputs(nn.Module):
    """A network that returns all the tensors of its answer, by name, and nothing else: no cache
    can be exported, and no class of the user's is needed to read it.
    """

    def __init__(self, network: nn.Module, names: Mapping[str, str]) -> None:
        super().__init__()
        self.network = network
        own = {safe: name for name, safe in names.items()}

        def forward(*args: Tensor, **kwargs: Tensor) -> dict[str, Tensor]:
            answers = outputs(network(*args, **{own[n]: t for n, t in kwargs.items()}))
            return dict(zip(answers, separate(answers), strict=True))

        # torch.export goes by names: it gives no sizes to what stands behind two stars.
        words = [Parameter(n, Parameter.POSITIONAL_OR_KEYWORD) for n in own or ("given",)]
        forward.__signature__ = Signature(words)  # type: ignore[attr-defined]
        self.forward = forward
