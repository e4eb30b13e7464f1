"""How are the sample networks made again? `python -m sample_models.train`"""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import click
import torch
from torch import nn

from pruneviz.measuring.answers import answer
from pruneviz.tasks import CLASSES
from pruneviz.tasks.table import skills
from sample_models.cards import card, summary
from sample_models.catalogue import NETWORKS, material
from sample_models.fit import fit
from sample_models.store import FOLDER, write
from sample_models.stories import training_stream
from sample_models.writer import WriterRecipe, fit_writer

# Fixed: another number sums in another order, and that gives other weights.
THREADS = {"writer": 1}
_THREADS = 2


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(NETWORKS)))
@click.option(
    "--seed", default=0, show_default=True, help="Of the first weights and the samples' order."
)
@click.option(
    "--folder",
    default=FOLDER,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to write; the installed weights if left out.",
)
def main(names: tuple[str, ...], seed: int, folder: Path) -> None:
    """Train the sample networks NAMES (all if none is named) and write weights and cards."""
    for name in names or NETWORKS:
        click.echo(remake(name, seed, folder))


def remake(name: str, seed: int, folder: Path) -> str:
    """Trains one network, writes its three files to folder, and returns its card in one line."""
    build, recipe = NETWORKS[name]
    samples, threads = material(name), THREADS.get(name, _THREADS)
    torch.set_num_threads(threads)

    def tell(at: int, loss: float) -> None:
        word = "step" if isinstance(recipe, WriterRecipe) else "epoch"
        click.echo(f"{name}: {word} {at:,} of {recipe.rounds:,}, training loss {loss:.4f}")

    start = perf_counter()
    if isinstance(recipe, WriterRecipe):
        model = fit_writer(build, recipe, training_stream(), seed, tell)
    else:
        model = fit(build, recipe, samples.training, seed, tell)
    seconds = round(perf_counter() - start, 1)
    return keep(name, model, seed, folder, threads=threads, seconds=seconds)


def keep(name: str, model: nn.Module, seed: int, folder: Path, **how: float) -> str:
    """Measures a trained network, writes its three files and returns its card in one line."""
    samples, recipe = material(name), NETWORKS[name][1]
    data = samples.validation
    task = skills(len(samples.classes)) if samples.task == "skills" else CLASSES
    outcome = answer(model, {}, data, 0, len(data), task)
    made = card(name, model, outcome, samples, task, recipe, seed)
    write(name, model.state_dict(), outcome, {**made, **how}, folder)
    return f"{summary(made)}" + (f", trained in {how['seconds']:.0f} s" if "seconds" in how else "")


if __name__ == "__main__":
    main()
