"""What comes of training a network by a plan?"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor, nn

from pruneviz.measuring.bench import Bench
from pruneviz.plan import UNITS, WIDTHS, Plan
from pruneviz.progress import Progress, silent
from pruneviz.pruning.masks import checksum_of
from pruneviz.sensitivity import keys
from pruneviz.sources import Source
from pruneviz.sources.identity import fingerprint_of
from pruneviz.training.augmentation import check_augmentation
from pruneviz.training.batches import steps_of
from pruneviz.training.checkpoints import Store, StoredTraining, place_for, put_back
from pruneviz.training.devices import RandomStream, device_for, seed_of
from pruneviz.training.epoch_meter import EpochMeter, Watch
from pruneviz.training.initial_weights import draw_again_
from pruneviz.training.legs import Leg
from pruneviz.training.loop import Loop
from pruneviz.training.mask_schedule import MaskSchedule
from pruneviz.training.mask_set import MaskSet
from pruneviz.training.methods import Method, find_method
from pruneviz.training.optimizers import go_on_, optimizer_for
from pruneviz.training.processes import Processes
from pruneviz.training.rounds import leave_aside, run_through
from pruneviz.training.run import Run, events_of, table_of
from pruneviz.training.samples import training_data
from pruneviz.training.settings import Training
from pruneviz.training.stepper import Stepper
from pruneviz.training.steps import TrainingStep, past_of
from pruneviz.training.structure import Structure

_SCHEME = 1


@dataclass(frozen=True)
class Trained:
    """The result of a training.

    model: a network of its own, on the CPU, in eval mode, zeros where something is cut. masks:
    layer -> bool of its weight's shape. plan: of single calls to prune `model`: cuts what is zero
    already, so that the masks hold there too. asked, training: what was asked. table: one row an
    epoch, as `Row`. events: what was cut, rewired or removed, as `Event`. notes: what one should
    know. seconds: of training alone.

    >>> network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
    >>> bench = pv.open(network, (torch.randn(40, 4), torch.arange(40) % 3))
    >>> trained = bench.train(pv.Plan(sparsity={"0": 0.5}), pv.Training(epochs=1))
    >>> int(trained.masks["0"].sum())
    16
    """

    model: nn.Module = field(repr=False)
    masks: Mapping[str, Tensor] = field(repr=False)
    plan: Plan
    asked: Plan
    training: Training
    table: pd.DataFrame = field(repr=False)
    events: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...]
    origin: Source = field(repr=False)

    @property
    def seconds(self) -> float:
        """Seconds of training, without measuring."""
        return float(self.table["seconds"].sum())

    @property
    def checksum(self) -> str:
        """SHA-256, in hex, of the masks, as of `Pruned`."""
        return checksum_of(self.masks)

    @property
    def recovered(self) -> int | None:
        """Epochs of the last leg until the paired interval to dense held zero, of those at whose
        end all was cut; None: never.
        """
        own = self._own
        last = own[own["leg"] == self._end["leg"]]
        whole = last["sparsity"] >= last["sparsity"].iloc[-1] - 1e-9
        back = last[(last["epoch"] > 0) & whole & (last["delta_high"] >= 0)]
        return None if back.empty else int(back["epoch"].iloc[0])

    @property
    def _own(self) -> pd.DataFrame:
        """The rows that are no controls'."""
        return self.table[~self.table["aside"].astype(bool)]

    @property
    def _end(self) -> pd.Series:
        return self._own.iloc[-1]

    def source(self, name: str) -> Source:
        """The trained network with the data of the first: to be opened as a version of it."""
        step, params = TrainingStep(self.asked, self.training), int(self._end["params"])
        note = f"trained by {self.training.method!r} from {self.origin.name}"
        return replace(
            self.origin,
            name=name,
            model=self.model,
            card={},
            dense=None,
            notes=(*self.origin.notes, note, *self.notes),
            opened=None,
            unnamed=tuple(dict.fromkeys(("model", *self.origin.unnamed))),
            past=past_of(self.origin, step, self.plan, params),
            parent=self.origin,
        )


@torch.inference_mode(False)
@torch.enable_grad()
def train(
    bench: Bench,
    plan: Plan,
    training: Training | None = None,
    folder: str | Path | None = None,
    *,
    fresh: bool = False,
    progress: Progress = silent,
    watch: Watch = lambda moment: None,
) -> Trained:
    """Train the bench's network by a method of METHODS, cutting what the plan says.

    The network itself is left as it is. folder: where trainings are kept; one that was begun there
    with the same network, data, plan and settings goes on from its last epoch, and one that ended
    is read (not with `fresh`). None keeps nothing. progress: called at each step with what is done
    and the fraction; may raise to stop, what was kept stays. watch: called after each epoch and
    each change of masks, with a `Moment`.
    Raises ValueError for what does not fit, and when the loss is no finite number any more.

    >>> network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
    >>> bench = pv.open(network, (torch.randn(40, 4), torch.arange(40) % 3))
    >>> trained = pv.train(bench, pv.Plan(sparsity={"0": 0.5}), pv.Training(epochs=1))
    >>> trained.training.epochs
    1
    """
    training = Training() if training is None else training
    method = find_method(training, plan)
    data = training_data(bench, training)
    check_augmentation(training.augmentation, data)
    runner = device_for(training)
    processes = Processes(runner)
    # Of several processes one keeps the training; all of them read what it kept.
    place = None if folder is None or not processes.is_first else Path(folder)
    with place_for(place, key_of(bench, plan, training)) as path:
        store = Store(runner.broadcast(path))
        legs = method.legs(training)
        _check(bench, plan, method)
        run = _begin(bench, plan, training, legs, runner.device)
        content = None if fresh else store.read()
        if content is not None:
            put_back(run, content)
        run.steps = run.here.epochs * steps_of(len(data), training)
        stepper = Stepper(run, method, runner)
        if content is not None:
            go_on_(stepper.schedule, content["schedule"])
        masks, meter = MaskSchedule(run, method), EpochMeter(run, data, progress, watch)
        run_through(Loop(run, data, stepper, masks, processes, meter), store)
    return _result(run)


