"""The translation recipe as a whole: what a run leaves, that it learns, and that a killed one loses nothing."""

import dataclasses
import json
import zipfile
from pathlib import Path

import pytest
import torch
from PIL import Image

from models.networks.translator import ResnetTranslator
from personne.commands.export_model import export_run
from tests.training.runs import assert_a_kill_loses_nothing, assert_same, state_of
from tests.training.translation.conftest import tiny_translation_config
from training.errors import RunRefused, TrainingDiverged
from training.run import Run
from training.snapshots import list_snapshots, open_snapshot
from training.translation import train
from training.translation.config import TranslationConfig


def test_what_a_run_leaves(tiny_translation: TranslationConfig) -> None:
    train(tiny_translation)
    run = tiny_translation.out
    assert TranslationConfig.from_json((run / "config.json").read_text()) == tiny_translation
    rows = [json.loads(line) for line in (run / "stats.jsonl").read_text().splitlines()]
    assert [row["images_seen"] for row in rows] == list(range(4, 24, 4))
    assert {"g", "d_b", "images_per_second"} <= rows[0].keys()
    pictures_a_row = {"cyclegan": 3, "cut": 2, "pix2pix": 3}[tiny_translation.objective]
    with Image.open(run / "samples" / "000000020.png") as grid:
        assert grid.size == (2 * pictures_a_row * 16, 2 * 16)
    assert [path.stem for path in list_snapshots(run)] == ["translation-000000010", "translation-000000020"]
    backward = [path.stem for path in list_snapshots(run, "backward")]
    assert backward == (
        ["backward-000000010", "backward-000000020"] if tiny_translation.objective == "cyclegan" else []
    )
    assert (run / "sheet.png").read_bytes() == (run / "samples" / "000000020.png").read_bytes()
    card = (run / "card.md").read_text()
    assert f"A cyclegan translator of pictures ({tiny_translation.objective}" in card
    assert "after 20 images, on cpu." in card
    assert "- pictures; its licence is not stated" in card
    measured_by = "restoring" if tiny_translation.objective == "pix2pix" else "painting"
    assert f"`python -m benchmarks.{measured_by}` measures it" in card
    assert f"`personne export {run} --name run`" in card
    assert not list(run.rglob("*.partial"))


def test_no_card_before_the_end(tiny_translation: TranslationConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        # What Ctrl-C leaves.
        patch.setattr(Run, "goes_on", lambda run: run.state.images_seen < 10)
        train(tiny_translation)
    assert not (tiny_translation.out / "card.md").exists()
    train(tiny_translation)
    assert (tiny_translation.out / "card.md").exists()


def test_all_that_was_learnt_from_is_told_by_the_run_and_its_export(blots: Path, tmp_path: Path) -> None:
    packed = {}
    for name, licence in (("photos", "CC0"), ("paintings", "public domain"), ("people", "CC BY 3.0")):
        packed[name] = tmp_path / f"{name}.zip"
        passport = {"training_data": [{"name": name, "images": 20, "licence": licence, "attribution": f"by {name}"}]}
        with zipfile.ZipFile(packed[name], "w") as archive:
            for picture in sorted(blots.glob("*.png"))[:6]:
                archive.write(picture, picture.name)
            archive.writestr("dataset.json", json.dumps({"personne": passport}))
    config = tiny_translation_config(
        "cut", packed["photos"], tmp_path / "run", style=packed["paintings"], also=packed["people"]
    )
    train(config)
    card = (config.out / "card.md").read_text()
    for line in (
        "photos (20 pictures), CC0. by photos",
        "paintings (20",
        "- people (20 pictures), CC BY 3.0. by people",
    ):
        assert line in card
    entry = export_run(config.out, name="tiny", store=tmp_path / "store")
    assert [data.name for data in entry.manifest.training_data] == ["photos", "paintings", "people"]
    assert "people: 20 pictures, CC BY 3.0. by people." in (entry.folder / "card.md").read_text()
    assert (entry.folder / "sheet.jpg").is_file()


def test_the_snapshot_is_the_average_and_moved(tiny_translation: TranslationConfig) -> None:
    train(tiny_translation)
    snapshot = open_snapshot(tiny_translation.out)
    assert (snapshot.family, snapshot.images_seen) == ("cyclegan", 20)
    network = ResnetTranslator(**snapshot.generator_kwargs)
    network.load_state_dict(snapshot.tensors())
    state = state_of(tiny_translation)
    assert_same(dict(snapshot.tensors()), dict(state["average_ab"]))
    assert all(not torch.equal(state["average_ab"][name], state["generator_ab"][name]) for name in ("model.1.weight",))
    with pytest.raises(RunRefused, match="not a generator of faces"):
        snapshot.generator()


def test_a_killed_run_resumes_to_the_very_state(tiny_translation: TranslationConfig, tmp_path: Path) -> None:
    # Killed past the filling of the pool, so that what it holds and draws matters.
    whole = dataclasses.replace(tiny_translation, total_images=60, state_every_images=2)
    assert_a_kill_loses_nothing("training.translation", train, whole, tmp_path)


def test_the_rate_falls_and_identity_gives_way(tiny_translation: TranslationConfig) -> None:
    config = dataclasses.replace(tiny_translation, total_images=100, batch=4, identity_weight=5, identity_weight_end=1)
    assert [config.rate_at(seen) for seen in (0, 50, 75, 100)] == pytest.approx([2e-4, 2e-4, 1e-4, 0])
    assert dataclasses.replace(config, scaled_rate=True).rate_at(0) == pytest.approx(4e-4)
    assert [config.identity_weight_at(seen) for seen in (0, 50, 100)] == pytest.approx([5, 3, 1])


def test_a_run_of_another_shape_is_refused(tiny_translation: TranslationConfig) -> None:
    train(dataclasses.replace(tiny_translation, total_images=4))
    with pytest.raises(RunRefused, match="begun with ngf 4, not 8"):
        train(dataclasses.replace(tiny_translation, ngf=8))


def test_a_run_starts_from_another(tiny_translation: TranslationConfig, tmp_path: Path) -> None:
    train(tiny_translation)
    source = state_of(tiny_translation)
    frozen = dataclasses.replace(tiny_translation, out=tmp_path / "second", learning_rate=0.0, total_images=2)
    train(dataclasses.replace(frozen, init_from=tiny_translation.out))
    assert_same(state_of(frozen)["generator_ab"], source["generator_ab"])
    third = dataclasses.replace(frozen, out=tmp_path / "third", init_from=list_snapshots(tiny_translation.out)[-1])
    train(third)
    assert_same(state_of(third)["generator_ab"], source["average_ab"])


def test_a_run_that_diverges_stops_and_keeps_its_last_good_state(tiny_translation: TranslationConfig) -> None:
    train(dataclasses.replace(tiny_translation, total_images=8))
    with pytest.raises(TrainingDiverged):
        train(dataclasses.replace(tiny_translation, learning_rate=1e30))
    assert state_of(tiny_translation)["images_seen"] == 8
