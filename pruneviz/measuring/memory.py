"""How much memory do the activations of one sample need at once?"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from pruneviz.network.forward_pass import call, fit
from pruneviz.network.products import StepByStep, gate_bytes, in_parts
from pruneviz.network.replica import replica, state


def peak_activation(network: nn.Module, inputs: Tensor | Mapping[str, Tensor]) -> int:
    """The most bytes of activations alive at once in one forward pass, in eval mode.

    inputs: of one sample, [1, ...]; they are alive to the end, as the caller holds them.
    Counted is every block of memory that an operator returned, from then until its last user lets
    go of it; an operator's inputs and outputs are alive together. Views and what is done in place
    take nothing. Attention goes step by step, not along torch's fast path. Not counted: parameters
    and buffers, and what an operator takes for itself while it works (the unfolded inputs of a
    convolution, say), but for the gates of a recurrent layer, which it holds for all its steps.
    """
    network = replica(network)
    arguments = fit(network, inputs)
    # Copies: a sample may be a view of all the data there is.
    arguments = (
        arguments.clone()
        if isinstance(arguments, Tensor)
        else {n: t.clone() for n, t in arguments.items()}
    )
    tensors = [arguments] if isinstance(arguments, Tensor) else list(arguments.values())
    follower = _Follower()
    for tensor in state(network).values():
        follower.ignore(tensor)
    for tensor in tensors:
        follower.birth(tensor)
    with torch.no_grad(), StepByStep(), follower:
        call(network, arguments)
    return follower.peak


class _Follower(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows storages from their birth to their death."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.alive = self.peak = 0
        self._sizes: dict[int, int] = {}
        self._watched: dict[int, weakref.ref[Any]] = {}
        self._ignored: set[int] = set()

    def ignore(self, tensor: Tensor) -> None:
        """This storage is no activation."""
        self._ignored.add(_key(tensor))

    def birth(self, tensor: Tensor) -> None:
        """Count this storage until it dies; one that is known already may have grown."""
        key = _key(tensor)
        if key in self._ignored:
            return
        storage = tensor.untyped_storage()
        self.alive += storage.nbytes() - self._sizes.get(key, 0)
        self._sizes[key] = storage.nbytes()
        if key not in self._watched:
            self._watched[key] = weakref.ref(storage, lambda _: self._death(key))
        self.peak = max(self.peak, self.alive)

    def _death(self, key: int) -> None:
        self.alive -= self._sizes.pop(key, 0)
        self._watched.pop(key, None)

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = in_parts(self, func, args, kwargs or {})
        keys = {_key(x) for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)}
        for tensor in tree_leaves(result):
            # What views something older, that nobody here saw being made, is no birth.
            if isinstance(tensor, Tensor) and (
                _key(tensor) not in keys or _key(tensor) in self._sizes
            ):
                self.birth(tensor)
        self.peak = max(self.peak, self.alive + gate_bytes(func, args))
        return result


def _key(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)
