"""Connections to Redis: what their options are by where they lead, and how they tell of their end."""

from typing import Any
from urllib.parse import urlsplit

import redis.asyncio as redis
from redis.exceptions import ConnectionError as RedisConnectionError


def kept_alive(url: str) -> dict[str, bool]:
    """The option by which a peer that vanished without a word is noticed; a Unix socket has none, and needs none."""
    return {} if urlsplit(url).scheme == "unix" else {"socket_keepalive": True}


def client_of(url: str, **options: Any) -> Any:
    """A client for the event loop. Whatever cuts its connections, it raises errors of Redis' own.

    options: of redis.asyncio.ConnectionPool.
    """
    pool: Any = redis.ConnectionPool.from_url(url, **kept_alive(url), **options)
    # The address chose the class: over TCP, TLS or a Unix socket.
    pool.connection_class = type("Connection", (_TellingOfItsEnd, pool.connection_class), {})
    return redis.Redis.from_pool(pool)


class _TellingOfItsEnd:
    """Before a class of connections: uvloop says RuntimeError where asyncio's own loop says ConnectionResetError, of a
    connection that was cut between its being made and its first command (MagicStack/uvloop#506)."""

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        try:
            await super().send_packed_command(command, check_health)  # type: ignore[misc]  # of the class behind
        except RuntimeError as error:
            raise RedisConnectionError(f"The connection was cut: {error}") from error
