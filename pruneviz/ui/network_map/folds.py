"""Which marks are drawn of a network, and which blocks are folded into one?"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

MOST = 240  # marks that are drawn at once
_AT_FIRST = 26  # ... while nobody has unfolded anything
_IN_A_ROW = 16  # parts of a block beyond which neighbours fold together


@dataclass(frozen=True)
class Block:
    """Steps that can be drawn as one mark.

    name: the path that their names begin with; of neighbours in a long block with the first and
    last of them. parts: smaller blocks, and steps by number.
    """

    name: str
    parts: tuple[Block | int, ...]

    @property
    def steps(self) -> tuple[int, ...]:
        """All steps in it, however deep."""
        return tuple(step for part in self.parts for step in _steps(part))

    @property
    def blocks(self) -> Iterator[Block]:
        """The blocks in it, one level deep."""
        return (part for part in self.parts if isinstance(part, Block))


def find_blocks(names: Sequence[str], ends: Collection[int] = ()) -> Block:
    """The whole network as blocks within blocks, by the paths of its steps.

    ends: steps that are in no block, as they are where the network begins and ends.

    >>> find_blocks(["input", "a.0.conv", "a.0.add", "a.1.conv", "a.1.add"]).parts[1].name
    'a'
    """
    paths = [tuple(name.split(".")) for name in names]
    inner = [step for step in range(len(names)) if step not in ends]
    parts = (*ends, *_parts(paths, inner, 0))
    return Block("", tuple(sorted(parts, key=lambda part: min(_steps(part)))))


def _steps(part: Block | int) -> tuple[int, ...]:
    return (part,) if isinstance(part, int) else part.steps


def _parts(
    paths: Sequence[tuple[str, ...]], steps: Sequence[int], depth: int
) -> tuple[Block | int, ...]:
    inside: dict[str, list[int]] = {}
    for step in steps:
        inside.setdefault(paths[step][depth], []).append(step)
    parts: list[Block | int] = []
    for members in inside.values():
        leaves = [step for step in members if len(paths[step]) == depth + 1]
        deeper = [step for step in members if len(paths[step]) > depth + 1]
        if len(deeper) > 1:
            name = ".".join(paths[deeper[0]][: depth + 1])
            parts.append(_shortest(Block(name, _parts(paths, deeper, depth + 1))))
        else:
            leaves = sorted((*leaves, *deeper))
        parts += leaves
    return _in_runs(tuple(parts))


def _shortest(block: Block) -> Block:
    """A block with nothing but one block in it is that block."""
    first = block.parts[0]
    return first if len(block.parts) == 1 and isinstance(first, Block) else block


def _in_runs(parts: tuple[Block | int, ...]) -> tuple[Block | int, ...]:
    """Neighbours of many blocks fold together, each run about as long as there are runs."""
    if len(parts) <= _IN_A_ROW:
        return parts
    length = math.ceil(math.sqrt(len(parts)))
    runs = [parts[start : start + length] for start in range(0, len(parts), length)]
    return tuple(Block("", run) if len(run) > 1 else run[0] for run in runs)


def with_names(block: Block, names: Sequence[str]) -> Block:
    """The same, with runs called by the first and the last of what is in them."""
    parts = tuple(
        part if isinstance(part, int) else with_names(part, names) for part in block.parts
    )
    if block.name or not parts:
        return Block(block.name, parts)
    ends = [names[part] if isinstance(part, int) else part.name for part in (parts[0], parts[-1])]
    return Block(" – ".join(ends), parts)


def first_open(root: Block) -> tuple[str, ...]:
    """What is unfolded before anybody has: level by level, while it stays easy to survey."""
    opened: tuple[str, ...] = ()
    level = list(root.blocks)
    while level:
        more = (*opened, *(block.name for block in level))
        if len(visible(root, more)) > _AT_FIRST:
            break
        opened, level = more, [inner for block in level for inner in block.blocks]
    return opened


def within_bounds(root: Block, opened: Sequence[str]) -> tuple[str, ...]:
    """These open blocks, save the first ones where more than MOST marks would be drawn."""
    names = tuple(opened)
    while names and len(visible(root, names)) > MOST:
        names = names[1:]
    return names


def visible(root: Block, opened: Collection[str]) -> list[Block | int]:
    """The folded blocks and steps that are drawn while these blocks are open."""
    marks: list[Block | int] = []
    for part in root.parts:
        is_open = isinstance(part, Block) and part.name in opened
        marks += visible(part, opened) if isinstance(part, Block) and is_open else [part]
    return marks


def open_blocks(
    root: Block, opened: Collection[str], depth: int = 0
) -> Iterator[tuple[int, Block]]:
    """The blocks that are open, each with how deep it lies."""
    for block in root.blocks:
        if block.name in opened:
            yield depth, block
            yield from open_blocks(block, opened, depth + 1)
