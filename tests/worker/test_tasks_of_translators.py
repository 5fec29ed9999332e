"""Colourise, upscale, inpaint: the translate task on graphs that are there at once."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.contract import PictureFormat, TranslateJob
from models.catalogue import find_models
from tests.photo_files import half_transparent, picture, saved
from worker.config import WorkerConfig
from worker.errors import MaskRefused, PhotoRefused
from worker.loaded_model import LoadedTranslator
from worker.loaded_models import LoadedModels
from worker.tasks.translate import TranslateTask

TASK = TranslateTask(tile_side=256, most_pixels=100_000)
JOB = TranslateJob("", 1.0, PictureFormat.PNG)


@contextmanager
def opened(store: Path, name: str) -> Iterator[LoadedTranslator]:
    shelf = find_models(store, bundled=store / "nothing")
    models = LoadedModels(shelf, WorkerConfig(worker_id="test", device="cpu", threads=1))
    models.open()
    try:
        with models.held(shelf.named(name).manifest.digest) as model:
            assert isinstance(model, LoadedTranslator)
            yield model
    finally:
        models.close()


def done(model: LoadedTranslator, job: TranslateJob = JOB, **inputs: bytes) -> Image.Image:
    prepared = TASK.prepare(job, inputs, model)
    return Image.open(io.BytesIO(TASK.finish(job, TASK.run(job, prepared, model, lambda _: None), inputs).body))


def test_upscale_answers_four_times_the_size_or_what_was_asked_of_it(restorers_store: Path) -> None:
    with opened(restorers_store, "upscale") as model:
        assert (model.manifest.task, model.manifest.scale, model.manifest.takes_mask) == ("upscale", 4, False)
        body = saved(picture(), "PNG")
        assert done(model, photo=body).size == (240, 160)
        assert done(model, replace(JOB, size=90), photo=body).size == (90, 60)
        plain = np.asarray(done(model, replace(JOB, strength=0.0), photo=body))
        np.testing.assert_array_equal(plain, np.asarray(picture().resize((240, 160), Image.Resampling.BICUBIC)))
        clear = done(model, photo=saved(half_transparent(), "PNG"))
        assert (clear.mode, clear.size) == ("RGBA", (240, 160))
        with pytest.raises(PhotoRefused, match="would have 400x400; at most 100000 are made"):
            done(model, photo=saved(picture(size=(100, 100)), "PNG"))


def test_upscale_refuses_before_the_work_what_grows_too_long_for_its_format(restorers_store: Path) -> None:
    job = replace(JOB, format=PictureFormat.WEBP)
    inputs = {"photo": saved(picture(size=(4100, 1)), "PNG")}
    with opened(restorers_store, "upscale") as model:
        with pytest.raises(PhotoRefused, match="16400 pixels along a side, and webp has 16383 at most"):
            TASK.prepare(job, inputs, model)
        TASK.prepare(replace(job, size=16_383), inputs, model)


def test_inpaint_changes_what_the_mask_says_and_not_a_bit_around_it(restorers_store: Path) -> None:
    mask = Image.new("L", (60, 40), 0)
    mask.paste(255, (20, 10, 40, 30))
    inside = np.asarray(mask) > 0
    with opened(restorers_store, "inpaint") as model:
        answer = np.asarray(done(model, photo=saved(picture(), "PNG"), mask=saved(mask, "PNG"))).astype(int)
        changed = np.abs(answer - np.asarray(picture())).max(axis=2)
        assert changed[~inside].max() == 0
        assert np.median(changed[inside]) > 5
        holed = picture("RGBA")
        holed.putalpha(Image.fromarray(np.where(inside, 0, 255).astype(np.uint8)))
        assert done(model, photo=saved(holed, "PNG")).mode == "RGB", "what was transparent is filled"
        assert done(model, photo=saved(half_transparent(), "PNG"), mask=saved(mask, "PNG")).mode == "RGBA"
        with pytest.raises(MaskRefused):
            done(model, photo=saved(picture(), "PNG"))


def test_colourise_keeps_the_brightness(restorers_store: Path) -> None:
    with opened(restorers_store, "colourise") as model:
        grey = picture("L")
        answer = done(model, photo=saved(grey, "PNG"))
        difference = np.asarray(answer.convert("L")).astype(int) - np.asarray(grey)
        assert np.abs(difference).mean() <= 3, "but for colours that there are not"
        assert np.ptp(np.asarray(answer).astype(int), axis=2).max() > 5
