"""Published checkpoints by name, and their download: resumed where it broke off, checked where a checksum is known."""

import contextlib
import fcntl
import hashlib
import json
import os
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import httpx

from models.errors import ModelsError

TABLE = Path(__file__).with_name("published.toml")
TIMEOUT_S = 30.0
ATTEMPTS = 5
"""How often a download that made progress is taken up again before the command gives up."""

Report = Callable[[int, int | None], None]
"""Called with bytes had and, where the server says so, bytes in all."""


class DownloadFailed(ModelsError):
    """A published checkpoint cannot be fetched."""


class NotPublished(ModelsError):
    """No checkpoint of that name is in the table."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"There is no published checkpoint {name!r} in the table; known are: {', '.join(known)}.")


@dataclass(frozen=True)
class PublishedModel:
    """A row of the table. bytes and sha256: as its publisher states them, None where he does not.

    kind: what `personne import --kind` would be told. licence_url: where its text stands.
    """

    name: str
    title: str
    url: str
    licence: str
    licence_url: str
    bytes: int | None = None
    sha256: str | None = None
    kind: str | None = None

    @property
    def file_name(self) -> str:
        """Of the download: the row's name and the ending of the address."""
        return f"{self.name}{Path(urlsplit(self.url).path).suffix}"


def published_models(table: Path = TABLE) -> dict[str, PublishedModel]:
    """Every row by name, in the table's order."""
    sources = tomllib.loads(table.read_text(encoding="utf-8"))["source"]
    rows = [
        PublishedModel(
            name=row["name"],
            title=row["title"],
            url=source["base"] + row["file"],
            licence=source["licence"],
            licence_url=source["licence_url"],
            bytes=row.get("bytes"),
            sha256=row.get("sha256"),
            kind=source.get("kind"),
        )
        for source in sources
        for row in source["model"]
    ]
    return {row.name: row for row in rows}


def published(name: str) -> PublishedModel:
    """Raises NotPublished."""
    rows = published_models()
    if name not in rows:
        raise NotPublished(name, list(rows))
    return rows[name]


