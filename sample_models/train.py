"""How are the sample networks made again? `python -m sample_models.train`"""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import click
import torch

from pruneviz.measuring.answers import answer
from pruneviz.tasks import CLASSES
from sample_models import digits
from sample_models.cards import card, summary
from sample_models.catalogue import NETWORKS
from sample_models.fit import fit
from sample_models.store import FOLDER, write

THREADS = 2  # fixed: another number sums in another order, and that gives other weights


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(NETWORKS)))
@click.option(
    "--seed", default=0, show_default=True, help="Of the first weights and the digits' order."
)
@click.option(
    "--folder",
    default=FOLDER,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to write; the installed weights if left out.",
)
def main(names: tuple[str, ...], seed: int, folder: Path) -> None:
    """Train the sample networks NAMES (all four if none is named) and write weights and cards."""
    torch.set_num_threads(THREADS)
    for name in names or NETWORKS:
        click.echo(remake(name, seed, folder))


def remake(name: str, seed: int, folder: Path) -> str:
    """Trains one network, writes its three files to folder, and returns its card in one line."""
    build, recipe = NETWORKS[name]

    def tell(epoch: int, loss: float) -> None:
        click.echo(f"{name}: epoch {epoch} of {recipe.epochs}, training loss {loss:.4f}")

    start = perf_counter()
    model = fit(build, recipe, digits.training(), seed, tell)
    seconds = round(perf_counter() - start, 1)
    validation = digits.validation()
    outcome = answer(model, {}, validation, 0, len(validation), CLASSES)
    made = card(name, model, outcome, validation, recipe, seed)
    write(
        name, model.state_dict(), outcome, {**made, "threads": THREADS, "seconds": seconds}, folder
    )
    return f"{summary(made)}, trained in {seconds:.0f} s"


if __name__ == "__main__":
    main()
