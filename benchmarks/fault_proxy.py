"""A TCP proxy before a server that can be told to misbehave: what a network does to a service, on one machine.

For benchmarks/survival.py and for tests. Bytes pass through untouched; only time and connections are interfered with.
"""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager

CHUNK = 64 * 1024


class FaultProxy:
    """Listens on a free port of the loopback and passes all on to `target_port`. A context manager.

    Faults, each in force until `mend()`:
    refuse(): connections are cut, and new ones are cut at once, as where a server is down.
    swallow(): connections stay open and nothing passes in either direction, as after a cable was pulled (half-open).
    delay(seconds): every piece takes so much longer, in each direction.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._loop = asyncio.new_event_loop()
        self._open = asyncio.Event()
        self._refusing = False
        self._delay_s = 0.0
        self._connections: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0

    def __enter__(self) -> "FaultProxy":
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def refuse(self) -> None:
        self._tell(refusing=True)

    def swallow(self) -> None:
        self._tell(passing=False)

    def delay(self, seconds: float) -> None:
        self._tell(delay_s=seconds)

    def mend(self) -> None:
        """As at the start. Half-open connections are not cut: what they swallowed arrives now, or the peer has left."""
        self._tell()

    @contextmanager
    def refusing(self) -> Iterator[None]:
        self.refuse()
        try:
            yield
        finally:
            self.mend()

    def _tell(self, *, refusing: bool = False, passing: bool = True, delay_s: float = 0.0) -> None:
        async def change() -> None:
            self._refusing, self._delay_s = refusing, delay_s
            if passing:
                self._open.set()
            else:
                self._open.clear()
            if refusing:
                self._cut()

        asyncio.run_coroutine_threadsafe(change(), self._loop).result(10)

    async def _listen(self) -> int:
        self._open.set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def _end(self) -> None:
        self._server.close()
        self._open.set()
        self._cut()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def _cut(self) -> None:
        for connection in self._connections:
            connection.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, far_writer}
        self._connections |= pair
        try:
            # A cancelled task would be asked for its exception by the server's own callback, which prints that.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
        finally:
            self._connections -= pair
            for end in pair:
                end.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK):
                if self._delay_s:
                    await asyncio.sleep(self._delay_s)
                await self._open.wait()
                writer.write(chunk)
                await writer.drain()
        writer.close()
