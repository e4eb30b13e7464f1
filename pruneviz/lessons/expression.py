"""What does a line such as `sparsity("fc1") >= 0.9` come to?"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

_LONGEST = 300
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True)
class Expression:
    """A line that was checked: comparisons, `and`, `or`, `not`, the four kinds of arithmetic, names
    and functions that are known, and `step.name` for what was measured at a step done before.

    Nothing else of Python is read, so that a lesson of a stranger can do no harm.
    """

    text: str

    @property
    def tree(self) -> ast.expr:
        return ast.parse(self.text, mode="eval").body


def check(text: object, names: Collection[str], steps: Collection[str] = ()) -> Expression:
    """The expression, if it is one.

    names: known, of values and functions alike. steps: whose measurements may be asked for by
    `step.name`. ValueError says what does not belong.

    >>> check("accuracy > 0.9", ["accuracy"]).text
    'accuracy > 0.9'
    """
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f'must be a line such as `sparsity("fc1") >= 0.9`, got {text!r}')
    if len(text) > _LONGEST:
        raise ValueError(f"is longer than {_LONGEST} signs")
    try:
        expression = Expression(" ".join(text.split()))
        _check(expression.tree, names, steps)
    except (SyntaxError, RecursionError, MemoryError):
        raise ValueError(f"cannot be read: {text!r}; write it as in `accuracy > 0.9`") from None
    return expression


def value(
    expression: Expression, names: Mapping[str, object], steps: Mapping[str, object] | None = None
) -> object:
    """What it comes to; ValueError names what cannot be compared or computed.

    names: values and functions. steps: step -> name -> value.
    """
    try:
        return _value(expression.tree, {**names, **(steps or {})})
    except (TypeError, ZeroDivisionError, KeyError) as error:
        raise ValueError(f"`{expression.text}` cannot be computed: {error}") from None


def conjuncts(expression: Expression) -> dict[str, object]:
    """What must hold for all of it to hold, as far as it says so plainly: name -> value, of
    `name == value`, `name` and `not name` that are joined by `and`.
    """
    wanted: dict[str, object] = {}
    nodes = [expression.tree]
    while nodes:
        match nodes.pop():
            case ast.BoolOp(op=ast.And(), values=parts):
                nodes += parts
            case ast.Name(id=name):
                wanted[name] = True
            case ast.Call(func=ast.Name(id=name)):
                wanted[name] = True
            case ast.UnaryOp(op=ast.Not(), operand=ast.Name(id=name)):
                wanted[name] = False
            case ast.Compare(
                left=ast.Name(id=name), ops=[ast.Eq()], comparators=[ast.Constant(value=wish)]
            ):
                wanted[name] = wish
    return wanted


def steps_named(expression: Expression) -> set[str]:
    """The steps whose measurements it asks for."""
    nodes = ast.walk(expression.tree)
    return {
        node.value.id
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }


def constants(expression: Expression, function: str, name: str) -> set[str]:
    """The texts that `function` is called with and that `name` is compared with."""
    texts: set[str] = set()
    for node in ast.walk(expression.tree):
        match node:
            case ast.Call(func=ast.Name(id=called), args=[ast.Constant(value=str(text))]):
                texts |= {text} if called == function else set()
            case ast.Compare(
                left=ast.Name(id=left), comparators=[ast.Constant(value=str(text))]
            ) if left == name:
                texts.add(text)
    return texts


def _check(node: ast.AST, names: Collection[str], steps: Collection[str]) -> None:
    kinds = (ast.BoolOp, ast.UnaryOp, ast.Compare, ast.BinOp, ast.Call, ast.Dict)
    if isinstance(node, ast.Attribute):
        if not isinstance(node.value, ast.Name) or node.value.id not in steps:
            raise ValueError(
                f"{ast.unparse(node)!r} is of no step done before; {_choice('step', steps)}"
            )
        if node.attr not in names:
            raise ValueError(f"{node.attr!r} is not known; {_choice('name', names)}")
        return
    if isinstance(node, ast.Name):
        if node.id not in names:
            raise ValueError(f"{node.id!r} is not known; {_choice('name', names)}")
        return
    if isinstance(node, ast.Constant):
        if not isinstance(node.value, bool | int | float | str):
            raise ValueError(f"{node.value!r} has no place here")
        return
    if isinstance(node, ast.Call) and not isinstance(node.func, ast.Name):
        raise ValueError(f"{ast.unparse(node)!r} is no call of a known function")
    operators = [*_COMPARE, *_ARITHMETIC, ast.And, ast.Or, ast.Not, ast.USub]
    allowed = (*kinds, *operators, ast.keyword, ast.Load)
    if not isinstance(node, allowed):
        raise ValueError(f"{ast.unparse(node)!r} has no place here")
    for child in ast.iter_child_nodes(node):
        _check(child, names, steps)


def _choice(what: str, words: Collection[str]) -> str:
    return f"there is no {what}" if not words else f"{what}s are {', '.join(sorted(words))}"


def _value(node: ast.expr | None, names: Mapping[str, object]) -> object:
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            return names[node.id]
        case ast.Attribute(value=ast.Name(id=step)):
            return names[step][node.attr]  # type: ignore[index]
        case ast.BoolOp():
            kind = all if isinstance(node.op, ast.And) else any
            return kind(_value(each, names) for each in node.values)
        case ast.UnaryOp():
            inner = _value(node.operand, names)
            return not inner if isinstance(node.op, ast.Not) else -inner  # type: ignore[operator]
        case ast.BinOp():
            left, right = _value(node.left, names), _value(node.right, names)
            if not isinstance(left, int | float) or not isinstance(right, int | float):
                raise TypeError(f"{ast.unparse(node)} is no arithmetic with numbers")
            return _ARITHMETIC[type(node.op)](left, right)
        case ast.Compare():
            return _compare(node, names)
        case ast.Dict():
            return {
                _value(k, names): _value(v, names)
                for k, v in zip(node.keys, node.values, strict=True)
            }
        case ast.Call():
            words = {each.arg or "": _value(each.value, names) for each in node.keywords}
            function = _value(node.func, names)
            if not callable(function):
                raise TypeError(f"{ast.unparse(node.func)} is no function")
            return function(*(_value(each, names) for each in node.args), **words)
    raise TypeError(f"{node} has no value")


def _compare(node: ast.Compare, names: Mapping[str, object]) -> bool:
    values = [_value(each, names) for each in (node.left, *node.comparators)]
    pairs = zip(values, node.ops, values[1:], strict=False)
    return all(_COMPARE[type(sign)](left, right) for left, sign, right in pairs)
