"""What the task of an edited photo refuses before a face is looked for."""

from dataclasses import replace
from typing import Any

import pytest

from jobs.contract import PHOTO, PhotoEditJob, PictureFormat
from tests.photo_files import picture, saved
from worker.errors import PhotoRefused
from worker.tasks.photo_edit import PhotoEditTask

NOBODY: Any = None
"""No model is asked."""
TASK = PhotoEditTask(1_000_000, NOBODY, NOBODY)
JOB = PhotoEditJob("", "encoder", 32, PictureFormat.WEBP, paste=True)


def test_a_photo_that_its_format_has_no_room_for_is_not_answered_whole() -> None:
    inputs = {PHOTO: saved(picture(size=(16_384, 2)), "PNG")}
    with pytest.raises(PhotoRefused, match="16384 pixels along a side, and webp has 16383 at most"):
        TASK.prepare(JOB, inputs, NOBODY)
    for fine in (replace(JOB, paste=False), replace(JOB, format=PictureFormat.PNG)):
        assert TASK.prepare(fine, inputs, NOBODY).size == (16_384, 2)
