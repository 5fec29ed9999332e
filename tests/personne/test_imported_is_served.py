"""personne import beside a running personne serve: within seconds the service draws the published pictures."""

import io
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from models.catalogue import find_models
from models.networks.architectures import build
from models.transforms import make_transform
from tests.personne.invoking import invoke
from tests.personne.processes import ADDRESS, personne, ready
from tests.personne.published import (
    Case,
    Pictures,
    as_bytes,
    as_genforce,
    as_nvlabs_pickle,
    as_rosinality,
    assert_draws_as_published,
    read_case,
)

WITHIN_S = 20.0


@dataclass(frozen=True)
class Row:
    """A case, its file, and which query of which seed gives which published picture.

    The cases' first z is that of `numpy.random.RandomState(seed).randn(1, z_dim)`, as seeds are here.
    """

    case: str
    family: str
    seed: int
    write: Callable[[Case, Path], Path]
    published: dict[str, str]


ROWS = (
    Row("stylegan2_32", "stylegan2", 11, as_nvlabs_pickle, {"truncation_psi=1": "img_0"}),
    Row(
        "stylegan2_conditional_16",
        "stylegan2",
        12,
        as_nvlabs_pickle,
        {"class=0&truncation_psi=1": "img_0", "class=0&truncation_psi=0.7": "img_1"},
    ),
    Row(
        "stylegan3_t_32",
        "stylegan3",
        21,
        as_nvlabs_pickle,
        {"truncation_psi=1": "img_0", "truncation_psi=0.6": "img_1"},
    ),
    Row(
        "stylegan3_r_32",
        "stylegan3",
        22,
        as_nvlabs_pickle,
        {"truncation_psi=1": "img_0", "truncation_psi=0.6": "img_1"},
    ),
    Row(
        "stylegan2_rosinality_32",
        "stylegan2",
        51,
        as_rosinality,
        {"truncation_psi=1": "img_psi1", "truncation_psi=0.6": "img_psi06"},
    ),
    Row("stylegan1_32", "stylegan1", 41, as_genforce, {"truncation_psi=0.7": "img"}),
    Row("pggan_32", "pggan", 42, as_genforce, {"": "img"}),
)


@dataclass(frozen=True)
class Running:
    """A running `personne serve` and its store."""

    client: httpx.Client
    store: Path


@pytest.fixture(scope="module")
def service(served: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    store = tmp_path_factory.mktemp("store") / "models"
    shutil.copytree(served["PERSONNE_STORE"], store)
    # Without marks: a watermark is worth a few levels.
    settings = {**served, "PERSONNE_STORE": str(store), "PERSONNE_MARKS": "", "PERSONNE_REQUEST_TIMEOUT_S": "120"}
    with personne("serve", "--port", "0", "--ready-faces", "0", env=settings) as process:
        address = process.wait_for(ADDRESS)[1]
        ready(address)
        with httpx.Client(base_url=address, timeout=150) as client:
            yield Running(client, store)


def until_status(client: httpx.Client, address: str, status: int) -> httpx.Response:
    ends = time.monotonic() + WITHIN_S
    while (reply := client.get(address)).status_code != status:
        assert time.monotonic() < ends, reply.text
        time.sleep(0.2)
    return reply


def until_warm(client: httpx.Client, name: str) -> dict[str, Any]:
    """What /v1/models says of the model when a heartbeat has told that it is open."""
    ends = time.monotonic() + WITHIN_S
    while True:
        (listed,) = (model for model in client.get("/v1/models").json()["models"] if model["name"] == name)
        if listed["workers"][0]["warm"]:
            return dict(listed)
        assert time.monotonic() < ends, listed
        time.sleep(0.2)


def picture(reply: httpx.Response) -> Pictures:
    assert reply.status_code == 200, reply.text
    return np.asarray(Image.open(io.BytesIO(reply.content)))[None]


def assert_published(found: Pictures, published: Pictures) -> None:
    assert found.shape == published.shape
    assert published.std() > 5, "a picture, not a plane"
    assert np.abs(found.astype(int) - published.astype(int)).max() <= 1


def turned(case: Case, family: str, *, rotate: float, across: float, down: float) -> Tensor:
    """What the network, which agrees with the published one, draws of its first z when it is moved."""
    network = build(family, case.description["init_kwargs"], case.weights)
    transform_N33 = torch.from_numpy(make_transform(across, down, rotate))[None]
    with torch.no_grad():
        return network.synthesis(network.mapping(case.tensors["z"][:1]), transform_N33)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.case)
def test_what_is_imported_beside_a_running_service_is_drawn_as_published(
    service: Running, row: Row, tmp_path: Path
) -> None:
    case, name = read_case(row.case), row.case.replace("_", "-")
    client, address = service.client, f"/v1/faces/{row.seed}.png?model={name}"
    z_Z = case.tensors["z"][0].numpy()
    assert np.allclose(np.random.RandomState(row.seed).randn(len(z_Z)), z_Z, atol=1e-6)
    assert client.get(f"/face?model={name}").status_code == 404
    result = invoke("import", row.write(case, tmp_path), "--name", name, "--store", service.store)
    assert result.exit_code == 0, f"{result.output} {result.exception}"
    until_status(client, address, 200)
    for query, expected in row.published.items():
        found = picture(client.get(f"{address}&{query}"))
        assert_published(found, as_bytes(case.tensors[expected][:1]))
    listed = until_warm(client, name)
    assert (listed["family"], listed["licence"]) == (row.family, "unknown: ask its author")
    if listed["can"]["transform"]:
        moved = picture(client.get(f"{address}&truncation_psi=1&rotate=25&translate_x=0.1&translate_y=-0.05"))
        assert_published(moved, as_bytes(turned(case, listed["family"], rotate=25, across=0.1, down=-0.05)))
    entry = find_models(service.store).named(name)
    assert {"sheet.jpg", "card.md", "weights.safetensors"} <= {file.name for file in entry.folder.iterdir()}
    assert_draws_as_published(entry, case)
    shutil.rmtree(service.store / name)
    assert until_status(client, f"/face?model={name}", 404).json()["type"] == "/problems/model-not-found"
    assert client.get("/face").status_code == 200, "the others are served as before"


def test_directions_found_beside_a_running_service_are_sliders_there(service: Running, tmp_path: Path) -> None:
    client, store, name = service.client, service.store, "unlabelled"
    file = as_nvlabs_pickle(read_case("stylegan2_32"), tmp_path)
    assert invoke("import", file, "--name", name, "--store", store).exit_code == 0
    until_status(client, f"/v1/faces/1.png?model={name}", 200)
    plain = client.get(f"/v1/faces/1.png?model={name}")
    assert client.get(f"/v1/attributes?model={name}").json()["attributes"] == []
    find = ("directions", "find", name, "--samples", "60", "--count", "1", "--device", "cpu", "--store", store)
    assert invoke(*find).exit_code == 0
    moved = until_status(client, f"/v1/faces/1.png?model={name}&ganspace_1=2&sefa_1=1", 200)
    assert moved.content != plain.content
    known = [each["name"] for each in client.get(f"/v1/attributes?model={name}").json()["attributes"]]
    assert known == ["ganspace_1", "sefa_1"]
    page = client.get(f"/?model={name}").text
    assert all(f'id="attribute-{each}"' in page for each in known)
    shutil.rmtree(store / name)
