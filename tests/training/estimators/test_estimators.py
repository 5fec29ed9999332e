"""Estimators learn what portraits show, on a data set of little drawn faces with labels."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.engines.onnx_engine import OnnxEngine
from models.estimates import BUNDLED_ESTIMATORS, ESTIMATES, GRAPH_FILE, REPORT_FILE, SIDE
from personne.commands.train_estimators import train_estimators, write_estimators
from training.errors import DatasetError
from training.estimators.accuracy import accuracy_of
from training.estimators.labels import GLASSES_BEARDS, GROUPS, LEARNT, SMILES, age_of, load_portraits, mirrored
from training.estimators.loop import EstimatorConfig
from training.estimators.loop import train_estimators as train_networks
from training.estimators.network import Estimator, Estimators

FACES = Path(__file__).parents[4] / "shared" / "data" / "faces"
COUNT = 120


@pytest.fixture(autouse=True)
def denormals_as_before() -> Iterator[None]:
    """Training switches them off for the whole process, and other tests want them."""
    yield
    torch.set_flush_denormal(False)


def seen_by_eye(path: Path) -> dict[str, dict[str, str]]:
    with path.open() as file:
        return {row.pop("file"): row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Grey faces: a bright left half is a man's, the height of a bar the age, its place the pose; others are listed."""
    folder = tmp_path_factory.mktemp("portraits") / "128"
    folder.mkdir()
    random = np.random.default_rng(0)
    seen = [seen_by_eye(SMILES), seen_by_eye(GLASSES_BEARDS)]
    listed = [(name, row | seen[1][name]) for name, row in seen[0].items() if name in seen[1]]
    bearded, others = ([pair for pair in listed if pair[1]["beard"] == told] for told in "10")
    rows = []
    for number in range(COUNT):
        name, row = (bearded, others)[number % 3 > 0].pop()
        is_man, age, yaw = random.random() < 0.5, int(random.integers(30, 80)), float(random.uniform(-0.2, 0.2))
        picture = np.full((128, 128, 3), 90, np.uint8)
        picture[:, :40] = 200 if is_man else 30
        picture[128 - age :, 60 + int(yaw * 150) :][:, :12] = 255
        picture[90:110, 96:] = 250 if row["smile"] == "1" else 0
        picture[40:60, 96:] = 250 if row["glasses"] == "1" else 0
        picture[64:84, 96:] = 250 if row["beard"] == "1" else 0
        Image.fromarray(picture).save(folder / name)
        rows.append(
            {
                "file": name,
                "split": "test" if number % 4 == 0 else "train",
                "gender": "M" if is_man else "F",
                "birth_year": str(1999 - age),
                "last_congress": "106",
                "yaw": f"{yaw:.3f}",
            }
        )
    with (folder.parent / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def test_labels_are_read(drawn: Path) -> None:
    portraits = load_portraits(drawn, "train")
    assert portraits.pictures.shape == (COUNT * 3 // 4, 3, SIDE, SIDE)
    names = [one.name for one in LEARNT]
    assert set(portraits.labels[:, names.index("gender")]) == {0.0, 1.0}
    assert 30 <= portraits.labels[:, names.index("age")].min() <= 79
    turned = mirrored(portraits.labels)
    pose = names.index("pose")
    np.testing.assert_array_equal(turned[:, pose], -portraits.labels[:, pose])
    np.testing.assert_array_equal(np.delete(turned, pose, 1), np.delete(portraits.labels, pose, 1))


def test_the_age_is_that_of_the_last_congress() -> None:
    assert age_of({"birth_year": "1950", "last_congress": "106"}) == 49, "the 106th began in 1999"
    assert age_of({"birth_year": "1950", "last_congress": ""}) is None
    assert age_of({"birth_year": "", "last_congress": "106"}) is None


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    with pytest.raises(DatasetError, match=r"index.csv is missing: estimators need its labels"):
        load_portraits(tmp_path / "pictures", "train")


def test_what_is_the_same_of_all_cannot_be_learnt(drawn: Path) -> None:
    portraits = load_portraits(drawn, "train")
    portraits.labels[:, 0] = 1.0
    with pytest.raises(DatasetError, match="nothing is known of gender in these portraits, or the same of all"):
        train_networks(portraits, EstimatorConfig(drawn, epochs=1), lambda *_: None)


def test_estimators_learn(drawn: Path, tmp_path: Path) -> None:
    train_estimators(EstimatorConfig(drawn, epochs=20, batch=32), tmp_path)
    report = json.loads((tmp_path / REPORT_FILE).read_text())["accuracy"]
    for name in ("gender", "glasses", "beard"):
        assert report[name]["all"]["balanced"] > 0.85, name
    assert report["age"]["all"]["correlation"] > 0.5
    assert report["gender"]["women"].keys() == {"count", "no"}


def test_the_graph_says_what_the_networks_say(drawn: Path, tmp_path: Path) -> None:
    unseen = load_portraits(drawn, "test")
    torch.manual_seed(0)
    networks = Estimators([Estimator(len(group)) for group in GROUPS]).eval()
    write_estimators(networks, accuracy_of(networks, unseen), tmp_path)
    engine = OnnxEngine(tmp_path / GRAPH_FILE, device="cpu")
    scores = engine.run({"picture": unseen.pictures.transpose(0, 2, 3, 1)})["scores"]
    engine.close()
    assert scores.shape == (len(unseen), len(ESTIMATES))
    with torch.no_grad():
        learnt = networks(torch.from_numpy(unseen.pictures).float() / 127.5 - 1).numpy()
    np.testing.assert_allclose(scores[:, : len(LEARNT)], learnt, atol=0.02 * np.abs(learnt).max())


def test_brightness_is_computed() -> None:
    engine = OnnxEngine(BUNDLED_ESTIMATORS / GRAPH_FILE, device="cpu")
    picture = np.zeros((1, SIDE, SIDE, 3), np.uint8)
    picture[:, :20, :7] = 255
    picture[:, 34:40] = 255
    scores = engine.run({"picture": picture})["scores"][0].tolist()
    engine.close()
    told = dict(zip([one.name for one in ESTIMATES], scores, strict=True))
    assert told["background"] == pytest.approx(0.5, abs=1e-3), "one corner of two is white"
    assert told["brightness"] == pytest.approx(0.5, abs=1e-3), "half of the cheeks"
    assert told["hair"] == pytest.approx(0, abs=1e-3)


@pytest.mark.skipif(not FACES.is_dir(), reason="the portraits are not here")
def test_the_shipped_estimators_know_people_they_never_saw() -> None:
    unseen = load_portraits(FACES / "128", "test")
    engine = OnnxEngine(BUNDLED_ESTIMATORS / GRAPH_FILE, device="cpu")
    pictures = unseen.pictures.transpose(0, 2, 3, 1)
    scores = np.concatenate(
        [engine.run({"picture": pictures[i : i + 8]})["scores"] for i in range(0, len(pictures), 8)]
    )
    engine.close()
    columns = {one.name: (scores[:, k], unseen.labels[:, k]) for k, one in enumerate(LEARNT)}
    for name in ("gender", "smile", "glasses"):
        said, wanted = columns[name]
        recalls = [((said > 0) == bool(side))[wanted == side].mean() for side in (0.0, 1.0)]
        assert np.mean(recalls) > 0.8, name
    for name, least in (("pose", 0.9), ("age", 0.5)):
        said, wanted = columns[name]
        known = ~np.isnan(wanted)
        assert np.corrcoef(said[known], wanted[known])[0, 1] > least, name
    assert (BUNDLED_ESTIMATORS / GRAPH_FILE).stat().st_size < 800_000
