"""Connections to Redis: what their options are by where they lead, and how they tell of what went wrong."""

import re
from typing import Any
from urllib.parse import urlsplit

import redis
import redis.asyncio
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError, ResponseError

_WRITES_NOTHING = re.compile(r"(?<![A-Z])(OOM|READONLY|MISCONF|NOREPLICAS|MASTERDOWN|LOADING)(?![A-Z])")


def client_of(url: str, **options: Any) -> Any:
    """A client for the event loop. Whatever becomes of its connections, it raises errors of Redis' own.

    options: of redis.asyncio.ConnectionPool.
    """
    pool: Any = redis.asyncio.ConnectionPool.from_url(url, **_kept_alive(url), **options)
    # The address chose the class: over TCP, TLS or a Unix socket.
    pool.connection_class = type("Connection", (_TellingOfItsEnd, pool.connection_class), {})
    return redis.asyncio.Redis.from_pool(pool)


def blocking_client_of(url: str, **options: Any) -> Any:
    """The same for threads. options: of redis.ConnectionPool."""
    pool: Any = redis.ConnectionPool.from_url(url, **_kept_alive(url), **options)
    pool.connection_class = type("Connection", (_Telling, pool.connection_class), {})
    return redis.Redis.from_pool(pool)


def as_unavailable(error: ResponseError) -> ResponseError:
    """The error; one that says that Redis writes nothing now, as one of UNAVAILABLE.

    redis-py has a class for some of the codes alone, and for none where a script only quotes them in a sentence.
    """
    found = _WRITES_NOTHING.search(str(error))
    if found is None:
        return error
    return OutOfMemoryError(str(error)) if found[1] == "OOM" else ReadOnlyError(str(error))


def _kept_alive(url: str) -> dict[str, bool]:
    """The option by which a peer that vanished without a word is noticed; a Unix socket has none, and needs none."""
    return {} if urlsplit(url).scheme == "unix" else {"socket_keepalive": True}


class _Telling:
    """Before a class of connections, whose errors it translates."""

    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return super().read_response(*args, **options)  # type: ignore[misc]  # of the class behind
        except ResponseError as error:
            raise as_unavailable(error) from error


class _TellingOfItsEnd:
    """The same, and: uvloop says RuntimeError where asyncio's own loop says ConnectionResetError, of a connection that
    was cut between its being made and its first command (MagicStack/uvloop#506)."""

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        try:
            await super().send_packed_command(command, check_health)  # type: ignore[misc]  # of the class behind
        except RuntimeError as error:
            raise RedisConnectionError(f"The connection was cut: {error}") from error

    async def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return await super().read_response(*args, **options)  # type: ignore[misc]  # of the class behind
        except ResponseError as error:
            raise as_unavailable(error) from error
