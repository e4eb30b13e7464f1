"""How does one stretch of a training give way to the next?"""

from __future__ import annotations

from pruneviz.training.batches import steps_of
from pruneviz.training.checkpoints import Store
from pruneviz.training.devices import RandomStream, seed_of
from pruneviz.training.initial_weights import draw_again_
from pruneviz.training.legs import on_the_way
from pruneviz.training.loop import Loop
from pruneviz.training.mask_set import MaskSet, enter
from pruneviz.training.methods import shuffle
from pruneviz.training.optimizers import optimizer_for
from pruneviz.training.run import Run
from pruneviz.training.structure import mask_set_of


def run_through(loop: Loop, store: Store) -> None:
    """Train leg by leg, epoch by epoch, from where the run is to its end; each epoch is kept."""
    run = loop.run
    if run.rows:  # it goes on, or has ended before: who watches sees how far it is
        loop.meter.show()
    while run.leg < len(run.legs):
        if run.epoch == 0:
            _enter(loop)
        while run.epoch < run.here.epochs:
            loop.epoch()
            _remember(run)
            _keep(loop, store)
        if run.leg == len(run.legs) - 1:
            break
        run.leg, run.epoch = run.leg + 1, 0
    leave_aside(run)


def _keep(loop: Loop, store: Store) -> None:
    if loop.processes.is_first:
        before = store.complaint
        store.write(loop.run, loop.stepper.schedule)
        if store.complaint and not before:  # said once, not after each epoch
            loop.run.notes.append(store.complaint)


def _remember(run: Run) -> None:
    """Save the weights that a later leg goes back to, when this is their epoch."""
    rewinds = any(leg.weights == "rewound" for leg in run.legs)
    if rewinds and run.leg == 0 and run.epoch == run.training.rewind:
        run.saved["rewind"] = run.weights


def _enter(loop: Loop) -> None:
    """Make weights, masks, optimiser and schedule ready for a leg."""
    run, leg, training = loop.run, loop.run.here, loop.run.training
    _remember(run)
    if leg.aside and run.ticket is None:
        run.ticket = (run.weights, run.masks)
    if not leg.aside:
        leave_aside(run)
    if run.leg:  # each leg has a stream of its own, whatever controls came before
        place = (run.leg, 1) if leg.aside else (run.own, 0)
        run.chance = RandomStream(seed_of(training.seed, *place, 1), run.chance.device)
    run.step, run.steps = 0, leg.epochs * steps_of(len(loop.data), training)
    _cut(loop)
    if leg.weights == "rewound":
        run.load(run.saved["rewind"])
        run.tell("rewound", "", run.params, f"to epoch {training.rewind}")
    elif leg.weights == "new":
        draw_again_(run.network, seed_of(training.seed, run.leg))
    run.optimizer = optimizer_for(run.network, training)
    run.hold(run.masks)
    loop.stepper.take_optimizer()
    if training.remove:
        loop.remove()
        loop.meter.show()
    loop.measure(float("nan"), 0.0)


def _cut(loop: Loop) -> None:
    run, leg = loop.run, loop.run.here
    if leg.masks == "shuffled":
        run.masks = _shuffle(run)
    if leg.done is None:
        return
    first = run.leg == 0 and run.training.start == "trained"
    if loop.masks.method.begin is not None:
        loop.masks.method.begin(run, on_the_way(run.plan, leg.done, loop.masks.method.law))
        return
    if first and leg.done == 1:
        # What is on the screen is what is trained, repairs and all.
        pruned = run.bench.prune(run.plan)
        if not run.training.remove or all(bool(line.any()) for line in pruned.units.values()):
            run.load(pruned.tensors)
            run.hold(mask_set_of(pruned, run.structure.layers))
            return
    loop.masks.cut(leg.done)


def _shuffle(run: Run) -> MaskSet:
    """As many of each layer, elsewhere."""
    layers = {
        name: shuffle(mask, seed_of(run.training.seed, run.leg, number))
        for number, (name, mask) in enumerate(run.masks.layers.items())
    }
    parameters = dict(run.masks.parameters)
    for name, mask in layers.items():
        layer = run.structure.layers[name]
        parameters[layer.weight] = enter(parameters[layer.weight], layer, mask)
    return MaskSet(parameters, layers)


def leave_aside(run: Run) -> None:
    """After controls, the ticket is at hand again."""
    if run.ticket is not None:
        weights, masks = run.ticket
        run.load(weights)
        run.masks, run.ticket = masks, None
