"""Morphs in a worker: paths through w and z, frames in files that other programs read, marks, a whole job."""

import asyncio
import importlib
import io
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.contract import AnimationFormat, JobFailure, JobResult, JobStage, Lane, MorphJob
from marks import Mark, xmp
from marks.certificates import make_chain
from marks.credentials import read as read_credentials
from models.catalogue import Catalogue
from tests.some_directions import catalogue_of_one, model_with_directions
from tests.worker.bench import WAIT_MS, Bench
from worker import animations
from worker.animations import animation
from worker.config import WorkerConfig
from worker.loaded_model import LoadedGenerator
from worker.loaded_models import LoadedModels
from worker.tasks.generate import GenerateTask
from worker.tasks.morph import MorphTask, around, between, key_faces, positions, recipe_of
from worker.tasks.task import tasks_for

CONFIG = WorkerConfig(worker_id="test", device="cpu", threads=1, stop_grace_s=10.0)


@pytest.fixture(scope="module")
def shelf(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    store = tmp_path_factory.mktemp("morphed")
    model_with_directions(tiny_model, store)
    return catalogue_of_one(store, tmp_path_factory.mktemp("nothing"))[0]


@pytest.fixture(scope="module")
def tiny(shelf: Catalogue) -> Iterator[LoadedGenerator]:
    models = LoadedModels(shelf, CONFIG)
    models.open()
    with models.held(shelf.named("tiny").manifest.digest) as model:
        assert isinstance(model, LoadedGenerator)
        yield model
    models.close()


@pytest.fixture(scope="module")
def faces(shelf: Catalogue) -> GenerateTask:
    return GenerateTask(directions_of=lambda digest: shelf.with_digest(digest).directions)


def morph(digest: str, *seeds: int, **fields: object) -> MorphJob:
    plain = MorphJob(digest, seeds, 9, 24, False, 0.7, 32, AnimationFormat.WEBP)
    return replace(plain, **fields)  # type: ignore[arg-type]


def frames_of(task: MorphTask, job: MorphJob, model: LoadedGenerator) -> np.ndarray:
    return np.stack(task.run(job, task.prepare(job, {}, model), model, lambda _: None)).astype(int)


def test_where_frames_lie() -> None:
    assert positions(3, 5, loop=False).tolist() == [0, 0.5, 1, 1.5, 2]
    assert positions(2, 4, loop=True).tolist() == [0, 0.5, 1, 1.5]
    assert positions(3, 6, loop=False).tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1, 1.5, 2])
    for keys in range(2, 17):
        for frames in range(keys, 60):
            for loop in (False, True):
                at = positions(keys, frames, loop=loop)
                assert set(range(keys)) <= set(at.tolist()), "every named face is a frame"
                assert (np.diff(at) > 0).all()


def test_the_straight_way_and_the_arc() -> None:
    at = np.array([0, 0.25, 1, 1.5], np.float32)
    keys = np.array([[[0.0, 0]], [[4, 8]]], np.float32)
    assert between(keys, at)[:, 0].tolist() == [[0, 0], [1, 2], [4, 8], [2, 4]]
    corners = np.array([[3.0, 0], [0, 3]], np.float32)
    arc = around(corners, np.array([0, 0.5, 1], np.float32))
    assert arc[[0, 2]] == pytest.approx(corners)
    assert arc[1] == pytest.approx([3 / 2**0.5, 3 / 2**0.5])
    alike = np.array([[1.0, 1], [2, 2]], np.float32)
    assert around(alike, np.array([0.5], np.float32))[0] == pytest.approx([1.5, 1.5])


@pytest.mark.parametrize("look", [{}, {"edits": (("pose", 1.0), ("smile", 2.0))}, {"mix": ((9, 0, 3, 1.0),)}])
def test_key_frames_are_the_faces_of_their_seeds(
    faces: GenerateTask, tiny: LoadedGenerator, look: dict[str, object]
) -> None:
    job = morph(tiny.manifest.digest, 1, 2, 3, **look)
    frames = frames_of(MorphTask(faces), job, tiny)
    alone = faces.run(faces.prepare(key_faces(job), tiny), tiny).astype(int)
    assert np.abs(frames[[0, 4, 8]] - alone).max() <= 1
    steps = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3))
    assert (steps > 0).all()
    assert steps.max() < np.abs(alone[0] - alone[1]).mean()


def test_a_loop_comes_back(faces: GenerateTask, tiny: LoadedGenerator) -> None:
    frames = frames_of(MorphTask(faces), morph(tiny.manifest.digest, 1, 2, frames=8, loop=True), tiny)
    assert np.abs(frames[1] - frames[7]).max() <= 1
    assert np.abs(frames[3] - frames[5]).max() <= 1
    assert np.abs(frames[0] - frames[4]).mean() > 1


def test_without_a_mapping_network_it_goes_through_z(faces: GenerateTask, tiny: LoadedGenerator) -> None:
    """The graphs stay those of `tiny`: what is asked here is which way is taken, and where it begins and ends."""
    plain = replace(tiny, manifest=tiny.manifest.model_copy(update={"family": "pggan"}))
    job = morph(tiny.manifest.digest, 1, 2, edits=(("smile", 1.0),))
    through_z, through_w = frames_of(MorphTask(faces), job, plain), frames_of(MorphTask(faces), job, tiny)
    assert np.abs(through_z[[0, 8]] - through_w[[0, 8]]).max() <= 1
    assert np.abs(through_z[4] - through_w[4]).max() > 1


def colours(count: int, side: int = 33) -> list[np.ndarray]:
    return [np.full([side, side, 3], [9 * number, 120, 255 - 9 * number], np.uint8) for number in range(count)]


