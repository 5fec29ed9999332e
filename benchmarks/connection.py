"""One kept-alive connection to a web, as bare as it can be: what is measured is the web."""

import asyncio
from contextlib import suppress

HOST = "127.0.0.1"


class Client:
    """One kept-alive connection that asks for nothing but faces: a real client library would cost more than the web."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def get(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        status, _, body = await self.exchange(path)
        return status, body

    async def exchange(self, path: str) -> tuple[int, str, bytes]:
        """Status, head in lower case, body."""
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.split("content-length:", 1)[1].split("\r\n", 1)[0])
        return int(head.split(" ", 2)[1]), head, await self._reader.readexactly(length)

    def close(self) -> None:
        self._writer.close()

    async def closed(self) -> None:
        """The same, and wait until it is."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()


async def connect(port: int) -> Client:
    return Client(*await asyncio.open_connection(HOST, port))
