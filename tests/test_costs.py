"""Does the ledger say what each network takes, and what that does not buy?"""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save
from torch import Tensor, nn

import pruneviz as pv
from pruneviz.history.records import cost_from, cost_text
from pruneviz.measuring.cost import Cost, cost_of
from pruneviz.measuring.sizes import FileSize
from pruneviz.network.replica import fingerprint
from pruneviz.plan import Plan
from pruneviz.workbench import Workbench

COLUMNS = ["quantity", "unit", "dense", "masked", "shrunk", "onnx runtime", "note"]


class Mlp(nn.Module):
    """4 → 4 → 2, of which the first has twelve zeros of sixteen when three units are cut."""

    def __init__(self, hidden: int = 4) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(4, hidden), nn.Linear(hidden, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.two(torch.relu(self.one(x)))


@pytest.fixture(scope="module")
def bench() -> Workbench:
    model = Mlp().eval()
    with torch.no_grad():
        model.one.weight.copy_(torch.arange(1.0, 17.0).reshape(4, 4))
        model.one.bias.fill_(1.0)
    return pv.open(model, (torch.rand(20, 4), torch.arange(20) % 2))


WEIGHTS = Plan(sparsity={"one": 0.75})
UNITS = Plan("l2", "neuron", sparsity={"one": 0.75})


def cut_by_hand(bench: Workbench) -> nn.Module:
    """Only the last unit is left."""
    small = Mlp(1)
    dense = bench.source.model
    assert isinstance(dense, Mlp)
    with torch.no_grad():
        small.one.weight.copy_(dense.one.weight[3:])
        small.one.bias.copy_(dense.one.bias[3:])
        small.two.weight.copy_(dense.two.weight[:, 3:])
        small.two.bias.copy_(dense.two.bias)
    return small


def measured(bench: Workbench, plan: Plan, small: nn.Module | None, **options: object) -> Cost:
    pruned, counts = bench.prune(plan), bench.counts(plan)
    data = bench.source.validation
    return cost_of(pruned, counts, small, "it was only masked.", data, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def said() -> list[tuple[str, float]]:
    """What `masked` told of its progress."""
    return []


@pytest.fixture(scope="module")
def masked(bench: Workbench, said: list[tuple[str, float]]) -> Cost:
    """Of single weights: each measurement exports to ONNX, so the tests share what they can."""
    return measured(bench, WEIGHTS, None, progress=lambda label, done: said.append((label, done)))


@pytest.fixture(scope="module")
def small(bench: Workbench) -> nn.Module:
    """What `removed` measures, while it is trained."""
    return cut_by_hand(bench).train()


@pytest.fixture(scope="module")
def removed(bench: Workbench, small: nn.Module) -> Cost:
    """Of whole units."""
    return measured(bench, UNITS, small)


def header(names: list[str], shapes: list[tuple[int, ...]]) -> int:
    tensors = {n: torch.zeros(s) for n, s in zip(names, shapes, strict=True)}
    return 8 + int.from_bytes(save(tensors)[:8], "little")


@pytest.mark.usefixtures("no_runtime")
def test_by_hand_where_units_are_removed(bench: Workbench) -> None:
    cost = measured(bench, UNITS, cut_by_hand(bench), batch=4)
    names = ["one.weight", "one.bias", "two.weight", "two.bias"]
    wide = header(names, [(4, 4), (4,), (2, 4), (2,)])
    narrow = header(names, [(1, 4), (1,), (2, 1), (2,)])
    # three of four units, and none of the two answers
    assert (cost.asked, cost.kept) == (3 / 6, 4 + 1 + 2 + 2)
    assert (cost.dense.params, cost.dense.zeros) == (16 + 4 + 8 + 2, 0)
    assert (cost.masked.params, cost.masked.zeros) == (30, 3 * (4 + 1 + 2))
    assert cost.shrunk is not None
    assert (cost.shrunk.params, cost.shrunk.zeros) == (9, 0)
    assert (cost.dense.macs, cost.masked.macs, cost.shrunk.macs) == (24, 24, 6)
    assert cost.ideal_macs == 6
    assert (cost.dense.file, cost.masked.file) == (4 * 30 + wide, 4 * 30 + wide)
    assert cost.shrunk.file == 4 * 9 + narrow
    # the input, and the ReLU's input and output
    assert (cost.dense.memory, cost.masked.memory) == (4 * 12, 4 * 12)
    assert cost.shrunk.memory == 4 * (4 + 1 + 2)
    assert (cost.batch, cost.threads) == (4, torch.get_num_threads())


def test_by_hand_where_single_weights_are_masked(masked: Cost) -> None:
    cost = masked
    assert cost.asked == pytest.approx(0.75 * 16 / 24)
    assert cost.kept == 30 - 12
    assert cost.masked.zeros == 12
    assert cost.masked.macs == cost.dense.macs == 24
    assert cost.ideal_macs == 24 - 12
    assert cost.shrunk is None
    assert cost.why_not_shrunk == "it was only masked."
    assert cost.onnx is None or cost.onnx.which == "masked"
    dense = {"one.bias": (4,), "two.weight": (2, 4), "two.bias": (2,)}
    bits = dict.fromkeys(["one.weight.bits"], torch.zeros(2, dtype=torch.uint8))
    bits |= {"one.weight.values": torch.zeros(4)}
    whole = {name: torch.zeros(shape) for name, shape in dense.items()}
    assert cost.bitmask == FileSize(len(save(whole | bits)), 3, 4)
    csr = {
        "one.weight.values": torch.zeros(4),
        "one.weight.columns": torch.zeros(4, dtype=torch.int32),
        "one.weight.rows": torch.zeros(5, dtype=torch.int32),
    }
    assert cost.csr == FileSize(len(save(whole | csr)), 3, 4)


@pytest.mark.usefixtures("no_runtime")
def test_the_dense_plan_has_a_ledger_too(bench: Workbench) -> None:
    cost = measured(bench, Plan(), None)
    assert cost.asked == 0
    same = ("params", "zeros", "macs", "file", "zipped", "memory")
    assert all(getattr(cost.dense, name) == getattr(cost.masked, name) for name in same)


@pytest.mark.slow
def test_the_table_has_every_quantity_with_its_words(removed: Cost) -> None:
    cost = removed
    table = cost.table
    assert list(table.columns) == COLUMNS
    assert table["quantity"].is_unique
    for words in (
        "asked sparsity", "zeros", "parameters", "MACs", "MACs, ideal sparse engine", "file",
        "zipped file", "file, bitmask and values", "file, CSR", "peak activation memory",
        "latency", "latency, lower quartile", "latency, upper quartile", "speed",
    ):  # fmt: skip
        row = table[table["quantity"] == words].iloc[0]
        assert row["note"].endswith((".", ".”")), words
        assert not math.isnan(row["masked"]), words
    notes = " ".join(table["note"])
    for part in (
        "Zeros make neither the file smaller nor the model faster",
        "a zipped file must be unpacked before use",
        "no ordinary CPU or GPU does this",
        "batch of 8",
        "thread",
    ):
        assert part in notes
    by = table.set_index("quantity")
    assert by.loc["parameters", ["dense", "masked", "shrunk"]].tolist() == [30, 9, 9]
    assert by.loc["asked sparsity", "masked"] == 50
    assert math.isnan(by.loc["asked sparsity", "dense"])
    assert by.loc["latency", "dense"] == 1000 * cost.dense.latency.median
    assert by.loc["speed", "dense"] == 1


def test_without_a_shrunk_network_its_column_is_empty_and_the_reason_is_told(
    masked: Cost,
) -> None:
    table = masked.table
    assert table["shrunk"].isna().all()
    assert "Nothing was removed: it was only masked." in " ".join(table["note"])


def test_people_read_units_and_no_none(masked: Cost) -> None:
    cost = replace(masked, kept=1_234_567)
    cost = replace(cost, dense=replace(cost.dense, file=44_730_000, zipped=999, macs=31_021_952))
    readable = cost.readable.set_index("quantity")
    assert "unit" not in readable
    assert readable.loc["parameters", "masked"] == "1,234,567"
    assert readable.loc["file", "dense"] == "44.73 MB"
    assert readable.loc["zipped file", "dense"] == "999 B"
    assert readable.loc["MACs", "dense"] == "31,021,952"
    assert readable.loc["asked sparsity", "masked"] == "50.0 %"
    assert readable.loc["latency", "dense"].endswith(" ms")
    assert readable.loc["speed", "dense"] == "1.00 ×"
    assert set(readable["shrunk"]) == {""}
    assert not readable.isin(["None", "nan", "NaN"]).to_numpy().any()


def test_it_is_json(masked: Cost) -> None:
    found = json.loads(json.dumps(masked.as_dict(), allow_nan=False))
    assert found["dense"]["params"] == 30
    assert found["shrunk"] is None
    assert found["bitmask"]["dense"] == 3
    assert found["batch"] == 8
    assert set(found["dense"]["latency"]) == {"median", "low", "high", "rounds"}


@pytest.mark.slow
def test_all_but_time_is_the_same_twice(bench: Workbench, removed: Cost) -> None:
    def still(cost: Cost) -> list[object]:
        rows = cost.table
        rows = rows[~rows["quantity"].str.startswith(("latency", "speed"))]
        return [rows.drop(columns="note").to_json(), cost.bitmask, cost.csr, cost.asked]

    assert still(measured(bench, UNITS, cut_by_hand(bench))) == still(removed)


@pytest.mark.slow
@pytest.mark.usefixtures("masked", "removed")
def test_no_network_is_written_to(bench: Workbench, small: nn.Module) -> None:
    dense = bench.source.model
    assert isinstance(dense, Mlp)
    assert dense.one.weight.equal(torch.arange(1.0, 17.0).reshape(4, 4))
    assert dense.one.bias.equal(torch.ones(4))
    assert not dense.training
    assert fingerprint(small) == fingerprint(cut_by_hand(bench))
    assert small.training


@pytest.mark.usefixtures("masked")
def test_progress_rises_and_names_what_is_done(said: list[tuple[str, float]]) -> None:
    done = [value for _, value in said]
    assert done == sorted(done)
    assert 0 == done[0] <= done[-1] < 1
    labels = " ".join(dict.fromkeys(label for label, _ in said))
    for part in ("dense: multiply-accumulates", "masked: zipping", "ONNX", "latency"):
        assert part in labels


@pytest.mark.usefixtures("no_runtime")
@pytest.mark.parametrize("where", ["dense", "ONNX", "latency"])
def test_what_progress_raises_stops_it(bench: Workbench, where: str) -> None:
    def stop(label: str, done: float) -> None:
        if where in label:
            raise KeyError(label)

    with pytest.raises(KeyError, match=where):
        measured(bench, WEIGHTS, None, progress=stop)


@pytest.mark.parametrize("batch", [0, -1, 2.5, True])
def test_a_batch_is_a_number_of_samples(bench: Workbench, batch: object) -> None:
    with pytest.raises(ValueError, match="batch must be"):
        measured(bench, WEIGHTS, None, batch=batch)


@pytest.mark.usefixtures("no_runtime")
def test_a_batch_is_no_larger_than_the_data(bench: Workbench) -> None:
    samples = len(bench.source.validation)
    assert measured(bench, WEIGHTS, None, batch=samples + 5).batch == samples


@pytest.mark.slow
def test_the_dense_network_is_timed_in_onnx_runtime_too(removed: Cost) -> None:
    pytest.importorskip("onnxruntime", reason="the extra 'export' is not installed")
    cost = removed
    assert cost.onnx is not None
    assert cost.onnx.dense is not None
    assert cost_from(cost_text(cost)) == cost
