"""How does a network run in ONNX Runtime?"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pruneviz.measuring.reasons import reason
from pruneviz.network.forward_pass import call_all, fit
from pruneviz.network.graph import ONE_AT_A_TIME
from pruneviz.network.quiet import quiet
from pruneviz.network.replica import replica
from pruneviz.outputs import outputs

TOLERANCE = 1e-4
_BESIDE = 2**28  # bytes of weights above which they lie in a file of their own


@dataclass(frozen=True)
class RuntimeSession:
    """A network in ONNX Runtime, ready for the inputs it was exported with.

    call: one forward pass. bytes: of the ONNX file. difference: the largest between its answers
    and torch's, relative to torch's largest.
    """

    call: Callable[[], object]
    bytes: int
    difference: float


def in_onnx_runtime(network: nn.Module, inputs: Tensor | Mapping[str, Tensor]) -> RuntimeSession:
    """Export the network, load it into ONNX Runtime on the CPU, and compare its answers.

    With as many threads as torch has here. ValueError says in a sentence why it cannot be: a
    library that is missing, a network that cannot be exported, other answers than torch's.
    """
    network = replica(network)
    arguments = fit(network, inputs)
    try:
        with torch.no_grad(), tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "network.onnx")
            write_onnx(network, arguments, path)
            session = onnx_session(path)
            size = sum(part.stat().st_size for part in path.parent.iterdir())
        feeds = _feeds(session, arguments)
        answers = list(run_onnx(session, arguments).values())
    except ValueError:
        raise
    except Exception as error:  # the runtime raises whatever it likes
        raise ValueError(f"this network cannot be run in ONNX Runtime: {reason(error)}") from None
    with torch.no_grad():
        reference = [tensor.cpu() for tensor in call_all(network, arguments).values()]
    apart = max(_compare(*pair) for pair in zip(answers, reference, strict=True))
    return RuntimeSession(lambda: session.run(None, feeds), size, apart)


def write_onnx(
    network: nn.Module,
    inputs: Tensor | Mapping[str, Tensor],
    path: Path,
    *,
    any_batch: bool = False,
) -> None:
    """Write a network in eval mode as an ONNX file that takes its inputs by name.

    A single input is called "input"; outputs are called as `onnx_names` says. any_batch: the first
    dimension of all inputs may have any size; the network is given those of a batch of two or more
    to be followed. Weights of more than 256 MiB lie beside it, in PATH.data: protobuf holds 2 GiB,
    and all of them at once.
    ValueError says in a sentence why it cannot be.
    """
    _check_place(inputs)
    tensors = {"input": inputs} if isinstance(inputs, Tensor) else dict(inputs)
    wrapped = _PositionalInputs(
        network, [""] if isinstance(inputs, Tensor) else list(tensors)
    ).eval()
    shape = {0: "batch"}
    try:
        import onnxscript  # noqa: F401  (the exporter's own words about its absence are no sentence)

        with torch.no_grad(), ONE_AT_A_TIME, quiet():
            names = onnx_names(call_all(network, inputs), tensors)
            program = torch.onnx.export(
                wrapped,
                tuple(tensors.values()),
                dynamo=True,
                verbose=False,
                input_names=list(tensors),
                output_names=names,
                dynamic_shapes=((shape,) * len(tensors),) if any_batch else None,
            )
            if program is None:
                raise RuntimeError("the exporter made nothing")
            _unlike(program.model.graph, set(tensors))
            weights = sum(p.nbytes for p in network.parameters())
            program.save(str(path), external_data=weights > _BESIDE)
    except ImportError as error:
        raise missing_library(error) from None
    except OSError:  # the disk, not the network
        raise
    except Exception as error:  # the exporter raises whatever it likes
        raise ValueError(f"this network cannot be run in ONNX Runtime: {reason(error)}") from error


def _unlike(graph: Any, inputs: set[str]) -> None:
    """Rename what an operator puts out under an input's name: `cat` is both to the exporter."""
    values = [value for node in graph.all_nodes() for value in node.outputs]
    names = inputs | {value.name for value in values}
    for value in values:
        if value.name in inputs:
            value.name = next(n for k in count(1) if (n := f"{value.name}_{k}") not in names)
            names.add(value.name)


