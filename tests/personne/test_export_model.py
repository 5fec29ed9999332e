"""personne export: from a training run to a model that the catalogue opens, with sheet and card."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from models.catalogue import find_models
from models.errors import ModelRefused
from models.networks.stylegan2 import Generator
from personne.commands import export_model
from personne.commands.export_model import ExportOptions, export_run, read_facts
from tests.personne.invoking import invoke
from tests.tiny_networks import tiny_network
from training.snapshots import save_snapshot

KWARGS = {
    "z_dim": 16,
    "c_dim": 0,
    "w_dim": 16,
    "img_resolution": 16,
    "img_channels": 3,
    "mapping_kwargs": {"num_layers": 2},
    "synthesis_kwargs": {"channel_base": 256, "channel_max": 16, "conv_clamp": 256},
}
FACTS = {
    "licence": "CC0-1.0",
    "origin": "random weights",
    "training_data": [{"name": "nothing", "images": 0, "licence": "CC0-1.0"}],
    "machine": "a test",
    "notes": "It shows blots.",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "mine"
    for images_seen in (1000, 3000):
        (folder / "snapshots").mkdir(parents=True, exist_ok=True)
        torch.manual_seed(images_seen)
        generator = Generator(**KWARGS)
        with torch.no_grad():
            generator.synthesis.b8.conv0.noise_strength.fill_(0.5)
        save_snapshot(folder, generator, images_seen, KWARGS)
    rows = [{"images_seen": seen, "images_per_second": 0.5} for seen in (1000, 2000, 3000, 4000)]
    (folder / "stats.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


@pytest.fixture(scope="module")
def store(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("store")
    facts = store / "facts.json"
    facts.write_text(json.dumps(FACTS))
    export_run(run, name="mine", store=store, facts_file=facts)
    return store


def test_a_model_goes_by_one_name(run: Path, store: Path) -> None:
    refused = invoke("export", run, "--name", "twin", "--store", store).exception
    assert isinstance(refused, ModelRefused)
    assert "'twin' has the very graphs of 'mine', and one model goes by one name" in str(refused)
    assert [folder.name for folder in store.iterdir() if folder.is_dir()] == ["mine"]


def test_the_newest_snapshot_becomes_a_model(store: Path) -> None:
    entry = find_models(store).named("mine")
    assert entry.manifest.metrics["images_seen"] == 3000
    assert entry.manifest.metrics["training_hours"] == pytest.approx(3000 / 0.5 / 3600, abs=0.01)
    assert entry.manifest.licence == "CC0-1.0"
    assert (entry.folder / "weights.safetensors").is_file(), "a model in the store keeps its weights"


def test_sheet_and_card(store: Path) -> None:
    folder = store / "mine"
    with Image.open(folder / "sheet.jpg") as sheet:
        assert sheet.size == (10 * 16, 4 * 16)
    card = (folder / "card.md").read_text()
    for said in (
        "# mine",
        "16x16",
        "nothing: 0 pictures, CC0-1.0",
        "Trained on a test",
        "It shows blots.",
        "| 3,000 |",
    ):
        assert said in card


def test_one_snapshot_to_a_folder(run: Path, tmp_path: Path) -> None:
    snapshot = run / "snapshots" / "faces-000001000.safetensors"
    entry = export_run(snapshot, name="mine", store=tmp_path, out=tmp_path / "to")
    assert entry.folder == tmp_path / "to"
    assert not (entry.folder / "weights.safetensors").exists(), "a bundled model is without weights"
    assert len(list((entry.folder / "spare").glob("*.jpg"))) == 24, "and has faces for when none can be made"
    again = export_run(snapshot, name="mine", store=tmp_path, out=tmp_path / "to")
    assert again.manifest.digest == entry.manifest.digest, "the same network gives the same files"


def test_a_folder_that_is_no_model_is_never_replaced(run: Path, tmp_path: Path) -> None:
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "chapter.txt").write_text("years of work")
    (tmp_path / "store" / "mine").mkdir(parents=True)
    (tmp_path / "store" / "mine" / "notes.txt").write_text("by hand")
    for where in (("--out", thesis), ("--store", tmp_path / "store")):
        refused = invoke("export", run, "--name", "mine", *where).exception
        assert isinstance(refused, ModelRefused)
        assert "is no model, so it is not replaced; choose another folder" in str(refused)
    assert (thesis / "chapter.txt").read_text() == "years of work"
    assert (tmp_path / "store" / "mine" / "notes.txt").read_text() == "by hand"
    (thesis / "chapter.txt").unlink()
    assert invoke("export", run, "--name", "mine", "--out", thesis).exit_code == 0, "an empty folder will do"


def test_a_second_export_takes_the_place_of_the_first_and_says_so(run: Path, tmp_path: Path) -> None:
    older = run / "snapshots" / "faces-000001000.safetensors"
    first = invoke("export", older, "--name", "mine", "--store", tmp_path)
    assert "in place of" not in first.output
    before = find_models(tmp_path).named("mine").manifest.digest
    second = invoke("export", run, "--name", "mine", "--store", tmp_path)
    assert "/mine, in place of the model that was there." in second.output
    assert find_models(tmp_path).named("mine").manifest.digest != before
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_model_stays_where_its_next_export_fails(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = export_run(run, name="mine", store=tmp_path)

    def fail(*_: object) -> None:
        assert (tmp_path / "mine" / "card.md").is_file(), "it is there while the next one is being made"
        raise OSError("no space left")

    monkeypatch.setattr(export_model, "write_card", fail)
    with pytest.raises(OSError, match="no space left"):
        export_run(run / "snapshots" / "faces-000001000.safetensors", name="mine", store=tmp_path)
    assert find_models(tmp_path).named("mine").manifest.digest == entry.manifest.digest
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_what_a_killed_export_left_beside_a_folder_goes_with_the_next(run: Path, tmp_path: Path) -> None:
    (scratch := tmp_path / ".making-to-dead").mkdir()
    (scratch / "lock").touch()
    export_run(run, name="mine", store=tmp_path / "store", out=tmp_path / "to")
    assert [path.name for path in tmp_path.iterdir()] == ["to"]


def test_bad_facts_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    path.write_text('{"origin": "here"}')
    with pytest.raises(ModelRefused, match="licence: Field required"):
        read_facts(path)


@pytest.mark.parametrize("name", ["My Model", "n0.5", "../elsewhere", ""])
def test_a_name_that_is_none_is_refused_before_any_work(run: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelRefused, match="is no model name: small letters"):
        export_run(run, name=name, store=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_run_without_snapshot(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no snapshot yet"):
        export_run(tmp_path, name="mine", store=tmp_path)


def test_noise_is_scaled_in_the_graphs_and_told(run: Path, tmp_path: Path) -> None:
    plain = export_run(run, name="plain", store=tmp_path, options=ExportOptions(noise=0.0))
    assert plain.manifest.metrics["noise"] == 0
    assert "share of the trained noise strength that is in the graphs | 0 |" in (plain.folder / "card.md").read_text()
    weights = load_file(plain.folder / "weights.safetensors")
    strengths = [tensor for name, tensor in weights.items() if name.endswith("noise_strength")]
    assert len(strengths) == 5
    assert all(tensor.item() == 0 for tensor in strengths)


def test_figures_of_another_noise_are_refused(run: Path, tmp_path: Path) -> None:
    (tmp_path / "measured.json").write_text('{"noise": 0.5}')
    with pytest.raises(ModelRefused, match=r"measured with --noise 0\.5; this export has --noise 1\.0"):
        export_run(run, name="mine", store=tmp_path, measured=tmp_path)


@pytest.fixture
def translator(tmp_path: Path) -> Path:
    """A snapshot of another family: weights, and beside them what they are."""
    network, family, kwargs = tiny_network("pix2pix")
    path = tmp_path / "snapshots" / "monet.safetensors"
    path.parent.mkdir()
    save_file(network.state_dict(), path)
    path.with_suffix(".json").write_text(json.dumps({"family": family, "kwargs": kwargs}))
    return path


def test_a_translator_with_each_pictures_own_statistics_and_float16(translator: Path, tmp_path: Path) -> None:
    options = ExportOptions(float16=True, batch_norm="batch")
    entry = export_run(translator, name="monet", store=tmp_path, options=options)
    assert entry.manifest.family == "pix2pix"
    assert entry.manifest.kwargs["evaluation"] == "batch"
    assert set(entry.manifest.graphs) == {"translation", "translation_float16"}
    assert (entry.folder / "sheet.jpg").is_file()
    assert "decibels" in (entry.folder / "card.md").read_text()


def test_a_translator_with_its_title_its_example_and_what_was_measured(translator: Path, tmp_path: Path) -> None:
    measured = tmp_path / "measured"
    measured.mkdir()
    (measured / "measured.json").write_text('{"edge_preservation": 0.75}')
    Image.new("RGB", (30, 20), "gold").save(measured / "painted.jpg")
    Image.new("RGB", (640, 480), "navy").save(tmp_path / "holiday.png")
    facts = tmp_path / "facts.json"
    facts.write_text('{"licence": "CC0-1.0", "origin": "made for a test", "title": "Claude Monet"}')
    options = ExportOptions(example=tmp_path / "holiday.png")
    entry = export_run(translator, name="monet", store=tmp_path, facts_file=facts, measured=measured, options=options)
    assert entry.translator.title == "Claude Monet"
    card = (entry.folder / "card.md").read_text()
    for said in ("(Claude Monet)", "![Photographs and their translations](painted.jpg)", "| 0.75 |"):
        assert said in card
    assert (entry.folder / "painted.jpg").is_file()
    with Image.open(entry.folder / "before.jpg") as before, Image.open(entry.folder / "after.jpg") as after:
        assert before.size == after.size == (320, 240)
        assert np.abs(np.asarray(before).astype(int) - np.array([0, 0, 128])).max() < 10


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (ExportOptions(batch_norm="mine"), "no --batch-norm 'mine'; there are running, batch"),
        (ExportOptions(noise=0.5), "--noise keeps a share of StyleGAN2's noise; this is a pix2pix"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    translator: Path, tmp_path: Path, options: ExportOptions, sentence: str
) -> None:
    with pytest.raises(ModelRefused, match=sentence):
        export_run(translator, name="monet", store=tmp_path, options=options)


def test_a_generator_has_no_batch_norm_to_choose(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="--batch-norm is for translators; this is a stylegan2"):
        export_run(run, name="mine", store=tmp_path, options=ExportOptions(batch_norm="batch"))


@pytest.mark.parametrize("described", [None, "{}", "no JSON"])
def test_a_snapshot_that_nobody_describes(translator: Path, tmp_path: Path, described: str | None) -> None:
    beside = translator.with_suffix(".json")
    beside.unlink() if described is None else beside.write_text(described)
    with pytest.raises(ModelRefused, match=r"what network it is|describes no network"):
        export_run(translator, name="monet", store=tmp_path)
