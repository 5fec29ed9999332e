"""Takes the ends of jobs from the queue and tells them: each within seconds, again and again where nobody answers."""

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import httpx

from app.job_replies import shown
from app.webhooks.addresses import AddressRefused, Network, resolved
from app.webhooks.signing import signed_headers
from jobs.contract import JobStage, JobStatus
from jobs.errors import JobsError
from jobs.notices import Notice, Notices

AT_ONCE = 16
"""So many are told at one moment: a host that does not answer holds up one, and no worker."""
PATIENCE_S = 10.0
LEASE_S = 3 * PATIENCE_S
"""Of a notice in hand: if we die with it, another tells it then."""
LOOK_S = 0.5
DELAYS_S = (5, 30, 120, 600, 3600, 3 * 3600)
"""Between attempts; after the last it is given up."""
OK, GONE, END_OF_OK = 200, 410, 300

log = logging.getLogger(__name__)


class Delivery:
    """key: signs. networks: inside ones that may be told all the same. delays_s: between attempts."""

    def __init__(
        self, notices: Notices, key: bytes, networks: Sequence[Network] = (), delays_s: Sequence[float] = DELAYS_S
    ) -> None:
        self._notices = notices
        self._key = key
        self._networks = networks
        self._delays_s = delays_s
        # No redirects, no proxy, no cookies: one request to one address.
        self._client = httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=PATIENCE_S)

    async def run(self) -> None:
        """Until cancelled; whatever is in hand then is told after its lease, by whoever comes next."""
        turns, telling = asyncio.Semaphore(AT_ONCE), set[asyncio.Task[None]]()
        try:
            while True:
                await turns.acquire()
                notice = await self._taken()
                task = asyncio.create_task(self._tell(notice))
                telling.add(task)
                task.add_done_callback(telling.discard)
                task.add_done_callback(lambda _: turns.release())
        finally:
            for task in telling:
                task.cancel()
            await asyncio.gather(*telling, return_exceptions=True)
            await self._client.aclose()
            await self._notices.close()

    async def _taken(self) -> Notice:
        while True:
            try:
                notice = await self._notices.take(LEASE_S)
            except JobsError as error:
                log.warning("%s", error)
                notice = None
            if notice is not None:
                return notice
            await asyncio.sleep(LOOK_S)

    async def _tell(self, notice: Notice) -> None:
        """Addresses stay out of the log: they may hold secrets of whoever gave them."""
        try:
            refusal = await self._sent(notice)
            if refusal is None:
                await self._notices.settle(notice)
            elif notice.attempt > len(self._delays_s):
                log.warning("the end of job %s is told no more: %s", notice.job_id, refusal)
                await self._notices.settle(notice)
            else:
                await self._notices.put_off(notice, self._delays_s[notice.attempt - 1])
        except AddressRefused as error:
            log.warning("the end of job %s is not told: %s", notice.job_id, error)
            await self._notices.settle(notice)
        except JobsError as error:
            log.warning("the end of job %s may be told twice: %s", notice.job_id, error)

    async def _sent(self, notice: Notice) -> str | None:
        """Why it did not arrive; None when it did, or when whoever is there wants no more. Raises AddressRefused."""
        body = message(notice)
        try:
            url = httpx.URL(notice.url)
            async with asyncio.timeout(PATIENCE_S):
                address, inside = await resolved(
                    url.host, url.port or (443 if url.scheme == "https" else 80), self._networks
                )
                if url.scheme != "https" and not inside:
                    raise AddressRefused("Outside, webhooks are told over https only.")
                headers = {
                    **signed_headers(self._key, f"msg_{notice.job_id}", int(time.time()), body),
                    "Content-Type": "application/json",
                    "Host": url.netloc.decode(),
                    "User-Agent": "personne",
                }
                # To the very address that was looked at; the certificate has to be the name's.
                async with self._client.stream(
                    "POST",
                    url.copy_with(host=str(address)),
                    content=body,
                    headers=headers,
                    extensions={"sni_hostname": url.host},
                ) as reply:
                    return (
                        None
                        if OK <= reply.status_code < END_OF_OK or reply.status_code == GONE
                        else f"it answered {reply.status_code}"
                    )
        except (httpx.HTTPError, OSError, TimeoutError) as error:
            return str(error) or type(error).__name__
        except (httpx.InvalidURL, ValueError, OverflowError) as error:
            # No name that can be looked up, or no port: it will be none tomorrow either.
            raise AddressRefused(f"Its address is none: {type(error).__name__}.") from None


def message(notice: Notice) -> bytes:
    """The document of the job, and what has become of it."""
    status = JobStatus(JobStage.DONE if notice.failure is None else JobStage.FAILED, failure=notice.failure)
    document = shown(notice.job_id, status)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return json.dumps(
        {"type": f"job.{document.state}", "timestamp": now, "data": document.model_dump(mode="json")}
    ).encode()