def onnx_session(path: Path) -> Any:
    """An ONNX file in ONNX Runtime on the CPU, with as many threads as torch has."""
    try:
        import onnxruntime
    except ImportError as error:
        raise missing_library(error) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Threads that spin while they wait would take the processor from what is timed next.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime raises whatever it likes
        raise ValueError(f"this network cannot be run in ONNX Runtime: {reason(error)}") from error


def run_onnx(session: Any, inputs: Tensor | Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Every output of a file of `write_onnx` for a batch, in their order, by its name there."""
    names = [node.name for node in session.get_outputs()]
    values = session.run(names, _feeds(session, inputs))
    return {name: torch.from_numpy(value) for name, value in zip(names, values, strict=True)}


def onnx_names(names: Iterable[str], inputs: Iterable[str]) -> list[str]:
    """What outputs are called in an ONNX file: an identifier as in C, unlike those of inputs.

    "1.boxes" is `output_1_boxes`, "last state" is `last_state`.
    """
    identifiers: list[str] = []
    used_names = set(inputs)
    for name in names:
        plain = re.sub(r"\W", "_", name, flags=re.ASCII)
        plain = plain if re.match(r"[A-Za-z_]", plain) else f"output_{plain}"
        number, free = 2, plain
        while free in used_names:
            number, free = number + 1, f"{plain}_{number}"
        used_names.add(free)
        identifiers.append(free)
    return identifiers


def _feeds(session: Any, inputs: Tensor | Mapping[str, Tensor]) -> dict[str, Any]:
    tensors = {"input": inputs} if isinstance(inputs, Tensor) else inputs
    return {node.name: tensors[node.name].detach().cpu().numpy() for node in session.get_inputs()}


def missing_library(error: ImportError) -> ValueError:
    """The sentence on a library of the extra "export" that is not installed."""
    return ValueError(f"ONNX Runtime is not here ({error}); pip install 'pruneviz[export]'")


def _check_place(inputs: Tensor | Mapping[str, Tensor]) -> None:
    for tensor in [inputs] if isinstance(inputs, Tensor) else inputs.values():
        if tensor.device.type != "cpu":
            raise ValueError(
                f"the network is on {tensor.device}; ONNX Runtime is run on the CPU alone here"
            )
        if tensor.dtype is torch.bfloat16:
            raise ValueError(
                "ONNX Runtime on the CPU takes no bfloat16 inputs; export the network in float32 "
                "(network.float())"
            )


class _PositionalInputs(nn.Module):
    """A network that takes its tensors in their order and returns all that it answers with."""

    def __init__(self, network: nn.Module, names: list[str]) -> None:
        super().__init__()
        self.network, self._names = network, names

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        args, kwargs = tensors, {}
        if self._names != [""]:
            args, kwargs = (), dict(zip(self._names, tensors, strict=True))
        return separate(outputs(self.network(*args, **kwargs)))


def separate(answers: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    """The outputs, no two of them one tensor: exporters give a tensor one name."""
    met: set[int] = set()
    own = []
    for tensor in answers.values():
        own.append(tensor.clone() if id(tensor) in met else tensor)
        met.add(id(tensor))
    return tuple(own)


def _compare(answer: Tensor, reference: Tensor) -> float:
    if answer.shape != reference.shape:
        raise ValueError(
            f"ONNX Runtime answers with shape {tuple(answer.shape)}, torch with "
            f"{tuple(reference.shape)}"
        )
    if not reference.numel():
        return 0.0
    largest = float(reference.double().abs().max())
    difference = float((answer.double() - reference.double()).abs().max())
    difference = difference / largest if largest else difference
    if not difference <= TOLERANCE:  # NaN is no agreement
        raise ValueError(
            f"ONNX Runtime's answers differ from torch's by {difference:.1e} of the largest; "
            f"no more than {TOLERANCE:g} would be rounding"
        )
    return difference
