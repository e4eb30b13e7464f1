"""Which stacked weights of experts does a network multiply its inputs by?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode

# Operations of autograd behind which the numbers of a weight are still its own.
_SAME = (
    "View", "UnsafeView", "Reshape", "ReshapeAlias", "Squeeze", "Unsqueeze", "Transpose",
    "Permute", "Select", "Slice", "Clone", "ToCopy", "Alias", "T", "Expand", "AsStrided",
    "Index", "IndexSelect", "Unbind", "Split", "SplitWithSizes",
)  # fmt: skip
# Function -> the place of its left factor; the right one follows.
_PRODUCTS = {
    **dict.fromkeys(("matmul", "__matmul__", "bmm", "mm", "_grouped_mm", "grouped_mm"), 0),
    **dict.fromkeys(("addmm", "baddbmm"), 1),
}


@dataclass(frozen=True)
class StackUse:
    """One product by a stacked weight, of one expert or several.

    name: of the parameter [experts, …, …]. turned: whether its inputs stand before its units.
    macs: multiply-accumulates. inputs: the other factor. output: what came out.
    """

    name: str
    turned: bool
    macs: int
    inputs: Tensor
    output: Tensor


class StackUses(TorchFunctionMode):
    """While it is entered, `hear` is told of each product by one of `stacks`.

    stacks: parameters [experts, …, …] in use, by name, leaves that ask for gradients: by these a
    weight is known again when experts were picked from it.
    """

    def __init__(self, stacks: Mapping[str, Tensor], hear: Callable[[StackUse], None]) -> None:
        super().__init__()
        self._hear = hear
        self._stacks = {id(tensor): (name, tensor) for name, tensor in stacks.items()}

    def __torch_function__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run the function, and tell of it if it multiplies by a known weight."""
        result = func(*args, **(kwargs or {}))
        if not self._stacks or not isinstance(result, Tensor):
            return result
        for factor, other, dim, macs in _factors(getattr(func, "__name__", ""), args, result):
            owner = self._stacks.get(_source(factor))
            transposed = None if owner is None else _is_turned(owner[1], factor, dim)
            if owner is not None and transposed is not None:
                self._hear(StackUse(owner[0], transposed, macs, other, result))
        return result


def _source(tensor: Tensor) -> int:
    """The id of the leaf whose numbers a tensor holds; 0 where they were computed."""
    node: Any = tensor.grad_fn
    if node is None:
        return id(tensor)
    while node is not None and not hasattr(node, "variable"):
        if node.name().partition("Backward")[0] not in _SAME:
            return 0
        node = node.next_functions[0][0]
    return 0 if node is None else id(node.variable)


def _is_turned(stack: Tensor, factor: Tensor, dim: int) -> bool | None:
    """Whether what is summed over is the middle of `stack`; None if it is its experts."""
    if len(set(stack.shape)) == stack.ndim:
        place = {size: place for place, size in enumerate(stack.shape)}.get(factor.shape[dim], 0)
    else:  # two sizes are alike: what was picked has kept its strides
        strides = list(stack.stride())
        step = factor.stride(dim)
        place = strides.index(step) if step in strides else 0
    return None if place == 0 else place == 1


def _factors(
    name: str, args: Sequence[Any], result: Tensor
) -> Iterator[tuple[Tensor, Tensor, int, int]]:
    """Each factor of a product, another one, its dimension that is summed over, and the MACs."""
    if name == "einsum":
        yield from _of_einsum(args)
    elif name == "linear" and len(args) > 1:
        yield args[1], args[0], -1, result.numel() * args[1].shape[-1]
    elif name in _PRODUCTS and len(args) > _PRODUCTS[name] + 1:
        left, right = args[_PRODUCTS[name] :][:2]
        macs = result.numel() * left.shape[-1]
        yield right, left, max(-2, -right.ndim), macs
        yield left, right, -1, macs


def _of_einsum(args: Sequence[Any]) -> Iterator[tuple[Tensor, Tensor, int, int]]:
    equation, *operands = args
    if operands and isinstance(operands[0], list | tuple):
        operands = list(operands[0])
    if not isinstance(equation, str) or len(operands) < 2:
        return
    left, arrow, out = equation.replace(" ", "").partition("->")
    labels = [_spelt(term, t.ndim) for term, t in zip(left.split(","), operands, strict=True)]
    sizes = {
        x: s
        for term, t in zip(labels, operands, strict=True)
        for x, s in zip(term, t.shape, strict=True)
    }
    every = [label for term in labels for label in term]
    outer = set(out) if arrow else {label for label in every if every.count(label) == 1}
    for place, (term, factor) in enumerate(zip(labels, operands, strict=True)):
        summed = [
            at for at, x in enumerate(term) if x not in outer and every.count(x) > 1 and len(x) == 1
        ]
        if len(summed) == 1:
            yield factor, operands[1 if place == 0 else 0], summed[0], math.prod(sizes.values())


def _spelt(term: str, ndim: int) -> list[str]:
    """The labels of a term, one a dimension; those that "..." stands for count from the right."""
    before, dots, after = term.partition("...")
    free = ndim - len(before) - len(after) if dots else 0
    return [*before, *(f"...{free - at}" for at in range(free)), *after]