@contextlib.contextmanager
def downloading(model: PublishedModel, folder: Path, wait: Callable[[], None]) -> Iterator[Callable[[Report], Path]]:
    """What downloads the checkpoint into `folder`, while no other process may do anything with this file.

    wait: called before waiting for one that does. Two that append to one .part would make a file of the right size and
    wrong bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder / f"{model.file_name}.lock", wait):
        yield partial(_download, model, folder)


@contextlib.contextmanager
def _alone(path: Path, wait: Callable[[], None]) -> Iterator[None]:
    while True:
        with path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                wait()
                fcntl.flock(lock, fcntl.LOCK_EX)
            # Whoever held it has deleted it since, and then it keeps nobody else out.
            if not _is_at(lock, path):
                continue
            try:
                yield
            finally:
                path.unlink()
            return


def _is_at(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _download(model: PublishedModel, folder: Path, report: Report) -> Path:
    """The checkpoint's file in `folder`, fetched if it is not there yet.

    What was fetched stays in a .part file when the connection breaks, and the next call goes on from there if the
    server has the same file still. Raises DownloadFailed with a sentence that says what to do.
    """
    path = folder / model.file_name
    if not path.exists():
        part = _Part(path.with_name(f"{path.name}.part"))
        with httpx.Client(timeout=TIMEOUT_S, follow_redirects=True) as client:
            _fetch(client, model, part, report)
        _check_size(model, part)
        part.become(path)
    _check_hash(model, path)
    return path


class _Part:
    """The bytes had so far, and beside them which version of the server's file they belong to."""

    def __init__(self, path: Path) -> None:
        self.path, self.note = path, path.with_name(f"{path.name}.json")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def version(self) -> str | None:
        """The ETag or date by which the server knows its file; None where nothing can be resumed."""
        try:
            version = json.loads(self.note.read_text(encoding="utf-8"))["version"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return version if isinstance(version, str) else None

    def restart(self, version: str | None) -> None:
        self.path.write_bytes(b"")
        self.note.write_text(json.dumps({"version": version}), encoding="utf-8")

    def append(self, chunks: Iterator[bytes]) -> Iterator[int]:
        with self.path.open("ab") as file:
            for chunk in chunks:
                file.write(chunk)
                file.flush()
                yield file.tell()

    def become(self, path: Path) -> None:
        self.path.replace(path)
        self.note.unlink(missing_ok=True)


def _fetch(client: httpx.Client, model: PublishedModel, part: _Part, report: Report) -> None:
    without_progress = 0
    for _ in range(ATTEMPTS * 20):
        before = part.size
        try:
            if _attempt(client, model, part, report):
                return
            reason = "the server closed the connection too early"
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
        without_progress = 0 if part.size > before else without_progress + 1
        if without_progress >= ATTEMPTS:
            break
    raise DownloadFailed(
        f"{model.url} broke off after {part.size:,} bytes: {reason}. The same command goes on from there."
    )


def _attempt(client: httpx.Client, model: PublishedModel, part: _Part, report: Report) -> bool:
    """Go on with the download. Returns whether it is whole. Raises httpx.HTTPError, DownloadFailed."""
    version, size = part.version, part.size
    headers = {"Accept-Encoding": "identity"}
    if size and version:
        # The rest if the file is the same still, else the whole of the new one.
        headers |= {"Range": f"bytes={size}-", "If-Range": version}
    with client.stream("GET", model.url, headers=headers) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return _is_whole(response, part)
        if response.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
            raise DownloadFailed(_refusal(model, response.status_code))
        if response.status_code == httpx.codes.OK or _first_byte(response) != size:
            if response.status_code != httpx.codes.OK:
                raise httpx.RemoteProtocolError("the server sent another part of the file than was asked for")
            part.restart(_version(response))
        total = _total(response, part.size)
        report(part.size, total)
        for had in part.append(response.iter_raw()):
            report(had, total)
    return total is None or part.size == total


def _is_whole(response: httpx.Response, part: _Part) -> bool:
    """After 416: nothing was missing, or the .part is of no use."""
    if response.headers.get("content-range", "").endswith(f"/{part.size}"):
        return True
    part.restart(None)
    return False


def _version(response: httpx.Response) -> str | None:
    etag = str(response.headers.get("etag", ""))
    # A weak ETag promises the same meaning, not the same bytes.
    if etag and not etag.startswith("W/"):
        return etag
    modified: str | None = response.headers.get("last-modified")
    return modified


def _first_byte(response: httpx.Response) -> int | None:
    """Of a "Content-Range: bytes 100-999/1000" that is 100."""
    unit, _, spans = response.headers.get("content-range", "").partition(" ")
    first = spans.partition("-")[0]
    return int(first) if unit == "bytes" and first.isdigit() else None


def _total(response: httpx.Response, had: int) -> int | None:
    length = response.headers.get("content-length", "")
    return had + int(length) if length.isdigit() else None


def _refusal(model: PublishedModel, status: int) -> str:
    if status in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
        return (
            f"{model.url} is no longer there (HTTP {status}); find {model.title} elsewhere and give the file to "
            "`personne import`."
        )
    return f"{model.url} answered with HTTP {status}; try again later."


def _check_size(model: PublishedModel, part: _Part) -> None:
    if model.bytes is not None and part.size != model.bytes:
        size = part.size
        part.path.unlink()
        raise DownloadFailed(f"{model.url} has {size:,} bytes; its publisher states {model.bytes:,}. It was deleted.")


def _check_hash(model: PublishedModel, path: Path) -> None:
    if model.sha256 is None:
        return
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != model.sha256:
        path.unlink()
        raise DownloadFailed(
            f"{model.url} has the wrong checksum: {found[:12]}… instead of {model.sha256[:12]}…; it was deleted."
        )
