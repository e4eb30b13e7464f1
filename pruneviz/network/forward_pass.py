"""How does a network meet its inputs, and what does it answer?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from pruneviz.outputs import named_output, outputs

# torch's CPU allocator raises a plain RuntimeError, and so do some backends.
_LITTLE = ("out of memory", "can't allocate memory", "not enough memory", "cannot allocate memory")


class ForwardError(ValueError):
    """A network's own code raised while it answered.

    network: its class. shapes: of the inputs. error: what it raised. what: was being done.
    """

    def __init__(self, network: str, shapes: str, error: Exception, what: str = "") -> None:
        self.network, self.shapes, self.error, self.what = network, shapes, error, what
        doing = f"{what}: " if what else ""
        message = f"{type(error).__name__}: {words_of(error)}"
        super().__init__(
            f"{doing}the network's own code ({network}) fails on {shapes} with {message}"
        )


def words_of(error: Exception) -> str:
    """The first line of what an error says: of one that a network raised, its own words."""
    error = error.error if isinstance(error, ForwardError) else error
    # A KeyError shows its words as Python would write them, with the line breaks in them.
    plain = error.args[0] if isinstance(error, KeyError) and error.args else error
    return (str(plain).strip() or type(error).__name__).splitlines()[0]


def out_of_memory(error: BaseException | None) -> bool:
    """Whether an error, or what it was raised for, is that memory was too little."""
    while error is not None:
        if isinstance(error, MemoryError | torch.OutOfMemoryError):
            return True
        if isinstance(error, RuntimeError) and any(word in str(error).lower() for word in _LITTLE):
            return True
        error = error.__cause__ or error.__context__
    return False


@contextmanager
def at_work(what: str) -> Iterator[None]:
    """While it is entered, a ForwardError is told with what was being done."""
    try:
        yield
    except ForwardError as error:
        if error.what:
            raise
        raise ForwardError(error.network, error.shapes, error.error, what) from error.error


def shapes_of(inputs: Tensor | Mapping[str, Tensor]) -> str:
    """The shapes of inputs in words: "input (64, 3, 8, 8)"."""
    tensors = {"input": inputs} if isinstance(inputs, Tensor) else inputs
    return ", ".join(f"{name or 'input'} {tuple(t.shape)}" for name, t in tensors.items())


def call(
    network: nn.Module,
    inputs: Tensor | Mapping[str, Tensor],
    parameters: Mapping[str, Tensor] | None = None,
    output: str | None = None,
) -> Tensor:
    """One tensor of the network's answer to a batch; the arguments are those of `call_all`.

    output: its name as `outputs` gives it; None: the main one. ValueError when there is none.
    """
    answers = call_all(network, inputs, parameters)
    return answers[named_output(answers, output)]


def call_all(
    network: nn.Module,
    inputs: Tensor | Mapping[str, Tensor],
    parameters: Mapping[str, Tensor] | None = None,
) -> dict[str, Tensor]:
    """Every tensor of the network's answer to a batch, named as `outputs` does.

    inputs: one tensor [n, ...], or a mapping given to the network by name; brought to the
    network's device, floats to its dtype. parameters: what takes the place of the network's own
    parameters and buffers, by name. ValueError when the answer holds no tensor; ForwardError
    when the network raises.
    """
    arguments = fit(network, inputs)
    args = (arguments,) if isinstance(arguments, Tensor) else ()
    kwargs = {} if isinstance(arguments, Tensor) else arguments
    try:
        result = torch.func.functional_call(network, dict(parameters or {}), args, kwargs)
    except Exception as error:
        raise ForwardError(type(network).__name__, shapes_of(arguments), error) from error
    return outputs(result)


def fit(network: nn.Module, inputs: Tensor | Mapping[str, Tensor]) -> Tensor | dict[str, Tensor]:
    """The inputs on the network's device, floats in its dtype; the same objects where they are."""
    return fit_like(inputs, first_float(network))


def first_float(network: nn.Module) -> Tensor:
    """The first parameter of floats: its device and dtype are the network's own."""
    return next((p for p in network.parameters() if p.is_floating_point()), torch.empty(0))


def fit_like(inputs: Tensor | Mapping[str, Tensor], like: Tensor) -> Tensor | dict[str, Tensor]:
    """As `fit`, for a network whose `first_float` is `like`."""
    if isinstance(inputs, Tensor):
        return _fit(inputs, like)
    return {name: _fit(tensor, like) for name, tensor in inputs.items()}


def answer_of(result: object, output: str | None = None) -> Tensor:
    """One tensor of what a network returned, by its name; the main one where none is given."""
    answers = outputs(result)
    return answers[named_output(answers, output)]


def _fit(tensor: Tensor, like: Tensor) -> Tensor:
    return tensor.to(like) if tensor.is_floating_point() else tensor.to(like.device)
