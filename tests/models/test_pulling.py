"""Downloads against a real server that breaks off, forgets, changes its mind and lies."""

import hashlib
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from models.pulling import (
    DownloadFailed,
    NotPublished,
    PublishedModel,
    downloading,
    published,
    published_models,
)
from models.store import model_name
from tests.models.file_server import ServedFile, serving

CONTENT = np.random.default_rng(1).bytes(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def row(url: str, size: int | None = None, sha256: str | None = None) -> PublishedModel:
    return PublishedModel("thing", "A thing", url, "CC0-1.0", "https://example.org/licence", size, sha256)


def nobody_else() -> None:
    pytest.fail("nobody else downloads it")


def fetch_from(url: str, folder: Path, wait: Callable[[], None] = nobody_else) -> Path:
    with downloading(row(url), folder, wait) as download:
        return download(lambda *_: None)


def fetch(file: ServedFile, folder: Path, **stated: object) -> tuple[Path, list[tuple[int, int | None]]]:
    reported: list[tuple[int, int | None]] = []
    with serving(file) as url:
        thing = row(url, **stated)  # type: ignore[arg-type]
        with downloading(thing, folder, nobody_else) as download:
            path = download(lambda had, total: reported.append((had, total)))
    return path, reported


def test_a_download_arrives_whole_and_reports(tmp_path: Path) -> None:
    path, reported = fetch(ServedFile(CONTENT), tmp_path, size=len(CONTENT), sha256=SHA256)
    assert path == tmp_path / "thing.pth"
    assert path.read_bytes() == CONTENT
    assert reported[0] == (0, len(CONTENT))
    assert reported[-1] == (len(CONTENT), len(CONTENT))
    assert [path.name for path in tmp_path.iterdir()] == ["thing.pth"], "no .part is left"


def test_a_cut_connection_is_resumed(tmp_path: Path) -> None:
    file = ServedFile(CONTENT, cut_after=[1_000_000, 500_000])
    path, _ = fetch(file, tmp_path, sha256=SHA256)
    assert path.read_bytes() == CONTENT
    assert file.requests == [None, "bytes=1000000-", "bytes=1500000-"]


def test_the_next_command_goes_on_where_the_last_one_died(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match=r"broke off after 700,000 bytes: .*The same command goes on"):
        fetch(ServedFile(CONTENT, cut_after=[700_000, *[0] * 20]), tmp_path)
    assert (tmp_path / "thing.pth.part").stat().st_size == 700_000
    file = ServedFile(CONTENT)
    assert fetch(file, tmp_path, sha256=SHA256)[0].read_bytes() == CONTENT
    assert file.requests == ["bytes=700000-"]


def test_a_server_without_ranges_sends_it_all_again(tmp_path: Path) -> None:
    file = ServedFile(CONTENT, ranges=False, cut_after=[700_000])
    assert fetch(file, tmp_path)[0].read_bytes() == CONTENT
    assert len(file.requests) == 2


def test_without_a_version_nothing_is_resumed(tmp_path: Path) -> None:
    file = ServedFile(CONTENT, etag=False, cut_after=[700_000])
    assert fetch(file, tmp_path)[0].read_bytes() == CONTENT
    assert file.requests == [None, None], "the rest of a file that may have changed is of no use"


def test_a_file_that_changed_in_between_starts_anew(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed):
        fetch(ServedFile(CONTENT, cut_after=[700_000, *[0] * 20]), tmp_path)
    other = CONTENT[::-1]
    assert fetch(ServedFile(other), tmp_path)[0].read_bytes() == other


def test_nothing_was_missing(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed):
        fetch(ServedFile(CONTENT, cut_after=[len(CONTENT) - 1, *[0] * 20]), tmp_path)
    with (tmp_path / "thing.pth.part").open("ab") as part:
        part.write(CONTENT[-1:])
    assert fetch(ServedFile(CONTENT), tmp_path, sha256=SHA256)[0].read_bytes() == CONTENT


def test_a_download_that_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "thing.pth").write_bytes(CONTENT)
    file = ServedFile(CONTENT)
    fetch(file, tmp_path, sha256=SHA256)
    assert file.requests == []


def test_of_two_at_once_the_second_waits_and_takes_what_the_first_has_fetched(tmp_path: Path) -> None:
    file, waiting = ServedFile(CONTENT), threading.Event()
    with serving(file) as url, ThreadPoolExecutor(1) as pool:
        with downloading(row(url), tmp_path, nobody_else) as download:
            second = pool.submit(fetch_from, url, tmp_path, waiting.set)
            assert waiting.wait(30)
            assert not second.done()
            download(lambda *_: None)
        assert second.result(30).read_bytes() == CONTENT
    assert file.requests == [None]
    assert [path.name for path in tmp_path.iterdir()] == ["thing.pth"], "no lock is left"


def test_many_at_once_take_turns(tmp_path: Path) -> None:
    """Each deletes the file that the others wait for."""
    inside: list[int] = []

    def take_a_turn(_: int) -> int:
        with downloading(row("http://localhost/weights.pth"), tmp_path, lambda: None):
            inside.append(1)
            time.sleep(0.005)
            now = len(inside)
            inside.pop()
            return now

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(take_a_turn, range(80))) == {1}


def test_the_lock_of_a_dead_process_keeps_nobody_out(tmp_path: Path) -> None:
    (tmp_path / "thing.pth.lock").touch()
    assert fetch(ServedFile(CONTENT), tmp_path)[0].read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["thing.pth"]


@pytest.mark.parametrize("status", [404, 410])
def test_an_address_that_is_gone(tmp_path: Path, status: int) -> None:
    with pytest.raises(DownloadFailed, match=rf"no longer there \(HTTP {status}\).*personne import"):
        fetch(ServedFile(CONTENT, status=status), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_server_in_trouble(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="HTTP 503; try again later"):
        fetch(ServedFile(CONTENT, status=503), tmp_path)


def test_nobody_listens(tmp_path: Path) -> None:
    with serving(ServedFile(b"")) as url:
        pass
    with pytest.raises(DownloadFailed, match="broke off after 0 bytes"):
        fetch_from(url, tmp_path)


def test_a_wrong_checksum_deletes_the_file(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match=rf"wrong checksum: {SHA256[:12]}… instead of 000000000000"):
        fetch(ServedFile(CONTENT), tmp_path, sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_size_deletes_the_file(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="its publisher states 17"):
        fetch(ServedFile(CONTENT), tmp_path, size=17)
    assert not (tmp_path / "thing.pth").exists()


def test_the_table() -> None:
    rows = published_models()
    assert len(rows) >= 30
    for name in ("stylegan2-ffhq", "stylegan3-r-afhqv2", "stylegan2-metfaces", "style_monet", "winter2summer_yosemite"):
        assert name in rows
    for name, model in rows.items():
        assert model_name(name) == name, "a name of the table is a model's name"
        assert re.fullmatch(r"https?://\S+\.(pkl|pth)", model.url)
        assert model.licence
        assert model.licence_url.startswith("https://")
    assert len({model.url for model in rows.values()}) == len(rows)


def test_a_name_that_is_not_in_the_table() -> None:
    with pytest.raises(NotPublished, match=r"no published checkpoint 'nothing' .*style_monet"):
        published("nothing")
