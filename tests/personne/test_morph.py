"""personne morph: files that move, and what it refuses."""

from pathlib import Path

import pytest
from PIL import Image

from jobs.contract import PictureFormat
from models.catalogue import Catalogue, ModelEntry
from personne.commands.edit import edited
from personne.commands.morph import morph_faces
from personne.commands.sample import draw_faces, pattern_of
from personne.errors import BadMorph, BadSeeds
from tests.some_directions import catalogue_of_one, model_with_directions


@pytest.fixture(scope="module")
def entry(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> ModelEntry:
    store = tmp_path_factory.mktemp("moving")
    model_with_directions(tiny_model, store)
    return catalogue_of_one(store, tmp_path_factory.mktemp("nothing"))[1]


def made(entry: ModelEntry, seeds: str, out: Path, *attributes: str, **asked: object) -> int:
    here = Catalogue({entry.manifest.name: entry})
    plain = pattern_of(entry, here, truncation_psi=None, default_psi=0.7, picture_format=PictureFormat.PNG)
    options = {"frames": 5, "fps": 10, "loop": False, **asked}
    pattern = edited(plain, entry, attributes, None)
    return morph_faces(pattern, entry, seeds=seeds, out=out, device="cpu", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("ending", ["webp", "gif"])
def test_a_file_that_begins_and_ends_with_its_faces(entry: ModelEntry, tmp_path: Path, ending: str) -> None:
    out = tmp_path / "new" / f"morph.{ending}"
    assert made(entry, "1,2", out) == out.stat().st_size
    with Image.open(out) as opened:
        assert opened.n_frames == 5  # type: ignore[attr-defined]
        shown = []
        for number in (0, 4):
            opened.seek(number)
            shown.append(opened.convert("RGB").resize((4, 4), Image.Resampling.BOX).tobytes())
    for frame, face in zip(shown, draw_faces(entry, [1, 2], 0.7, device="cpu"), strict=True):
        small = Image.fromarray(face).resize((4, 4), Image.Resampling.BOX).tobytes()
        assert max(abs(a - b) for a, b in zip(frame, small, strict=True)) < 24


def test_attributes_move_every_frame(entry: ModelEntry, tmp_path: Path) -> None:
    made(entry, "1-2", tmp_path / "plain.webp", loop=True)
    made(entry, "1-2", tmp_path / "moved.webp", "smile=3", loop=True)
    assert (tmp_path / "plain.webp").read_bytes() != (tmp_path / "moved.webp").read_bytes()


def test_what_cannot_be_made(entry: ModelEntry, tmp_path: Path) -> None:
    with pytest.raises(BadMorph, match="two faces"):
        made(entry, "7", tmp_path / "morph.webp")
    with pytest.raises(BadMorph, match=r"\.webp, \.gif, \.mp4"):
        made(entry, "1,2", tmp_path / "morph.avi")
    with pytest.raises(BadMorph, match="6 faces is a frame"):
        made(entry, "1-6", tmp_path / "morph.webp")
    with pytest.raises(BadSeeds):
        made(entry, "one", tmp_path / "morph.webp")
    assert list(tmp_path.iterdir()) == []
