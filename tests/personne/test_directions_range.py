"""How far a direction goes: until faces fall apart, though their light be as ever."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from models.catalogue import open_model
from models.directions import Direction
from models.engines.engine import Float32
from personne.commands import directions_range
from personne.commands.directions_range import LEAST, RangeMeasure
from personne.commands.latent_faces import LatentFaces, opened_faces
from personne.commands.usual_pictures import UsualPictures, light, texture
from tests.some_directions import vector

Picture = NDArray[np.uint8]
WAY = Direction("way", "w", vector(5), layers=(0, 1))
"""In the first layer alone, so that a latent says by itself how far it was moved."""
PLAIN_PICTURES = range(900, 940)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """With fewer faces: in these tests all of them do the same."""
    monkeypatch.setattr(directions_range, "PROBES", 12)
    monkeypatch.setattr(directions_range, "REFERENCE_TIMES", 3)


@pytest.fixture(scope="module")
def faces(tiny_model: Path) -> Iterator[LatentFaces]:
    with opened_faces(open_model(tiny_model, "store"), "cpu") as faces:
        yield faces


@pytest.fixture(scope="module")
def pictures(faces: LatentFaces) -> list[Picture]:
    return drawn(faces, PLAIN_PICTURES)


def drawn(faces: LatentFaces, seeds: range, psi: float = 0.7) -> list[Picture]:
    return list(faces.pictures(faces.ws_of(faces.z_of(seeds), psi)))


def shuffled(picture: Picture) -> Picture:
    """The same colours, each somewhere else."""
    pixels = np.random.default_rng(1).permutation(picture.reshape(-1, 3))
    return pixels.reshape(picture.shape)


def washed_out(picture: Picture, much: float = 1.0) -> Picture:
    """Without its colours, and as bright as it was wherever it is looked at."""
    grey = picture.astype(np.float64).mean(axis=2, keepdims=True)
    return np.rint(picture + much * (grey - picture)).astype(np.uint8)


@dataclass(frozen=True)
class Spoilt:
    """Faces that are their model's own, and are spoilt by as much as they are moved upwards along WAY."""

    faces: LatentFaces
    spoil: Callable[[Picture, float], Picture]

    @property
    def manifest(self) -> object:
        return self.faces.manifest

    def z_of(self, seeds: range) -> Float32:
        return self.faces.z_of(seeds)

    def ws_of(self, z: Float32, psi: float) -> Float32:
        return self.faces.ws_of(z, psi)

    def pictures(self, ws: Float32) -> Iterator[Picture]:
        moved = (ws[:, 0] - ws[:, 1]) @ WAY.vector[0] / WAY.unit
        plain = self.faces.pictures(np.repeat(ws[:, 1:2], ws.shape[1], axis=1))
        for picture, strength in zip(plain, moved, strict=True):
            yield self.spoil(picture, max(0.0, float(strength)))


def reach_of(faces: LatentFaces, spoil: Callable[[Picture, float], Picture]) -> tuple[float, float]:
    return RangeMeasure(Spoilt(faces, spoil)).of(WAY)  # type: ignore[arg-type]


def test_what_changes_nothing_goes_as_far_as_is_looked(faces: LatentFaces) -> None:
    assert reach_of(faces, lambda picture, _: picture) == (-3, 3)


def test_it_ends_where_faces_fall_apart_and_on_that_side_only(faces: LatentFaces) -> None:
    def falls_apart(picture: Picture, strength: float) -> Picture:
        return shuffled(picture) if strength > 1.75 else picture

    assert reach_of(faces, falls_apart) == (-3, 1.5)


def test_texture_sees_what_light_does_not(faces: LatentFaces, monkeypatch: pytest.MonkeyPatch) -> None:
    def fades(picture: Picture, strength: float) -> Picture:
        return washed_out(picture, min(1.0, strength / 2))

    low, high = reach_of(faces, fades)
    assert low == -3
    assert LEAST <= high < 2
    monkeypatch.setattr("personne.commands.usual_pictures.STRANGE", np.inf)
    assert reach_of(faces, fades) == (-3, 3), "by light alone, as it was measured before"


def test_what_leaves_at_once_is_given_the_least(faces: LatentFaces) -> None:
    low, high = reach_of(faces, lambda picture, strength: shuffled(picture) if strength else picture)
    assert (low, high) == (-3, LEAST)


def test_a_real_direction_that_is_too_long_is_cut(faces: LatentFaces) -> None:
    measure = RangeMeasure(faces)
    short, long = Direction("short", "w", vector(6), unit=0.05), Direction("long", "w", vector(6), unit=100.0)
    assert measure.of(short) == (-3, 3)
    assert measure.of(long) == (-LEAST, LEAST)


def test_most_of_its_own_are_usual_and_others_are_not(faces: LatentFaces, pictures: list[Picture]) -> None:
    usual = UsualPictures(drawn(faces, PLAIN_PICTURES, 1.0), pictures)
    assert usual.share(pictures) > 0.9
    assert usual.share(drawn(faces, range(960, 1000))) > 0.8
    for spoil in (shuffled, washed_out, np.zeros_like):
        assert usual.share([spoil(picture) for picture in pictures]) == 0


def test_light_is_blind_to_colours_and_texture_to_places(pictures: list[Picture]) -> None:
    picture = pictures[0]
    np.testing.assert_allclose(light(washed_out(picture)), light(picture), atol=0.5)
    # With its mirror image beside it a picture can be moved round without a seam.
    endless = np.concatenate([picture, picture[:, ::-1]], axis=1)
    endless = np.concatenate([endless, endless[::-1]])
    np.testing.assert_allclose(texture(endless), texture(np.roll(endless, (16, 32), (0, 1))), atol=0.25)


@pytest.mark.parametrize("side", [16, 28, 64, 256])
def test_texture_is_of_pictures_of_any_side(side: int) -> None:
    picture = np.random.default_rng(side).integers(0, 256, [side, side, 3], dtype=np.uint8)
    assert texture(picture).shape == (48,)
    assert np.isfinite(texture(picture)).all()


def test_a_model_of_grey_pictures_is_measured_too(pictures: list[Picture]) -> None:
    grey = [washed_out(picture) for picture in pictures]
    usual = UsualPictures(grey, grey)
    assert usual.share(grey) > 0.9
    assert usual.share(pictures) == 0


def test_large_models_are_measured_by_fewer_faces(faces: LatentFaces, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def none_of(ws: Float32) -> list[Picture]:
        asked.append(len(ws))
        return []

    monkeypatch.setattr(directions_range, "UsualPictures", lambda *_: None)
    monkeypatch.setattr(directions_range, "PROBES", 96)
    for side in (32, 128, 1024):
        manifest = faces.manifest.model_copy(update={"resolution": side})
        large = SimpleNamespace(manifest=manifest, z_of=faces.z_of, ws_of=faces.ws_of, pictures=none_of)
        RangeMeasure(large)  # type: ignore[arg-type]
    assert asked[::2] == [288, 162, 24]
