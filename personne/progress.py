"""What a long command is doing, on the terminal: a line a step, with the time that each took."""

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

Step = Callable[[str], None]


@contextlib.contextmanager
def shown_steps() -> Iterator[Step]:
    """Call the yielded function with what is being done now; the step before it is done then."""
    columns = (SpinnerColumn(finished_text="·"), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:

        def step(description: str) -> None:
            finish(progress)
            progress.add_task(description, total=1)

        yield step
        finish(progress)


@contextlib.contextmanager
def shown_download(name: str) -> Iterator[Callable[[int, int | None], None]]:
    """Call the yielded function with bytes had and, where that is known, bytes in all."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(name, total=None)

        def report(had: int, total: int | None) -> None:
            progress.update(task, completed=had, total=total)

        yield report


@contextlib.contextmanager
def shown_count(description: str, total: int) -> Iterator[Callable[[int], None]]:
    """Call the yielded function with how many more are done."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(description, total=total)
        yield lambda count: progress.advance(task, count)


def finish(progress: Progress) -> None:
    """Mark every task as done."""
    for task in progress.tasks:
        if not task.finished:
            progress.update(task.id, completed=1)
