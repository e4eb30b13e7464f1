"""What stands in the ledger, and what does each line of it buy?"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pandas as pd

from pruneviz.measuring.latency import Timing
from pruneviz.measuring.sizes import FileSize

Row = tuple[str, str, float | None, float | None, float | None, float | None, str]

UNKNOWN = "Unknown: this network's multiply-accumulates cannot be counted; the log says why."
_SIZES = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"), (1, "B"))


@dataclass(frozen=True)
class Footprint:
    """What one network takes.

    params: its parameters, tied ones once; zeros: those of them that are exactly zero. macs:
    multiply-accumulates for one sample, None where they cannot be counted. file, zipped: bytes.
    memory: bytes of activations alive at once, for one sample. latency: of one batch.
    """

    params: int
    zeros: int
    macs: int | None
    file: int
    zipped: int
    memory: int
    latency: Timing


@dataclass(frozen=True)
class RuntimeCost:
    """The network in ONNX Runtime: the smallest there is of it, `which` is "shrunk" or "masked".

    file: bytes. difference: between its answers and torch's, relative to the largest. dense: of the
    dense network in ONNX Runtime, which it is compared with; None where that one cannot run there.
    """

    which: str
    file: int
    difference: float
    latency: Timing
    dense: Timing | None = None


@dataclass(frozen=True)
class Cost:
    """The ledger of one plan.

    asked: fraction pruned that the plan asks for, over all weights (or units) that may be pruned.
    kept: parameters that are not masked. ideal_macs: for one sample, if every masked weight were
    skipped. bitmask, csr: the masked network in files that know of zeros. shrunk, onnx: None where
    there is none, `why_not_shrunk` or `why_not_onnx` being the sentence why. batch, threads: of
    the timing. Everything but latency is the same each time.

    >>> network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
    >>> cost = pv.open(network, torch.randn(40, 4)).cost(pv.Plan(sparsity={"0": 0.5}))
    >>> cost.kept
    51
    """

    asked: float
    kept: int
    ideal_macs: int | None
    dense: Footprint
    masked: Footprint
    shrunk: Footprint | None
    onnx: RuntimeCost | None
    bitmask: FileSize
    csr: FileSize
    batch: int
    threads: int
    per_unit: bool = False
    why_not_shrunk: str = ""
    why_not_onnx: str = ""

    @property
    def table(self) -> pd.DataFrame:
        """The ledger: quantity, unit, dense, masked, shrunk, onnx runtime (NaN where there is no
        such thing), note (what it buys, and what not).
        """
        columns = ["quantity", "unit", "dense", "masked", "shrunk", "onnx runtime", "note"]
        return pd.DataFrame(_rows(self), columns=columns)

    @property
    def readable(self) -> pd.DataFrame:
        """The table as people read it: numbers with their unit in one text, "" for what is not."""
        table = self.table
        for column in ("dense", "masked", "shrunk", "onnx runtime"):
            pairs = zip(table[column], table["unit"], strict=True)
            table[column] = [_value_text(value, unit) for value, unit in pairs]
        return table.drop(columns="unit")

    def as_dict(self) -> dict[str, object]:
        """Plain values, as JSON can hold them."""
        return asdict(self)


def _value_text(value: float, unit: str) -> str:
    if pd.isna(value):
        return ""
    if unit == "bytes":
        size, word = next((n, w) for n, w in _SIZES if value >= n or n == 1)
        return f"{value:,.0f} B" if size == 1 else f"{value / size:,.2f} {word}"
    if unit == "ms":
        return f"{value:,.0f} ms" if value >= 100 else f"{value:#.3g} ms"
    if unit == "%":
        return f"{value:.1f} %"
    return f"{value:.2f} ×" if unit == "× dense" else f"{value:,.0f}"


def _rows(cost: Cost) -> list[Row]:
    """The lines of a ledger: quantity, unit, dense, masked, shrunk, onnx runtime, note."""
    return [*_count_rows(cost), *_bytes(cost), *_run_rows(cost)]


def _count_rows(cost: Cost) -> list[Row]:
    dense, masked, shrunk = cost.dense, cost.masked, cost.shrunk
    of = "units" if cost.per_unit else "weights"
    words = _removal_text(cost)
    return [
        (
            "asked sparsity", "%", None, 100 * cost.asked, None, None,
            f"Of all {of} that may be pruned. What is got differs by rounding and by what is held "
            "by hand.",
        ),
        (
            "zeros", "parameters", dense.zeros, masked.zeros, _of(shrunk, "zeros"), None,
            "Zeros make neither the file smaller nor the model faster: each is stored, loaded and "
            "multiplied like any other number.",
        ),
        (
            "parameters", "", dense.params, cost.kept, _of(shrunk, "params"), None,
            f"Masked: those that are kept; the masked network still holds all {dense.params:,}. "
            f"{words}",
        ),
        (
            "MACs", "", dense.macs, masked.macs, _of(shrunk, "macs"), None,
            "Multiply-accumulates for one sample: products of matrices, convolutions, attention, "
            "recurrent layers. A mask saves none; fewer of them are faster only as far as the "
            "machine is busy with them."
            if dense.macs is not None
            else UNKNOWN,
        ),
        (
            "MACs, ideal sparse engine", "", dense.macs, cost.ideal_macs, None, None,
            "If every masked weight were skipped at no cost. An ideal sparse engine: no ordinary "
            "CPU or GPU does this.",
        ),
    ]  # fmt: skip


def _removal_text(cost: Cost) -> str:
    if cost.shrunk is None:
        return f"Nothing was removed: {cost.why_not_shrunk}"
    words = "Removal takes them out of the network; its answers are those of the masked one."
    if cost.shrunk.params > cost.kept:
        stay = cost.shrunk.params - cost.kept
        words += f" {stay:,} masked ones cannot be removed and stay in it, as zeros."
    return words


def _bytes(cost: Cost) -> list[Row]:
    dense, masked, shrunk, onnx = cost.dense, cost.masked, cost.shrunk, cost.onnx
    return [
        (
            "file", "bytes", dense.file, masked.file, _of(shrunk, "file"), _of(onnx, "file"),
            "safetensors; of ONNX with the graph and the exporter's remarks. Zeros take as much "
            "room in it as any other number.",
        ),
        (
            "zipped file", "bytes", dense.zipped, masked.zipped, _of(shrunk, "zipped"), None,
            "The safetensors file after deflate, level 6. It saves download and disk alone: a "
            "zipped file must be unpacked before use, and is then as large as ever.",
        ),
        (
            "file, bitmask and values", "bytes", None, cost.bitmask.bytes, None, None,
            f"One bit a weight says where the values stand. {_dense(cost.bitmask.dense)} It must "
            "be decoded before an ordinary runtime can use it.",
        ),
        (
            "file, CSR", "bytes", None, cost.csr.bytes, None, None,
            f"A 32-bit column beside each value: smaller only where more than about half are "
            f"zeros. {_dense(cost.csr.dense)} It needs kernels made for it.",
        ),
    ]  # fmt: skip


def _of(network: Footprint | RuntimeCost | None, part: str) -> float | None:
    return None if network is None else getattr(network, part)


def _dense(tensors: int) -> str:
    if not tensors:
        return "All tensors are smaller so."
    one = tensors == 1
    return (
        f"{tensors:,} tensor{'' if one else 's'} stay{'s' if one else ''} dense, being smaller so."
    )


def _run_rows(cost: Cost) -> list[Row]:
    dense, masked, shrunk = cost.dense, cost.masked, cost.shrunk
    times = [
        dense.latency,
        masked.latency,
        None if shrunk is None else shrunk.latency,
        None if cost.onnx is None else cost.onnx.latency,
    ]
    return [
        (
            "peak activation memory", "bytes", dense.memory, masked.memory,
            _of(shrunk, "memory"), None,
            "Activations alive at once for one sample, its input included; the parameters come on "
            "top. A mask changes nothing here.",
        ),
        _line("latency", times, "median", _conditions(cost)),
        _line("latency, lower quartile", times, "low", "A quarter of the rounds was faster."),
        _line("latency, upper quartile", times, "high", "A quarter of the rounds was slower."),
        (
            "speed", "× dense", 1.0, *_faster(times, cost.onnx),
            "Median by median: here, now, at this batch size. Differences within the quartiles are "
            f"noise.{_against(cost.onnx)}",
        ),
    ]  # fmt: skip


def _line(name: str, times: list[Timing | None], part: str, note: str) -> Row:
    dense, masked, shrunk, onnx = (
        None if time is None else 1000 * float(getattr(time, part)) for time in times
    )
    return name, "ms", dense, masked, shrunk, onnx, note


def _faster(
    times: list[Timing | None], onnx: RuntimeCost | None
) -> tuple[float | None, float | None, float | None]:
    dense, masked, shrunk, _ = (None if t is None else t.median for t in times)
    dense = dense or 0.0
    there = None if onnx is None or onnx.dense is None else onnx.dense.median
    return (
        dense / masked if masked else None,
        dense / shrunk if shrunk else None,
        there / onnx.latency.median if there and onnx and onnx.latency.median else None,
    )


def _against(onnx: RuntimeCost | None) -> str:
    if onnx is None:
        return ""
    if onnx.dense is None:
        return " The dense network does not run in ONNX Runtime, so nothing is compared there."
    took = _value_text(1000 * onnx.dense.median, "ms")
    return f" In ONNX Runtime it is against the dense network there, which takes {took}."


def _conditions(cost: Cost) -> str:
    rounds, threads = cost.dense.latency.rounds, cost.threads
    words = (
        f"Median of {rounds} round{'' if rounds == 1 else 's'} in which all take their turn; "
        f"batch of {cost.batch}, {threads} thread{'' if threads == 1 else 's'}. "
    )
    if cost.onnx is None:
        return f"{words}Not in ONNX Runtime: {cost.why_not_onnx}"
    return f"{words}ONNX Runtime runs the {cost.onnx.which} network."
