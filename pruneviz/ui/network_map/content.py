"""What does the browser draw of a network's map?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pruneviz.network.routes import Routes, RouteStep
from pruneviz.plan import Plan
from pruneviz.ui.network_map.folds import Block, find_blocks, open_blocks, visible, with_names
from pruneviz.ui.network_map.layout import lay_out
from pruneviz.workbench import Workbench

HALF = 0.5  # the sparsity at which sensitivity is told
_SIGNS = {"sum": "+", "product": "×", "matrix product": "matmul", "concatenation": "concat"}
_TITLE, _LETTER, _SIDES = 18.0, 6.6, 22.0  # pixels
_NARROW, _WIDE = 58.0, 128.0


def blocks_of(routes: Routes) -> Block:
    """All steps as blocks within blocks."""
    names = [step.name for step in routes.steps]
    ends = [at for at, step in enumerate(routes.steps) if step.kind in ("input", "output")]
    return with_names(find_blocks(names, ends), names)


def geometry(routes: Routes, root: Block, opened: Collection[str]) -> dict[str, object]:
    """Marks, arrows and the titles of open blocks, in pixels."""
    marks = visible(root, opened)
    shown = [_mark(routes.steps, mark) for mark in marks]
    widths = [_width(mark) for mark in shown]
    inside = {
        step: number
        for number, mark in enumerate(marks)
        for step in ((mark,) if isinstance(mark, int) else mark.steps)
    }
    pairs = ((inside[start], inside[end]) for start, end in routes.arrows)
    arrows = list(dict.fromkeys(pair for pair in pairs if pair[0] != pair[1]))
    layout = lay_out(widths, arrows)
    titles = _titles(root, opened, inside, [x for x, _ in layout.marks], widths)
    top = _TITLE * (1 + max((title["row"] for title in titles), default=-1))
    for mark, width, (x, y) in zip(shown, widths, layout.marks, strict=True):
        mark |= {"x": x, "y": y + top, "width": width}
    return {
        "marks": shown,
        "arrows": [[(x, y + top) for x, y in way] for way in layout.ways],
        "titles": titles,
        "width": layout.width,
        "height": layout.height + top,
    }


def _mark(steps: tuple[RouteStep, ...], mark: Block | int) -> dict[str, object]:
    if isinstance(mark, int):
        step = steps[mark]
        label = _SIGNS.get(step.kind, _short(step.name) if step.layers else step.kind)
        return {
            "name": step.name, "label": label, "kind": step.kind, "layers": list(step.layers),
        }  # fmt: skip
    layers = dict.fromkeys(layer for step in mark.steps for layer in steps[step].layers)
    return {"name": mark.name, "label": _block_label(mark), "kind": "block", "layers": list(layers)}


def _short(name: str) -> str:
    """The end of a path that says which one it is: "conv1", "downsample.0"."""
    *front, end = name.split(".")
    return f"{front[-1]}.{end}" if front and end.partition(" ")[0].isdigit() else end


def _block_label(block: Block) -> str:
    first, dash, last = block.name.partition(" – ")
    return f"{_short(first)} – {last.rpartition('.')[2]}" if dash else _short(first)


def _width(mark: Mapping[str, object]) -> float:
    return min(max(len(str(mark["label"])) * _LETTER + _SIDES, _NARROW), _WIDE)


def _titles(
    root: Block,
    opened: Collection[str],
    inside: Mapping[int, int],
    centres: list[float],
    widths: list[float],
) -> list[dict[str, Any]]:
    """A line above the marks of each open block, those of outer blocks on top."""
    titles: list[dict[str, Any]] = []
    ends: dict[int, list[tuple[float, float]]] = {}
    for depth, block in open_blocks(root, opened):
        members = {inside[step] for step in block.steps}
        left = min(centres[mark] - widths[mark] / 2 for mark in members)
        right = max(centres[mark] + widths[mark] / 2 for mark in members)
        row = depth
        while any(left < end and start < right for start, end in ends.get(row, [])):
            row += 1
        ends.setdefault(row, []).append((left, right))
        label = _block_label(block)
        titles.append({"name": block.name, "label": label, "from": left, "to": right, "row": row})
    return titles


def facts(bench: Workbench, plan: Plan) -> dict[str, object]:
    """What the marks are coloured by, layer by layer; it does not change while a slider moves.

    lost: how much of the score goes where the layer alone is cut by half; None: not scanned.
    """
    macs = bench.macs
    lost = _losses(bench, plan)
    layers = {
        name: {"weights": layer.size, "macs": macs[name], "lost": lost.get(name)}
        for name, layer in bench.layer_of.items()
    }
    parameters = sum(parameter.numel() for parameter in bench.source.model.parameters())
    return {
        "layers": layers,
        "parameters": parameters,
        "macs": bench.macs_in_all or sum(macs.values()),
        "share": bench.task.share,
        "groups": _groups(bench),
    }


def _losses(bench: Workbench, plan: Plan) -> dict[str, float]:
    try:
        curves = bench.studies.known_curves(plan).curves
    except ValueError:  # a plan that asks for what is not there
        return {}
    return {
        layer: max(0.0, -curve.at(HALF)[0])
        for curve in curves
        if curve.points
        for layer in curve.slider.layers
    }


def _groups(bench: Workbench) -> list[list[str]]:
    """The layers of each group that has more than one."""
    groups = bench.graph_cache.groups_or_none()
    every = () if groups is None else groups.groups.values()
    return [list(group.layers) for group in every if len(group.layers) > 1]


def outside_of(bench: Workbench, routes: Routes) -> list[str]:
    """The layers that the trace did not come across."""
    there = {layer for step in routes.steps for layer in step.layers}
    return [name for name in bench.layer_of if name not in there]