@pytest.mark.parametrize("moving", [AnimationFormat.WEBP, AnimationFormat.GIF])
@pytest.mark.parametrize("loop", [True, False])
def test_pillow_reads_the_frames_and_their_times(moving: AnimationFormat, loop: bool) -> None:
    body = animation(colours(12), moving, 24, loop=loop, xmp=b"")
    opened = Image.open(io.BytesIO(body))
    assert (opened.n_frames, opened.size) == (12, (33, 33))  # type: ignore[attr-defined]
    # WebP says 0 for ever and 1 for once; a GIF that is played once says nothing.
    assert opened.info.get("loop") == (0 if loop else {"webp": 1, "gif": None}[moving.value])
    lasted = []
    for number in range(12):
        opened.seek(number)
        shown = np.asarray(opened.convert("RGB")).astype(int)
        lasted.append(opened.info["duration"])
        assert np.abs(shown - colours(12)[number]).max() <= 8
    assert sum(lasted) == pytest.approx(500, abs=5)


def test_a_film_is_read_by_ffmpeg() -> None:
    av = pytest.importorskip("av", reason="needs the extra video")
    body = animation(colours(12), AnimationFormat.MP4, 24, loop=False, xmp=b"<x/>")
    with av.open(io.BytesIO(body)) as film:
        stream = film.streams.video[0]
        assert (stream.codec.name, stream.average_rate, stream.width, stream.height) == ("h264", Fraction(24), 34, 34)
        shown = [frame.to_ndarray(format="rgb24").astype(int) for frame in film.decode(stream)]
    assert len(shown) == 12
    assert max(np.abs(one[16, 16] - wanted[16, 16]).max() for one, wanted in zip(shown, colours(12), strict=True)) < 16
    again = animation(colours(12), AnimationFormat.MP4, 24, loop=False, xmp=b"<x/>")
    # Not byte for byte: beside torch in one process, libx264 has been seen to write two bytes more.
    assert abs(len(again) - len(body)) <= len(body) // 20


def test_recipe_and_credentials_travel_in_a_webp(tmp_path: Path) -> None:
    chain, key = make_chain("a bench")
    (tmp_path / "chain.pem").write_bytes(chain)
    (tmp_path / "key.pem").write_bytes(key)
    config = replace(CONFIG, certificate=tmp_path / "chain.pem", certificate_key=tmp_path / "key.pem")
    job = morph("0f1e2d3c4b5a6978", 2**64 - 1, 5, loop=True)
    body = tasks_for(config, lambda _: "faces")["morph"].finish(job, colours(3), {}).body
    found = xmp.read(Image.open(io.BytesIO(body)))
    assert found is not None
    assert found.recipe == recipe_of(job, "faces")
    assert found.recipe.parameters["seeds"] == "18446744073709551615,5"
    assert found.source_type is not None
    assert found.source_type.endswith("trainedAlgorithmicMedia")
    credentials = read_credentials(body)
    assert credentials is not None
    assert credentials.state != "invalid"


def test_the_recipe_travels_in_a_gif() -> None:
    job = morph("0f1e2d3c4b5a6978", 4, 5, format=AnimationFormat.GIF)
    body = tasks_for(replace(CONFIG, marks=frozenset({Mark.XMP})))["morph"].finish(job, colours(3), {}).body
    assert xmp.packet(recipe_of(job, job.model)) in body
    opened = Image.open(io.BytesIO(body))
    assert opened.n_frames == 3  # type: ignore[attr-defined]
    assert opened.info["extension"][0] == b"XMP DataXMP"
    opened.seek(2)
    assert np.abs(np.asarray(opened.convert("RGB")).astype(int) - colours(3)[2]).max() <= 8


def test_the_recipe_travels_in_a_film() -> None:
    pytest.importorskip("av", reason="needs the extra video")
    job = morph("0f1e2d3c4b5a6978", 4, 5, format=AnimationFormat.MP4)
    body = tasks_for(replace(CONFIG, marks=frozenset({Mark.XMP})))["morph"].finish(job, colours(3), {}).body
    packet = xmp.packet(recipe_of(job, job.model))
    assert body.endswith(packet)
    av = importlib.import_module("av")
    with av.open(io.BytesIO(body)) as film:
        assert len(list(film.decode(video=0))) == 3


def test_a_morph_is_a_job_with_progress(shelf: Catalogue) -> None:
    async def story() -> None:
        bench = Bench(shelf)
        job = morph(bench.model, 1, 2, frames=24)
        with bench.working(tasks=None):
            job_id = await bench.submitter.submit(job, lane=Lane.SLOW, timeout_ms=WAIT_MS, events=True)
            result = await bench.submitter.wait(job_id, timeout_ms=WAIT_MS)
            events = await bench.submitter.events(job_id, after=None, wait_ms=0)
        assert isinstance(result, JobResult), result
        assert result.media_type == "image/webp"
        assert Image.open(io.BytesIO(result.body)).n_frames == 24  # type: ignore[attr-defined]
        shares = [event.progress for event in events if event.progress is not None]
        assert shares == sorted(shares)
        assert max(shares) > 0.5
        assert events[-1].stage is JobStage.DONE

    asyncio.run(story())


def test_without_pyav_there_is_no_film(shelf: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_installed(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(animations, "import_module", not_installed)

    async def story() -> None:
        bench = Bench(shelf)
        with bench.working(tasks=None):
            job = morph(bench.model, 1, 2, format=AnimationFormat.MP4)
            job_id = await bench.submitter.submit(job, lane=Lane.SLOW, timeout_ms=WAIT_MS)
            failure = await bench.submitter.wait(job_id, timeout_ms=WAIT_MS)
        assert isinstance(failure, JobFailure)
        assert failure.code == "video-missing"
        assert "personne[video]" in failure.reason

    asyncio.run(story())
