"""How does a plan become a run in MLflow?"""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pruneviz.measuring.bench import Bench
from pruneviz.measuring.evaluate import Evaluation
from pruneviz.plan import Plan

_LONGEST = 500  # characters of a parameter that every server takes
_NAME = 250


def log_to_mlflow(
    bench: Bench,
    plan: Plan,
    result: Evaluation | None = None,
    artefacts: Iterable[Path | str] = (),
    *,
    tracking_uri: str | None = None,
    experiment: str = "pruneviz",
    run_name: str | None = None,
) -> str:
    """Write a plan into MLflow as a run of its own; returns the run's number.

    Parameters: the plan, and the sparsity asked of each layer. Metrics: score, interval, change,
    loss, per class, and what is left of the network, by layer. Tags: fingerprints of weights and
    data. Artefacts: plan.json, and the files (or folders) given, a recipe say. result: measured
    on all validation samples by default. tracking_uri: of the server or store, MLflow's own
    setting by default. Raises ImportError where MLflow is not installed, ValueError for an
    artefact that is not there.
    """
    mlflow = _mlflow()
    files = [Path(each) for each in artefacts]
    missing = next((path for path in files if not path.exists()), None)
    if missing is not None:
        raise ValueError(f"no file {str(missing)!r} to log; write it first")
    result = result or bench.evaluate(plan)
    client = mlflow.MlflowClient(tracking_uri=tracking_uri)
    existing = client.get_experiment_by_name(experiment)
    number = client.create_experiment(experiment) if existing is None else existing.experiment_id
    run = client.create_run(number, run_name=run_name, tags=_tags(bench))
    name = run.info.run_id
    try:
        entities = mlflow.entities
        client.log_batch(
            name,
            metrics=[
                entities.Metric(key, value, run.info.start_time, 0)
                for key, value in metrics(bench, plan, result).items()
            ],
            params=[entities.Param(key, text) for key, text in parameters(plan).items()],
        )
        client.log_text(name, json.dumps(plan.as_dict(), indent=2), "plan.json")
        for path in files:
            if path.is_dir():
                client.log_artifacts(name, str(path), path.name)
            else:
                client.log_artifact(name, str(path))
    except BaseException:
        client.set_terminated(name, "FAILED")
        raise
    client.set_terminated(name)
    return str(name)


def parameters(plan: Plan) -> dict[str, str]:
    """A plan as MLflow's parameters: names that it takes, texts of a length that it takes."""
    levels = {f"sparsity/{_key(name)}": level for name, level in plan.sparsity.items()}
    plain: Mapping[str, object] = {
        "criterion": plan.criterion,
        "granularity": plan.granularity,
        "scope": plan.scope,
        "relative": plan.relative,
        "seed": plan.seed,
        "aggregate": plan.aggregate,
        "repair": ", ".join(plan.repair) or "none",
        "pinned": sum(len(places) for places in plan.pinned.values()),
    }
    return {name: str(value)[:_LONGEST] for name, value in {**plain, **levels}.items()}


def metrics(bench: Bench, plan: Plan, result: Evaluation) -> dict[str, float]:
    """What was measured and counted, as MLflow's metrics; what is no finite number is left out."""
    counts, pruned = bench.counts(plan), bench.masks(plan)
    values: dict[str, float | None] = {
        "accuracy": result.accuracy,
        "accuracy_low": result.low,
        "accuracy_high": result.high,
        "accuracy_delta": result.delta,
        "accuracy_delta_low": result.delta_low,
        "accuracy_delta_high": result.delta_high,
        "loss": result.loss,
        "samples": result.n,
        "params": counts.params,
        "params_kept": counts.params_kept,
        "params_shrunk": counts.params_shrunk,
        "sparsity": 1 - counts.params_kept / counts.params,
        "macs": counts.macs,
        "macs_kept": counts.macs_kept,
    }
    values |= {f"class/{_key(name)}": share for name, share in result.per_class.items()}
    values |= {f"kept/{_key(name)}": 1 - share for name, share in pruned.sparsity.items()}
    return {
        name: float(value)
        for name, value in values.items()
        if value is not None and math.isfinite(value)
    }


def _tags(bench: Bench) -> dict[str, str]:
    return {
        "pruneviz.model": bench.source.name,
        "pruneviz.weights": bench.fingerprint,
        "pruneviz.data": bench.data_fingerprint,
        "pruneviz.score": bench.task.label,
    }


def _key(name: str) -> str:
    """A name of letters, digits and what else MLflow takes."""
    return "".join(c if c.isalnum() or c in "_-. /" else "_" for c in name)[:_NAME]


def _mlflow() -> Any:
    try:
        return importlib.import_module("mlflow")
    except ImportError as error:
        raise ImportError('MLflow is not installed; run pip install "pruneviz[mlflow]"') from error
