"""Is a folder of one's own lessons in order?"""

from __future__ import annotations

from pathlib import Path

import click

from pruneviz.cli.shared import plain_errors
from pruneviz.lessons import read_lessons
from pruneviz.lessons.checking import doubts
from pruneviz.sources.opening import OpenRequest
from pruneviz.workbench.opening import open_workbench


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def lessons(folder: Path) -> None:
    """Read the lessons in FOLDER, and compute every number that they state.

    What is wrong is named with its file; then the command ends with 1.

    Example: pruneviz lessons my-lessons
    """
    wrong = 0
    with plain_errors():
        for lesson in read_lessons(folder):
            bench = None if lesson.own else open_workbench(OpenRequest(lesson.network))
            words = doubts(lesson, bench)
            if bench is not None:
                bench.close()
            wrong += len(words)
            steps, asks = len(lesson.steps), len(lesson.questions)
            click.echo(f"{lesson.name}.md: {lesson.title}; steps: {steps}, questions: {asks}")
            for each in words:
                click.echo(f"  {each}")
    if wrong:
        raise click.exceptions.Exit(1)
