"""`personne serve` as a process: what the README promises of `make serve`."""

import io
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.personne.processes import ADDRESS, Process, personne, ready


@pytest.fixture(scope="module")
def service(served: dict[str, str]) -> Iterator[tuple[str, Process]]:
    with personne("serve", "--port", "0", env=served) as process:
        address = process.wait_for(ADDRESS)[1]
        ready(address)
        yield address, process


@pytest.fixture
def client(service: tuple[str, Process]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service[0], timeout=60) as client:
        yield client


def pixels(response: httpx.Response) -> np.ndarray:
    assert response.status_code == 200, response.text
    return np.asarray(Image.open(io.BytesIO(response.content)))


def test_a_refresh_is_another_face(client: httpx.Client, side: int) -> None:
    first, second = client.get("/face"), client.get("/face")
    assert pixels(first).shape == pixels(second).shape == (side, side, 3)
    assert first.headers["personne-seed"] != second.headers["personne-seed"]
    assert not np.array_equal(pixels(first), pixels(second))
    assert pixels(first).std() > 5, "a picture, not a blank"


def test_a_seed_is_a_face_for_ever(client: httpx.Client) -> None:
    first, second = (pixels(client.get("/v1/faces/7.png")) for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, pixels(client.get("/v1/faces/8.png")))


def test_many_at_once_all_succeed_with_different_faces(client: httpx.Client) -> None:
    def ask(_: int) -> httpx.Response:
        return client.get("/face?format=png")

    with ThreadPoolExecutor(64) as crowd:
        answers = list(crowd.map(ask, range(64)))
    assert [answer.status_code for answer in answers] == [200] * 64
    assert len({answer.headers["personne-seed"] for answer in answers}) == 64
    assert len({answer.content for answer in answers}) == 64


def test_the_page_is_served_and_nobody_says_who_serves_it(client: httpx.Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "server" not in page.headers


def test_it_says_one_clear_line_and_logs_no_requests(client: httpx.Client, service: tuple[str, Process]) -> None:
    client.get("/face")
    address, process = service
    assert len([line for line in process.lines if address in line]) == 1
    assert "GET" not in process.said
    assert "WARNING" not in process.said


def test_a_busy_port_is_refused_with_a_sentence(served: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = str(holder.getsockname()[1])
        with personne("serve", "--port", port, env=served) as process:
            assert process.popen.wait(30) == 2
            said = process.wait_for(re.compile("personne: .*"))[0]
    assert said == (
        f"personne: Cannot listen on 127.0.0.1 port {port}: address already in use. "
        "Choose another with --port, or stop what holds it."
    )
    assert "Traceback" not in process.said


def test_it_stops_when_asked_with_requests_in_hand(served: dict[str, str]) -> None:
    with personne("serve", "--port", "0", "--ready-faces", "0", env=served) as process:
        address = process.wait_for(ADDRESS)[1]
        ready(address)
        with ThreadPoolExecutor(8) as crowd:
            asked = [crowd.submit(httpx.get, f"{address}/v1/faces/{seed}.png", timeout=30) for seed in range(8)]
            asked[0].result()
            took_s = process.stop()
            answers = []
            for one in asked:
                try:
                    answers.append(one.result().status_code)
                except httpx.TransportError:
                    answers.append(0)  # had not been let in yet
    assert process.popen.returncode == 0
    assert took_s < 30
    assert set(answers) <= {0, 200}
    assert "Traceback" not in process.said


def test_an_unknown_model_ends_in_a_sentence(served: dict[str, str]) -> None:
    with personne("serve", "--port", "0", env=served | {"PERSONNE_DEFAULT_MODEL": "nobody"}) as process:
        assert process.popen.wait(30) == 2
        assert process.wait_for(re.compile("personne: There is no model 'nobody' here"))
    assert "Traceback" not in process.said
