"""personne directions and personne edit, on a model that came without any."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.config import AppConfig
from app.web import create_app
from jobs.queue import DEFAULT_POLICY
from marks.verify import verify
from models.catalogue import ModelEntry, find_models, open_model
from models.direction_files import save_directions
from models.directions import DirectionsRefused
from models.errors import AttributeOutOfRange, EditRefused, NoSuchAttribute
from models.latents import seed_to_z
from models.live_catalogue import LiveCatalogue
from personne.commands.edit import parse_edits
from personne.commands.name_directions import layer_range
from personne.errors import BadEdits, BadSeeds
from tests.app.conftest import submitter_and_source
from tests.app.service import Painter, serving
from tests.personne.invoking import invoke
from tests.some_directions import some_directions, vector


@pytest.fixture
def store(tiny_model: Path, tmp_path: Path) -> Path:
    shutil.copytree(tiny_model, tmp_path / "store" / "tiny")
    return tmp_path / "store"


def entry_of(store: Path) -> ModelEntry:
    return open_model(store / "tiny", "store")


def run(store: Path, *arguments: str | Path) -> str:
    result = invoke(*arguments, "--store", store)
    assert result.exception is None, result.exception
    return result.output


def refused(store: Path, *arguments: str | Path) -> Exception:
    result = invoke(*arguments, "--store", store)
    assert isinstance(result.exception, Exception), result.output
    return result.exception


def test_a_model_without_labels_gets_directions_by_one_command(store: Path) -> None:
    shelf = LiveCatalogue(store, bundled=store / "nothing")
    submitter, source = submitter_and_source(DEFAULT_POLICY)
    digest = shelf.now.named("tiny").manifest.digest
    app = create_app(AppConfig(default_model="tiny", ready_faces=0), submitter, shelf)
    with Painter(source, (digest,)) as painter, serving(app) as client:
        assert client.get("/v1/attributes").json()["attributes"] == []
        assert client.get("/face?sefa_1=0.5").status_code == 422
        assert "attribute-sefa_1" not in client.get("/").text
        said = run(store, "directions", "find", "tiny", "--samples", "60", "--count", "2", "--device", "cpu")
        assert "ganspace_1" in said
        shelf.look()
        listed = client.get("/v1/attributes").json()["attributes"]
        assert [one["name"] for one in listed] == ["ganspace_1", "ganspace_2", "sefa_1", "sefa_2"]
        assert all(one["minimum"] < 0 < one["maximum"] for one in listed)
        assert client.get("/face?sefa_1=0.5").status_code == 200
        assert painter.done[-1].job.edits == (("sefa_1", 0.5),)
        page = client.get("/").text
        sliders = [
            name for name in ("ganspace_1", "ganspace_2", "sefa_1", "sefa_2") if f'id="attribute-{name}"' in page
        ]
        assert sliders == ["ganspace_1", "ganspace_2", "sefa_1", "sefa_2"]
    with Image.open(store / "tiny" / "directions.jpg") as sheet:
        assert sheet.height == 4 * 32


def test_found_again_only_those_of_the_same_search_are_replaced(store: Path) -> None:
    save_directions(store / "tiny", some_directions())
    find = ("directions", "find", "tiny", "--samples", "60", "--device", "cpu", "--method", "ganspace")
    run(store, *find, "--count", "3")
    run(store, "directions", "rename", "tiny", "ganspace_1", "hat", "--meaning", "from none to a hat")
    run(store, *find, "--count", "1", "--layers", "2-3")
    known = entry_of(store).directions
    assert list(known) == ["smile", "age", "hue", "pose", "hat", "ganspace_1"]
    assert known["hat"].meaning == "from none to a hat"
    assert known["ganspace_1"].layers == (2, 4)
    assert known["hat"].layers is None


@pytest.mark.parametrize(("space", "least"), [("w", 0.6), ("z", 0.8)])  # w is no sphere
def test_a_users_scores_become_a_boundary(store: Path, tmp_path: Path, space: str, least: float) -> None:
    truth, scored = vector(11)[0], tmp_path / "scores.csv"
    with scored.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["seed", "hatness"])
        for seed in range(300):
            writer.writerow([seed, float(latent(store, seed, space) @ truth)])
    arguments = ("--method", "interfacegan", "--samples", "50", "--scores", scored, "--space", space, "--share", "0.3")
    run(store, "directions", "find", "tiny", *arguments, "--device", "cpu")
    found = entry_of(store).directions["hatness"]
    assert found.vector[0] @ truth > least
    assert (found.space, found.method) == (space, "interfacegan")
    assert found.accuracy is not None
    assert found.accuracy > 0.85
    assert "of 300 faces" in found.measure


def latent(store: Path, seed: int, space: str) -> np.ndarray:
    z = seed_to_z(seed, 32)
    if space == "z":
        return z[0]
    from models.engines.onnx_engine import OnnxEngine

    engine = OnnxEngine(store / "tiny" / "mapping.onnx", device="cpu")
    try:
        ws: np.ndarray = engine.run({"z": z, "psi": np.ones([1, 8], np.float32)})["ws"]
        return ws[0, 0]
    finally:
        engine.close()


def test_scores_by_our_estimators_and_what_they_move(store: Path) -> None:
    find = ("directions", "find", "tiny", "--method", "interfacegan", "--samples", "200", "--device", "cpu")
    run(store, *find, "--only", "background", "--only", "pose")
    known = entry_of(store).directions
    assert list(known) == ["pose", "background"]
    run(store, "directions", "condition", "tiny", "pose", "--on", "background", "--device", "cpu")
    known = entry_of(store).directions
    assert known["pose"].vector.shape == (1, 32)
    assert known["pose"].measure.endswith("; without background")
    assert abs(float((known["pose"].vector * known["background"].vector).sum())) < 1e-4, "put out of its way"
    said = run(store, "directions", "measure", "tiny", "--faces", "8", "--device", "cpu")
    assert "background:" in said
    card = (store / "tiny" / "card.md").read_text()
    assert card.count("## What can be moved") == 1
    run(store, "directions", "measure", "tiny", "--faces", "8", "--device", "cpu")
    assert (store / "tiny" / "card.md").read_text() == card, "the older table is replaced"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name,hat\na,1\n", "needs a column 'seed'"),
        ("seed\n1\n", "one for each attribute"),
        ("seed,hat\n", "has no line of scores"),
        ("seed,hat\n1,big\n", "line 2: could not convert string to float: 'big'"),
        ("seed,hat\n-1,2\n", "line 2: a seed is from 0"),
        ("seed,hat\n1,nan\n", "a score is finite"),
        ("seed,hat\n1,2\n2,3\n", "2 scored latents are too few"),
    ],
)
def test_scores_that_cannot_be_used(store: Path, tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "scores.csv").write_text(text)
    arguments = ("--method", "interfacegan", "--samples", "50", "--scores", tmp_path / "scores.csv")
    assert sentence in str(refused(store, "directions", "find", "tiny", *arguments, "--device", "cpu"))
    assert not entry_of(store).directions


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--method", "magic"), "There is no method 'magic'; there are: ganspace, sefa, interfacegan"),
        (("--layers", "5-2"), "'5-2' is no range of layers"),
        (("--method", "ganspace", "--count", "40"), "fewer than 40 components"),
        (("--space", "v"), "'v' is no space"),
    ],
)
def test_searches_that_are_none(store: Path, arguments: tuple[str, ...], sentence: str) -> None:
    assert sentence in str(refused(store, "directions", "find", "tiny", "--samples", "50", *arguments))


def test_published_boundaries_are_imported(store: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "age.npy", vector(1) * 3)
    np.save(tmp_path / "by_layer.npy", vector(2, rows=8))
    run(store, "directions", "import", "tiny", tmp_path / "age.npy", "--as", "age", "--low", "-2", "--high", "4")
    run(store, "directions", "import", "tiny", tmp_path / "by_layer.npy", "--as", "glasses")
    known = entry_of(store).directions
    assert [(one.name, one.low, one.high, one.vector.shape) for one in known.values()] == [
        ("age", -2, 4, (1, 32)),
        ("glasses", -3, 3, (8, 32)),
    ]
    for name, error in (("size", "is a parameter"), ("Age", "no attribute's name")):
        found = refused(store, "directions", "import", "tiny", tmp_path / "age.npy", "--as", name)
        assert isinstance(found, DirectionsRefused)
        assert error in str(found)
    np.save(tmp_path / "large.npy", np.ones([18, 512]))
    assert "this one has (18, 512)" in str(
        refused(store, "directions", "import", "tiny", tmp_path / "large.npy", "--as", "a")
    )


def test_arithmetic_turns_one_face_by_the_difference_of_two(store: Path) -> None:
    run(store, "directions", "examples", "tiny", "--as", "odd", "--plus", "1,3", "--minus", "2", "--device", "cpu")
    found = entry_of(store).directions["odd"]
    wanted = (latent(store, 1, "w") + latent(store, 3, "w")) / 2 - latent(store, 2, "w")
    np.testing.assert_allclose(found.unit * found.vector[0], wanted, atol=1e-4)
    assert found.method == "arithmetic"
    bad = ("directions", "examples", "tiny", "--as", "odd", "--plus", "a", "--minus", "2", "--device", "cpu")
    assert isinstance(refused(store, *bad), BadSeeds)


def test_names_are_given_turned_round_and_taken_away(store: Path) -> None:
    save_directions(store / "tiny", some_directions())
    run(store, "directions", "rename", "tiny", "smile", "frown", "--flip", "--high", "1.5")
    found = entry_of(store).directions["frown"]
    np.testing.assert_array_equal(found.vector, -vector(1))
    assert (found.low, found.high) == (-3, 1.5)
    run(store, "directions", "remove", "tiny", "frown", "hue")
    assert list(entry_of(store).directions) == ["age", "pose"]
    assert "age" in run(store, "directions", "list", "tiny")
    run(store, "directions", "remove", "tiny", "age", "pose")
    assert "no directions" in run(store, "directions", "list", "tiny")
    assert isinstance(refused(store, "directions", "remove", "tiny", "age"), NoSuchAttribute)


@pytest.mark.parametrize("name", ["facts", "file", "elements", "expires"])
def test_a_name_with_another_meaning_is_refused_and_costs_no_direction(store: Path, name: str) -> None:
    """`facts` took the place of its own vector's description: every direction of the model was lost."""
    save_directions(store / "tiny", some_directions())
    assert "choose another name" in str(refused(store, "directions", "rename", "tiny", "smile", name))
    assert list(entry_of(store).directions) == ["smile", "age", "hue", "pose"]


