"""Pictures leave the worker with their marks: recipe, credentials, watermark; and a photo's own marks go on."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.contract import PHOTO, GenerateJob, PictureFormat, TranslateJob
from marks import Mark
from marks.certificates import make_chain, root_of
from marks.errors import CertificateRefused
from marks.recipe import SourceType
from marks.verify import Verdict, verify
from tests.marks.pictures import encoded, scene
from worker.config import WorkerConfig
from worker.pictures import Picture
from worker.tasks.task import tasks_for

FACE = GenerateJob("0f1e2d3c4b5a6978", 2**64 - 1, 0.7, 256, PictureFormat.JPEG, label=2, translate_x=0.25)
PAINTING = TranslateJob("aaaa2d3c4b5a6978", 0.8, PictureFormat.PNG, size=256)
NAMES = {FACE.model: "faces", PAINTING.model: "monet"}


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> WorkerConfig:
    folder = tmp_path_factory.mktemp("certs")
    chain, key = make_chain("a bench")
    (folder / "chain.pem").write_bytes(chain)
    (folder / "key.pem").write_bytes(key)
    return WorkerConfig("test", certificate=folder / "chain.pem", certificate_key=folder / "key.pem")


def face(config: WorkerConfig, picture: Picture, job: GenerateJob = FACE) -> bytes:
    return tasks_for(config, NAMES.__getitem__)["generate"].finish(job, picture).body


def painting(config: WorkerConfig, picture: Picture, photo: bytes) -> bytes:
    return tasks_for(config, NAMES.__getitem__)["translate"].finish(PAINTING, picture, {PHOTO: photo}).body


def pixels(body: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(body))).astype(int)


@pytest.mark.parametrize("picture_format", list(PictureFormat))
def test_a_face_carries_every_mark(certified: WorkerConfig, picture_format: PictureFormat) -> None:
    body = face(certified, scene(256), replace(FACE, format=picture_format))
    assert certified.certificate
    report = verify(body, root_of(certified.certificate.read_bytes()))
    assert (report.verdict, report.watermark.found) == (Verdict.OURS, True)
    assert report.recipe is not None
    assert (report.recipe.kind, report.recipe.model, report.recipe.digest) == ("generate", "faces", FACE.model)
    assert (report.recipe.seed, report.recipe.source_type) == (FACE.seed, SourceType.MADE)
    assert report.recipe.parameters == {"truncation_psi": 0.7, "size": 256, "class": 2, "translate_x": 0.25}


def test_without_certificates_it_is_marked_all_the_same() -> None:
    report = verify(face(WorkerConfig("test"), scene(256)))
    assert (report.verdict, report.credentials, report.watermark.found) == (Verdict.MARKED, None, True)
    assert report.recipe is not None


@pytest.mark.parametrize("mark", list(Mark))
def test_each_mark_can_be_had_alone(certified: WorkerConfig, mark: Mark) -> None:
    report = verify(face(replace(certified, marks=(mark,)), scene(256)))
    found = {Mark.XMP: report.xmp, Mark.WATERMARK: report.watermark.found or None, Mark.C2PA: report.credentials}
    assert [name for name, value in found.items() if value is not None] == [mark]


def test_a_psi_of_zero_and_a_class_of_zero_are_told() -> None:
    job = replace(FACE, truncation_psi=0.0, label=0, translate_x=0.0)
    recipe = verify(face(WorkerConfig("test"), scene(64), job)).recipe
    assert recipe is not None
    assert recipe.parameters == {"truncation_psi": 0.0, "size": 256, "class": 0}


def test_small_faces_keep_their_very_pixels() -> None:
    small = scene(64)
    assert np.array_equal(
        pixels(face(WorkerConfig("test"), small, replace(FACE, format=PictureFormat.PNG, size=64))), small
    )


def test_the_same_picture_is_signed_anew_with_the_same_pixels(certified: WorkerConfig) -> None:
    first, second = face(certified, scene(256)), face(certified, scene(256))
    assert first != second
    assert np.array_equal(pixels(first), pixels(second))
    unsigned = replace(certified, certificate=None)
    assert face(unsigned, scene(256)) == face(unsigned, scene(256))


def test_a_painting_keeps_its_photos_history(certified: WorkerConfig) -> None:
    assert certified.certificate
    root = root_of(certified.certificate.read_bytes())
    photo = face(certified, scene(256))
    report = verify(painting(certified, scene(256, seed=5), photo), root)
    assert report.verdict is Verdict.OURS
    assert report.credentials is not None
    assert (report.credentials.ingredients, report.credentials.ingredients_signed_by) == (
        1,
        ("a bench pictures, a bench",),
    )
    assert report.credentials.source_type == SourceType.COMPOSITE
    assert report.recipe is not None
    assert (report.recipe.kind, report.recipe.model, report.recipe.seed) == ("translate", "monet", None)
    assert report.recipe.parameters == {"strength": 0.8, "size": 256}
    history = report.recipe.ingredient
    assert history is not None
    assert (history.source_type, history.signed_by, history.watermark) == (
        SourceType.MADE,
        "a bench pictures, a bench",
        True,
    )


def test_a_photo_without_marks_is_an_ingredient_without_history(certified: WorkerConfig) -> None:
    report = verify(painting(certified, scene(256), encoded(scene(64))))
    assert report.credentials is not None
    assert (report.credentials.ingredients, report.credentials.ingredients_signed_by) == (1, ())
    assert report.recipe is not None
    assert report.recipe.source_type is SourceType.COMPOSITE


def test_a_photo_that_only_its_decoder_understood_does_no_harm(certified: WorkerConfig) -> None:
    report = verify(painting(certified, scene(256), b"\xff\xd8\xff odd"))
    assert report.credentials is not None
    assert report.credentials.state == "valid"


def test_opacity_stays_opacity() -> None:
    transparent = np.dstack([scene(256), np.full((256, 256), 77, np.uint8)])
    found = pixels(painting(WorkerConfig("test"), transparent, encoded(scene(64))))
    assert (found[:, :, 3] == 77).all()


def test_a_wrong_key_is_refused_at_the_start(certified: WorkerConfig, tmp_path: Path) -> None:
    (tmp_path / "other.pem").write_bytes(make_chain("other")[1])
    with pytest.raises(CertificateRefused, match="does not belong"):
        tasks_for(replace(certified, certificate_key=tmp_path / "other.pem"))
    with pytest.raises(OSError, match=r"none\.pem"):
        tasks_for(replace(certified, certificate=tmp_path / "none.pem"))
