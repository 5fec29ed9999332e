"""Webhooks to a real server on loopback: signed, retried, never redirected, never inside unasked."""

import asyncio
import hmac
import json
import time
from base64 import b64decode
from collections.abc import Sequence
from hashlib import sha256
from ipaddress import ip_address, ip_network

import pytest
import redis

from app.webhooks.addresses import AddressRefused, Network, is_outside, resolved
from app.webhooks.delivery import Delivery
from app.webhooks.signing import key_of, signed_headers
from jobs.contract import JobFailure, JobResult, Lane
from jobs.errors import QueueUnavailable, WireError
from jobs.memory_queue import MemoryQueue
from jobs.notices import Notice
from jobs.redis_queue import RedisNotices, RedisSource, RedisSubmitter
from jobs.redis_queue.keys import Keys
from tests.jobs.conftest import POLICY, face
from tests.webhook_listener import Listener

KEY = b"a secret that signs webhooks"
LOOPBACK = [ip_network("127.0.0.0/8")]


async def told(queue: MemoryQueue, *, networks: Sequence[Network], for_s: float = 15) -> None:
    """Deliver until there is nothing left, or for so long."""
    delivery = Delivery(queue.submitter.notices, KEY, networks, delays_s=(0.1, 0.1))
    running = asyncio.create_task(delivery.run())
    until = time.monotonic() + for_s
    while time.monotonic() < until and queue.submitter.notices._queue.notices:
        await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def job(queue: MemoryQueue, url: str, outcome: JobResult | JobFailure) -> str:
    job_id = await queue.submitter.submit(face(), lane=Lane.QUICK, timeout_ms=9000, webhook=url)
    (delivery,) = queue.source.take([Lane.QUICK], max_jobs=1, wait_ms=0)
    queue.source.finish(delivery, outcome)
    return job_id


pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_job_that_is_done_is_told_and_signed(listener: Listener) -> None:
    queue = MemoryQueue()
    job_id = await job(queue, listener.url, JobResult(b"picture", "image/png"))
    await told(queue, networks=LOOPBACK, for_s=10)
    ((headers, body),) = listener.came
    assert headers["host"] == listener.url.split("/")[2]
    document = json.loads(body)
    assert (document["type"], document["data"]["id"], document["data"]["state"]) == ("job.done", job_id, "done")
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    version, signature = headers["webhook-signature"].split(",")
    assert version == "v1"
    assert b64decode(signature) == hmac.new(KEY, content, sha256).digest()
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 30
    assert b"picture" not in body


async def test_it_is_told_again_until_it_arrives(listener: Listener) -> None:
    listener.answers = [500, 302, 200]
    queue = MemoryQueue()
    await job(queue, listener.url, JobFailure("job-failed", "It would not."))
    await told(queue, networks=LOOPBACK, for_s=15)
    assert len(listener.came) == 3, "a redirect is not followed"
    assert len({headers["webhook-id"] for headers, _ in listener.came}) == 1
    assert json.loads(listener.came[-1][1])["type"] == "job.failed"


async def test_after_the_last_attempt_it_is_given_up(listener: Listener) -> None:
    listener.answers = [503]
    queue = MemoryQueue()
    await job(queue, listener.url, JobResult(b"picture", "image/png"))
    await told(queue, networks=LOOPBACK, for_s=15)
    assert len(listener.came) == 3
    assert not queue.submitter.notices._queue.notices


@pytest.mark.parametrize("address", ["example..org", f"{'x' * 64}.org", "example.org:99999999999999999999", "xn--"])
async def test_an_address_that_is_none_is_tried_once_and_holds_up_no_other(
    listener: Listener, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    queue = MemoryQueue()
    await job(queue, f"https://{address}/told", JobResult(b"picture", "image/png"))
    await job(queue, listener.url, JobResult(b"picture", "image/png"))
    await told(queue, networks=LOOPBACK, for_s=5)
    assert len(listener.came) == 1
    assert not queue.submitter.notices._queue.notices, "nor tried again"
    assert "is not told: Its address is none" in caplog.text
    assert address not in caplog.text
    assert "Traceback" not in caplog.text


async def test_what_cannot_be_read_from_the_queue_ends_nothing(listener: Listener) -> None:
    queue = MemoryQueue()
    taken, unreadable = queue.submitter.notices.take, [WireError("of another release"), QueueUnavailable("for now")]

    async def take(lease_s: float) -> Notice | None:
        if unreadable:
            raise unreadable.pop()
        return await taken(lease_s)

    queue.submitter.notices.take = take  # type: ignore[method-assign]
    await job(queue, listener.url, JobResult(b"picture", "image/png"))
    await told(queue, networks=LOOPBACK, for_s=10)
    assert len(listener.came) == 1


async def test_what_redis_makes_no_sense_of_ends_nothing(
    listener: Listener, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    submitter, source = RedisSubmitter(redis_url, POLICY), RedisSource(redis_url, "w1", POLICY)
    running = asyncio.create_task(Delivery(RedisNotices(redis_url), KEY, LOOPBACK).run())
    with redis.Redis.from_url(redis_url) as server:
        server.set(Keys().notices, "no list of notices")
        for _ in range(100):
            await asyncio.sleep(0.05)
            if "cannot be read" in caplog.text:
                break
        server.delete(Keys().notices)
    await submitter.submit(face(), lane=Lane.QUICK, timeout_ms=9000, webhook=listener.url)
    (delivery,) = await asyncio.to_thread(source.take, [Lane.QUICK], max_jobs=1, wait_ms=1000)
    await asyncio.to_thread(source.finish, delivery, JobResult(b"picture", "image/png"))
    for _ in range(100):
        await asyncio.sleep(0.05)
        if listener.came:
            break
    assert len(listener.came) == 1
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    source.close()
    await submitter.close()


async def test_an_address_inside_is_not_told_unless_the_operator_names_its_network(listener: Listener) -> None:
    queue = MemoryQueue()
    await job(queue, listener.url, JobResult(b"picture", "image/png"))
    await told(queue, networks=[ip_network("10.0.0.0/8")], for_s=10)
    assert listener.came == []
    assert not queue.submitter.notices._queue.notices, "nor tried again"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "0x7f.1", "::1", "::ffff:10.0.0.1", "0.0.0.0"])
async def test_however_an_inside_host_is_written_it_is_refused(host: str) -> None:
    with pytest.raises(AddressRefused):
        await resolved(host, 443, [])


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
        *(
            "255.255.255.255",
            "fe80::1",
            "fc00::1",
            "::",
            "64:ff9b::a00:1",
            "2002:0a00:0001::",
            "::ffff:169.254.169.254",
        ),
    ],
)
def test_what_is_inside(address: str) -> None:
    assert not is_outside(ip_address(address))


def test_what_is_outside() -> None:
    assert all(is_outside(ip_address(one)) for one in ("1.1.1.1", "2606:4700:4700::1111", "64:ff9b::101:101"))


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of its specification's reference libraries."""
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed_headers(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    with pytest.raises(ValueError, match=r"base64|padding|Incorrect"):
        key_of("whsec_?")
    assert key_of("any other text") == b"any other text"
