"""personne health: for containers, which have no curl. It says a sentence, and raises where somebody is not well."""

import asyncio
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from jobs.contract import QueueState
from jobs.errors import JobsError
from personne.errors import SettingRefused, Unhealthy
from personne.queue_ends import submitter
from personne.settings import Settings, host_prefix

TIMEOUT_S = 5.0


def check_web(url: str) -> str:
    """Ask a web whether it is well: 200 is. Raises Unhealthy, and SettingRefused for what is no web address."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingRefused(f"--url {url!r} is no web address; it looks like http://127.0.0.1:8000/livez.")
    make = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = make(parts.hostname, parts.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", parts.path or "/livez")
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        raise Unhealthy(f"{url} does not answer: {error}.") from None
    finally:
        connection.close()
    if status != 200:
        raise Unhealthy(f"{url} answers {status}.")
    return f"{url} is well."


def check_worker(settings: Settings) -> str:
    """Look for the heartbeat of a warm worker of this host (or container) in the queue. Raises Unhealthy."""
    wanted = settings.worker_id or host_prefix()
    try:
        state = asyncio.run(_state(settings))
    except JobsError as error:
        raise Unhealthy(str(error)) from None
    ours = [beat.worker_id for beat in state.workers if beat.ready and beat.worker_id.startswith(wanted)]
    if not ours:
        raise Unhealthy(f"The queue hears no warm worker whose name begins with {wanted!r}.")
    return f"{', '.join(ours)} is well."


async def _state(settings: Settings) -> QueueState:
    queue = submitter(settings)
    try:
        return await queue.state()
    finally:
        await queue.close()
