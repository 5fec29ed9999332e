"""Grids in a worker: their cells, and the recipe that leaves with them."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from jobs.codec import job_from_bytes, job_to_bytes
from jobs.contract import GridJob, PictureFormat
from marks import Mark, xmp
from models.ranges import range_text, read_range, steps_between
from worker.config import WorkerConfig
from worker.tasks.grid import cells_of, recipe_of
from worker.tasks.task import tasks_for

CONFIG = WorkerConfig(worker_id="test", device="cpu", threads=1)
PLAIN = GridJob("0f1e2d3c4b5a6978", (7, 8, 9), 2, 0.7, 32, PictureFormat.PNG)
SWEPT = replace(
    PLAIN, columns=3, sweep=(("smile", -1.0, 1.0),), edits=(("age", 0.5),), keep=("hue",), directions="0123abcd"
)


def test_cells_row_by_row() -> None:
    assert [(cell.seed, cell.edits) for cell in cells_of(PLAIN)] == [(7, ()), (8, ()), (9, ())]
    cells = cells_of(SWEPT)
    assert [cell.seed for cell in cells] == [7, 7, 7, 8, 8, 8, 9, 9, 9]
    row = [(("age", 0.5), ("smile", -1.0)), (("age", 0.5),), (("age", 0.5), ("smile", 1.0))]
    assert [cell.edits for cell in cells] == row * 3
    assert {(cell.keep, cell.directions, cell.size) for cell in cells} == {(("hue",), "0123abcd", 32)}
    assert (PLAIN.count, SWEPT.count) == (3, 9)


def test_how_seeds_are_named() -> None:
    assert PLAIN.named_seeds == {"seed": 7, "count": 3}
    assert replace(PLAIN, seeds=(2**64 - 1,)).named_seeds == {"seed": 2**64 - 1, "count": 1}
    assert replace(PLAIN, seeds=(7, 9, 8)).named_seeds == {"seeds": "7,9,8"}


@pytest.mark.parametrize("ends", [(-2.0, 1.5), (0.0, 12.345678), (-0.000001, 20.0)])
def test_a_range_as_text_is_read_again(ends: tuple[float, float]) -> None:
    assert read_range(range_text(*ends)) == ends
    assert steps_between(*ends, 5)[0] == round(ends[0], 4)


@pytest.mark.parametrize("job", [PLAIN, SWEPT], ids=["plain", "swept"])
def test_it_goes_through_the_queue_as_it_is(job: GridJob) -> None:
    assert job_from_bytes(job_to_bytes(job)) == job


@pytest.mark.parametrize("job", [PLAIN, SWEPT], ids=["plain", "swept"])
def test_the_recipe_travels_with_it(job: GridJob) -> None:
    drawn = np.full([64, 96, 3], 120, np.uint8)
    encoded = tasks_for(replace(CONFIG, marks=frozenset({Mark.XMP})), lambda _: "faces")["grid"].finish(job, drawn, {})
    with Image.open(io.BytesIO(encoded.body)) as opened:
        assert (opened.format, opened.size) == ("PNG", (96, 64))
        found = xmp.read(opened)
    assert found is not None
    assert found.recipe == recipe_of(job, "faces")
    assert found.recipe.parameters["seed"] == 7
    if job.sweep:
        assert found.recipe.parameters["smile"] == "-1..1"
        assert found.recipe.parameters["age"] == 0.5
        assert found.recipe.parameters["steps"] == 3
