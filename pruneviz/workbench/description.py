"""What is there to say of a network and its data, before any plan?"""

from __future__ import annotations

from pruneviz.measuring.bench import Bench
from pruneviz.measuring.counts import macs_of_network
from pruneviz.network.replica import code_fingerprint, fingerprint, state
from pruneviz.sources.identity import fingerprint_of

_COLUMNS = 64


def weights_fingerprint(bench: Bench) -> str:
    """The first 12 hex digits of the SHA-256 of all parameters and buffers."""
    return fingerprint(bench.source.model)


def data_fingerprint(bench: Bench) -> str:
    """16 hex digits of the SHA-256 of all samples, and what they are measured by."""
    data, task = (bench.source.calibration, bench.source.validation), bench.task
    several = f"|{task.output}" if len(bench.survey.outputs) > 1 else ""
    return fingerprint_of(*data, text=f"{task.name}|{task.label}|{task.form}{several}")


def identity(bench: Bench) -> str:
    """What measurements depend on besides a plan: weights, samples, and the network's code; of a
    version whose answers are compared with those of its first network, that one's weights.
    """
    code = code_fingerprint(bench.source.model)
    own = f"{bench.fingerprint}|{bench.data_fingerprint}|{code}"
    compared = bench.task.needs_dense and bench.parent is not None
    return f"{own}|{bench.original.fingerprint}" if compared else own


def macs_in_all(bench: Bench) -> int | None:
    """Multiply-accumulates of the whole network for one sample, as its card says or counted.

    None where they cannot be counted.
    """
    macs, model = bench.source.card.get("macs"), bench.source.model
    return macs if isinstance(macs, int) else macs_of_network(model, bench.source.validation)


def weight_limits(bench: Bench) -> dict[str, float]:
    """Layer -> the largest |weight|."""
    weights = state(bench.source.model)
    ends = {name: weights[place.weight].aminmax() for name, place in bench.layer_of.items()}
    return {name: max(-float(low), float(high)) for name, (low, high) in ends.items()}


def class_columns(bench: Bench) -> tuple[str, ...]:
    """The classes of `Evidence.by_class`; one for all samples where there are none, or many."""
    classes = bench.source.classes
    few = bench.task.single and 0 < len(classes) <= _COLUMNS
    return classes if few else ("all samples",)
