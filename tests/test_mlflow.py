"""Does a run in MLflow say what was done?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from pruneviz.history import mlflow as module
from pruneviz.history.mlflow import log_to_mlflow, metrics, parameters
from pruneviz.plan import Plan
from pruneviz.workbench import Workbench
from tests import optional

PLAN = Plan("l2", "neuron", "layer", {"conv2": 0.25, "fc1": 0.5}, repair=("recalibrate",))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.chdir(tmp_path)
    return (tmp_path / "runs").as_uri()


def client(store: str) -> Any:
    return optional.mlflow().MlflowClient(tracking_uri=store)


def test_parameters_by_hand() -> None:
    found = parameters(PLAN)
    assert found["criterion"] == "l2"
    assert found["repair"] == "recalibrate"
    assert found["sparsity/fc1"] == "0.5"
    assert parameters(Plan())["repair"] == "none"
    assert "sparsity/a_b" in parameters(Plan(sparsity={"a:b": 0.5})), "MLflow takes no colon"


def test_metrics_are_those_of_the_workbench(benches: Callable[[str], Workbench]) -> None:
    bench, plan = benches("lenet5"), Plan(sparsity={"fc1": 0.5})
    result, counts = bench.evaluate(plan), bench.counts(plan)
    found = metrics(bench, plan, result)
    assert found["accuracy"] == result.accuracy
    assert found["params_kept"] == counts.params_kept
    assert found["sparsity"] == pytest.approx(24_000 / 61_706)
    assert found["kept/fc1"] == 0.5
    assert found["class/3"] == result.per_class["3"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_run_holds_parameters_metrics_and_files(
    store: str, tmp_path: Path, benches: Callable[[str], Workbench]
) -> None:
    found = client(store)
    bench, plan = benches("lenet5"), Plan(sparsity={"fc1": 0.5})
    recipe, folder = tmp_path / "recipe.yaml", tmp_path / "out"
    recipe.write_text("plan: {}")
    folder.mkdir()
    (folder / "weights.bin").write_bytes(b"1")
    number = log_to_mlflow(
        bench, plan, None, [recipe, folder], tracking_uri=store, run_name="half of fc1"
    )
    run = found.get_run(number)
    assert run.info.run_name == "half of fc1"
    assert run.info.status == "FINISHED"
    assert run.data.params["sparsity/fc1"] == "0.5"
    assert run.data.metrics["accuracy"] == bench.evaluate(plan).accuracy
    assert run.data.tags["pruneviz.weights"] == bench.fingerprint
    paths = {item.path for item in found.list_artifacts(number)}
    assert paths == {"plan.json", "recipe.yaml", "out"}
    folder = Path(url2pathname(urlsplit(run.info.artifact_uri).path))
    assert Plan.from_dict(json.loads((folder / "plan.json").read_text())) == plan
    again = log_to_mlflow(bench, plan, tracking_uri=store)
    assert found.get_run(again).info.experiment_id == run.info.experiment_id


def test_a_file_that_is_not_there_is_refused_by_name(
    store: str, benches: Callable[[str], Workbench]
) -> None:
    optional.mlflow()
    with pytest.raises(ValueError, match=r"no file 'nowhere\.yaml'"):
        log_to_mlflow(benches("lenet5"), Plan(), None, ["nowhere.yaml"], tracking_uri=store)


def test_without_mlflow_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, benches: Callable[[str], Workbench]
) -> None:
    def gone(name: str) -> None:
        raise ImportError(f"no {name}")

    monkeypatch.setattr(module.importlib, "import_module", gone)
    with pytest.raises(ImportError, match=r"pruneviz\[mlflow\]"):
        log_to_mlflow(benches("lenet5"), Plan())
