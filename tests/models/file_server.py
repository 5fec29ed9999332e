"""A small HTTP server of one file, which can be told to misbehave as real ones do."""

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class ServedFile:
    """What the server has, and how it behaves.

    cut_after: bytes of an answer after which the connection breaks, once an entry. ranges: whether it knows Range.
    requests: the Range headers that came.
    """

    content: bytes
    status: int = 200
    ranges: bool = True
    etag: bool = True
    cut_after: list[int] = field(default_factory=list)
    requests: list[str | None] = field(default_factory=list)

    @property
    def tag(self) -> str:
        return f'"{hashlib.sha256(self.content).hexdigest()[:16]}"'


class Answer(BaseHTTPRequestHandler):
    """One answer of the server."""

    file: ServedFile

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.file.requests.append(asked)
        start = 0
        if asked and self.file.ranges and self.headers.get("If-Range") in (None, self.file.tag):
            start = int(asked.removeprefix("bytes=").rstrip("-"))
        if self.file.status != 200:
            self.send_error(self.file.status)
        elif start >= len(self.file.content):
            self.send_error(416)
        else:
            self.send_from(start)

    def end_headers(self) -> None:
        self.send_header("Connection", "close")
        super().end_headers()

    def send_response(self, code: int, message: str | None = None) -> None:
        super().send_response(code, message)
        if code == 416:
            self.send_header("Content-Range", f"bytes */{len(self.file.content)}")

    def send_from(self, start: int) -> None:
        whole = len(self.file.content)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        if self.file.etag:
            self.send_header("ETag", self.file.tag)
        self.send_header("Content-Length", str(whole - start))
        self.end_headers()
        cut = self.file.cut_after.pop(0) if self.file.cut_after else whole
        self.wfile.write(self.file.content[start : start + cut])


@contextlib.contextmanager
def serving(file: ServedFile) -> Iterator[str]:
    """The address of the file while the block runs."""
    answer = type("AnswerOfThisFile", (Answer,), {"file": file})
    with ThreadingHTTPServer(("127.0.0.1", 0), answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/weights.pth"
        finally:
            server.shutdown()
            thread.join()
