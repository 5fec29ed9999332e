"""Telling webhooks: a process of its own, or a thread beside web and worker."""

import asyncio
import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_network

from app.webhooks.delivery import Delivery
from app.webhooks.signing import key_of
from jobs.notices import Notices
from jobs.queue import JobSubmitter
from personne.errors import SettingRefused
from personne.queue_ends import notices
from personne.settings import Settings

_log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Tell until SIGTERM or SIGINT. Raises SettingRefused."""
    if settings.webhook_secret is None:
        raise SettingRefused(
            "PERSONNE_WEBHOOK_SECRET is not set, so that nobody asks to be told. See docs/settings.md."
        )
    ends = notices(settings)
    _log.info("webhooks are told")
    asyncio.run(_until_stopped(settings, ends))


@contextmanager
def told_beside(settings: Settings, submitter: JobSubmitter) -> Iterator[None]:
    """While this lasts, webhooks are told from a thread of this process, where there are any."""
    if settings.webhook_secret is None:
        yield
        return
    loop = asyncio.new_event_loop()
    task = loop.create_task(_delivery(settings, notices(settings, submitter)).run())
    thread = threading.Thread(target=_run, args=(loop, task), name="webhooks", daemon=True)
    thread.start()
    try:
        yield
    finally:
        # A loop that has ended by itself is closed, and takes no more calls.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(task.cancel)
        thread.join()


def _run(loop: asyncio.AbstractEventLoop, task: "asyncio.Task[None]") -> None:
    try:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
    finally:
        loop.close()


async def _until_stopped(settings: Settings, ends: Notices) -> None:
    task = asyncio.create_task(_delivery(settings, ends).run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


def _delivery(settings: Settings, ends: Notices) -> Delivery:
    """Raises SettingRefused."""
    secret = settings.webhook_secret
    if secret is None:
        raise TypeError("this is a bug: webhooks without a secret")
    try:
        key = key_of(secret.get_secret_value())
    except ValueError:
        raise SettingRefused("PERSONNE_WEBHOOK_SECRET begins with whsec_, and no base64 follows.") from None
    return Delivery(ends, key, [ip_network(network) for network in settings.webhook_networks])