def test_a_damaged_file_is_told_and_stops_nothing(store: Path) -> None:
    save_directions(store / "tiny", some_directions())
    (store / "tiny" / "directions.npz").write_bytes(b"broken")
    said = run(store, "models")
    assert "tiny" in said
    assert "without directions" in said
    assert list(find_models(store, bundled=store / "nothing").named("tiny").directions) == []


def test_faces_are_edited_into_files(store: Path, tmp_path: Path) -> None:
    save_directions(store / "tiny", some_directions())
    edit = ("edit", "--seeds", "3-5", "--model", "tiny", "--device", "cpu")
    run(store, *edit, "--set", "smile=2", "--set", "age=-1", "--keep", "hue", "--out", tmp_path / "edited")
    run(store, "sample", "--seeds", "3-5", "--model", "tiny", "--device", "cpu", "--out", tmp_path / "plain")
    for seed in (3, 4, 5):
        edited, plain = (np.asarray(Image.open(tmp_path / f / f"{seed}.png")).astype(int) for f in ("edited", "plain"))
        assert np.abs(edited - plain).max() > 4
    recipe = verify((tmp_path / "edited" / "3.png").read_bytes()).recipe
    assert recipe is not None
    pinned = entry_of(store).directions.digest
    told = {"smile": 2.0, "age": -1.0, "keep": "hue", "directions": pinned}
    assert {name: recipe.parameters[name] for name in told} == told
    run(store, *edit, "--set", "smile=2", "--out", tmp_path / "sheet.png", "--grid")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (320, 32)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--set", "smlie=1"), NoSuchAttribute),
        (("--set", "smile=9"), AttributeOutOfRange),
        (("--set", "smile"), BadEdits),
        (("--set", "smile=much"), BadEdits),
        (("--set", "smile=1", "--set", "smile=2"), BadEdits),
        (("--set", "smile=1", "--keep", "smile"), EditRefused),
    ],
)
def test_edits_that_are_refused(
    store: Path, tmp_path: Path, arguments: tuple[str, ...], error: type[Exception]
) -> None:
    save_directions(store / "tiny", some_directions())
    found = refused(store, "edit", "--seeds", "1", "--model", "tiny", "--out", tmp_path / "out", *arguments)
    assert isinstance(found, error)
    assert not (tmp_path / "out").exists()


def test_edits_as_they_are_typed() -> None:
    assert parse_edits(["smile=1.5", "age=-2"]) == {"smile": 1.5, "age": -2.0}


def test_layers_as_they_are_typed() -> None:
    assert (layer_range("2-5"), layer_range("3"), layer_range(None)) == ((2, 6), (3, 4), None)
