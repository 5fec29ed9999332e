"""Nothing but known messages crosses the wire."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.codec import (
    beat_from_bytes,
    beat_to_bytes,
    job_from_bytes,
    job_to_bytes,
    outcome_from_wire,
    outcome_to_wire,
)
from jobs.contract import EditJob, GenerateJob, JobFailure, JobResult, Lane, PictureFormat, TeachJob, WorkerBeat
from jobs.errors import WireError
from tests.jobs.conftest import face


@given(st.integers(0, 2**64 - 1), st.floats(0, 1), st.integers(1, 4096), st.sampled_from(PictureFormat))
def test_a_job_survives(seed: int, psi: float, size: int, picture_format: PictureFormat) -> None:
    job = GenerateJob("0123456789abcdef", seed, psi, size, picture_format)
    assert job_from_bytes(job_to_bytes(job)) == job


@given(st.none() | st.integers(0, 999), st.floats(-180, 180), st.floats(-1, 1), st.floats(-1, 1))
def test_a_label_and_a_transform_survive(label: int | None, rotate: float, x: float, y: float) -> None:
    job = replace(face(), label=label, rotate=rotate, translate_x=x, translate_y=y)
    assert job_from_bytes(job_to_bytes(job)) == job


@given(st.lists(st.tuples(st.text(), st.floats(-9, 9))), st.lists(st.text()), st.text())
def test_edits_survive(edits: list[tuple[str, float]], keep: list[str], directions: str) -> None:
    moved = {"edits": tuple(edits), "keep": tuple(keep), "directions": directions}
    job = replace(face(), **moved)
    assert job_from_bytes(job_to_bytes(job)) == job
    stored = EditJob("0123456789abcdef", 64, PictureFormat.PNG, **moved)
    assert job_from_bytes(job_to_bytes(stored)) == stored


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.floats(-1, 1))), st.text(), st.none() | st.integers(0, 2**64))
def test_what_is_taught_survives(examples: list[tuple[int, float]], text: str, seed: int | None) -> None:
    seeds, scores = tuple(seed for seed, _ in examples), tuple(score for _, score in examples)
    job = TeachJob("0123456789abcdef", text, seeds, scores, text)
    assert job_from_bytes(job_to_bytes(job)) == job
    edit = EditJob("0123456789abcdef", 64, PictureFormat.PNG, seed=seed)
    assert job_from_bytes(job_to_bytes(edit)) == edit


@given(st.binary(), st.dictionaries(st.text(), st.floats(allow_nan=False)), st.integers(1, 64))
def test_an_outcome_survives(body: bytes, timings: dict[str, float], batch_size: int) -> None:
    result = JobResult(body, "image/png", timings, batch_size)
    assert outcome_from_wire(*outcome_to_wire(result)) == result
    failure = JobFailure("job-failed", "Because.")
    assert outcome_from_wire(*outcome_to_wire(failure)) == failure


def test_a_heartbeat_survives() -> None:
    beat = WorkerBeat("w", ("a", "b"), ("b",), (Lane.SLOW,), "cuda:0", ready=False)
    assert beat_from_bytes(beat_to_bytes(beat)) == beat


def changed(**fields: object) -> bytes:
    return json.dumps({**json.loads(job_to_bytes(face())), **fields}).encode()


@pytest.mark.parametrize(
    ("wire", "sentence"),
    [
        (b"", "no JSON"),
        (b"\x80\x04\x95", "no JSON"),
        (b"[]", "no JSON object"),
        (changed(version=2), "Version 2 is unknown here; this release reads version 4"),
        (changed(kind="paint"), "kind 'paint' is unknown here; known are: generate"),
        (changed(kind=["generate"]), "is unknown here"),
        (changed(extra=1), "has the fields"),
        (changed(seed="7"), "seed is '7'"),
        (changed(seed=True), "seed is True"),
        (changed(format="bmp"), "format is 'bmp'"),
        (changed(format=["png"]), "format is"),
        (changed(label=0.5), "label is 0.5"),
        (changed(rotate=None), "rotate is None"),
        (changed(edits={"smile": 1}), "edits is {'smile': 1}"),
        (changed(edits=[["smile", "1"]]), "edits is '1'"),
        (changed(edits=[["smile", 1.0, 2.0]]), "edits is"),
        (changed(keep=["age", 3]), "keep is 3"),
    ],
)
def test_other_bytes_are_refused(wire: bytes, sentence: str) -> None:
    with pytest.raises(WireError, match=sentence):
        job_from_bytes(wire)