@torch.inference_mode(False)
def reopen(bench: Bench, stored: StoredTraining) -> Trained:
    """What came of a training that is on disk and has ended; nothing is trained, measured, locked.

    bench: of the network it was trained from. ValueError: it has not ended, is damaged, or was
    made of other weights, data or settings.
    """
    plan, training, name = stored.plan, stored.training, stored.folder.name
    if key_of(bench, plan, training) != name:
        raise ValueError(
            f"the training {name!r} was not made of this network and its data as they are now"
        )
    legs = find_method(training, plan).legs(training)
    content = Store(stored.folder).read()
    if content is None or (content["leg"], content["epoch"]) != (len(legs) - 1, legs[-1].epochs):
        raise ValueError(f"the training {name!r} has not ended: resume it on the page Train")
    run = _begin(bench, plan, training, legs, device_for(training).device)
    put_back(run, content)
    leave_aside(run)
    return _result(run)


def key_of(bench: Bench, plan: Plan, training: Training) -> str:
    """32 hex digits of all that a training depends on."""
    data = fingerprint_of(training_data(bench, training))
    return keys.key_of(bench, "training", _SCHEME, data, plan, training.as_dict())


def _check(bench: Bench, plan: Plan, method: Method) -> None:
    """What does not go with the network is told now, not at the first cut of many."""
    if method.name == "dense":
        return
    if method.begin is None and method.change is None:
        bench.prune(plan)
    else:
        bench.prune(replace(plan, criterion="random", repair=()))  # the method has its own


def _begin(
    bench: Bench, plan: Plan, training: Training, legs: tuple[Leg, ...], device: torch.device
) -> Run:
    network = copy.deepcopy(bench.source.model).to(device).train().requires_grad_(True)
    structure = Structure(
        bench.layer_of, bench.graph_cache, bench.source.calibration, bench.task, bench.block,
        least=int(training.remove),
    )  # fmt: skip
    if training.start == "new":
        draw_again_(network, training.seed)
    run = Run(
        bench, plan, training, network, optimizer_for(network, training), structure,
        RandomStream(seed_of(training.seed, 1), device), legs,
        size=sum(p.numel() for p in network.parameters()),
    )  # fmt: skip
    run.notes += _notes(bench)
    return run


def _notes(bench: Bench) -> list[str]:
    source, notes = bench.source, []
    if source.training is None:
        notes.append(f"trained on the {len(source.calibration):,} calibration samples")
    targets = source.validation.targets
    if bench.task.single and targets is not None and bool((targets == targets[0]).all()):
        only = int(targets[0])
        name = source.classes[only] if only < len(source.classes) else str(only)
        notes.append(
            f"all {len(targets):,} validation samples are of class {name!r}: a network that always "
            "says so would count as right; validate on samples of all classes"
        )
    return notes


def _result(run: Run) -> Trained:
    _drop_zeros(run)
    model = copy.deepcopy(run.network).cpu().eval().requires_grad_(False)
    masks = {
        name: run.masks.layers.get(name, torch.ones((), dtype=torch.bool).expand(x.shape)).cpu()
        for name, x in run.structure.layers.items()
    }
    return Trained(
        model,
        masks,
        _own_plan(run),
        run.plan,
        run.training,
        table_of(run.rows),
        events_of(run.events),
        tuple(run.notes),
        run.bench.source,
    )


def _drop_zeros(run: Run) -> None:
    """A weight that was grown and never moved is zero: it counts as cut, as for a plan."""
    layers, parameters = dict(run.masks.layers), dict(run.masks.parameters)
    if run.plan.granularity in UNITS:
        return
    for name, mask in layers.items():
        layer = run.structure.layers[name]
        nonzero = (run.network.get_parameter(layer.weight).detach() != 0).to(mask.device)
        layers[name] = mask & layer.canonical(nonzero)
        parameters[layer.weight] = parameters[layer.weight].to(mask.device) & nonzero
    run.hold(MaskSet(parameters, layers, run.masks.units))


def _own_plan(run: Run) -> Plan:
    """The plan that cuts from the trained network what is zero there: the smallest weights."""
    plan, masks = run.plan, run.masks
    if plan.granularity in UNITS:
        levels = {n: 1 - float(line.float().mean()) for n, line in masks.units.items()}
    else:
        levels = {n: 1 - int(m.count_nonzero()) / m.numel() for n, m in masks.layers.items()}
    levels = {name: level for name, level in levels.items() if level}
    narrows = plan.granularity in WIDTHS
    return Plan("l2" if narrows else "magnitude", plan.granularity, sparsity=levels)
