"""What every queue promises, asked of each."""

import asyncio
import threading
import time

import pytest

from jobs.contract import Delivery, JobFailure, JobId, JobResult, Lane, WorkerBeat
from jobs.errors import JobUnknown, QueueFull
from tests.jobs.conftest import POLICY, Ends, face

pytestmark = pytest.mark.anyio
ALL = tuple(Lane)
DONE = JobResult(b"\x00picture\xff", "image/png", {"inference": 1.5}, batch_size=3)


async def submit(ends: Ends, seed: int = 0, lane: Lane = Lane.QUICK, timeout_ms: int = 10_000) -> JobId:
    return await ends.submitter.submit(face(seed), lane=lane, timeout_ms=timeout_ms)


async def take(ends: Ends, lanes: tuple[Lane, ...] = ALL, max_jobs: int = 8, wait_ms: int = 0) -> list[Delivery]:
    return await asyncio.to_thread(ends.source.take, lanes, max_jobs=max_jobs, wait_ms=wait_ms)


async def test_a_job_goes_there_and_its_result_comes_back(ends: Ends) -> None:
    job_id = await submit(ends, seed=2**64 - 1)
    (delivery,) = await take(ends)
    assert delivery.id == job_id
    assert delivery.job == face(2**64 - 1)
    assert delivery.delivery_count == 1
    assert delivery.deadline_ms - delivery.submitted_at_ms == 10_000
    assert ends.source.finish(delivery, DONE)
    assert await ends.submitter.wait(job_id, timeout_ms=2000) == DONE
    assert await ends.submitter.wait(job_id, timeout_ms=2000) == DONE, "it may be asked for again"


async def test_whoever_waits_is_woken(ends: Ends) -> None:
    job_id = await submit(ends)
    (delivery,) = await take(ends)
    waiting = asyncio.create_task(ends.submitter.wait(job_id, timeout_ms=5000))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    failure = JobFailure("model-not-loaded", "It is not here.")
    ends.source.finish(delivery, failure)
    assert await waiting == failure


async def test_a_wait_ends_in_time_and_may_begin_again(ends: Ends) -> None:
    job_id = await submit(ends)
    began = time.monotonic()
    assert await ends.submitter.wait(job_id, timeout_ms=200) is None
    assert 0.15 <= time.monotonic() - began < 4
    (delivery,) = await take(ends)
    ends.source.finish(delivery, DONE)
    assert await ends.submitter.wait(job_id, timeout_ms=2000) == DONE


async def test_take_waits_for_a_job(ends: Ends) -> None:
    taking = asyncio.create_task(take(ends, wait_ms=5000))
    await asyncio.sleep(0.3)
    assert not taking.done()
    job_id = await submit(ends)
    assert [delivery.id for delivery in await taking] == [job_id]
    assert await take(ends) == []


async def test_batches_and_lanes(ends: Ends) -> None:
    idle = [await submit(ends, lane=Lane.IDLE) for _ in range(2)]
    quick = [await submit(ends, seed) for seed in range(5)]
    slow = await submit(ends, lane=Lane.SLOW)
    order = (Lane.QUICK, Lane.IDLE)
    assert [delivery.id for delivery in await take(ends, order, max_jobs=3)] == quick[:3], (
        "in order, no more than asked"
    )
    assert [delivery.id for delivery in await take(ends, order, max_jobs=3)] == quick[3:], "one lane at a time"
    assert [delivery.id for delivery in await take(ends, order, max_jobs=3)] == idle
    assert await take(ends, order) == []
    assert [delivery.id for delivery in await take(ends, (Lane.SLOW,))] == [slow]


async def test_a_full_lane_refuses_at_once(ends: Ends) -> None:
    cap = POLICY.lane_caps[Lane.QUICK]
    for seed in range(cap):
        await submit(ends, seed)
    with pytest.raises(QueueFull, match=f"quick lane holds its limit of {cap} waiting jobs") as refused:
        await submit(ends)
    assert refused.value.limit == cap
    await submit(ends, lane=Lane.IDLE)
    await take(ends, (Lane.QUICK,), max_jobs=1)
    await submit(ends)


async def test_one_id_is_one_job(ends: Ends) -> None:
    job_id = JobId("the-very-one")
    submits = (ends.submitter.submit(face(), lane=Lane.QUICK, timeout_ms=9000, job_id=job_id) for _ in range(100))
    assert set(await asyncio.gather(*submits)) == {job_id}
    assert len(await take(ends)) == 1
    assert await take(ends) == []


async def test_an_unknown_job(ends: Ends) -> None:
    with pytest.raises(JobUnknown):
        await ends.submitter.wait(JobId("nobody"), timeout_ms=1000)


async def test_results_expire(ends: Ends) -> None:
    job_id = await submit(ends)
    (delivery,) = await take(ends)
    ends.source.finish(delivery, DONE)
    await asyncio.sleep(POLICY.result_ttl_s + 0.3)
    with pytest.raises(JobUnknown):
        await ends.submitter.wait(job_id, timeout_ms=500)


async def test_the_fence_lets_one_finisher_through(ends: Ends) -> None:
    job_id = await submit(ends)
    (delivery,) = await take(ends)
    outcomes = [JobResult(bytes([i]), "image/png") for i in range(8)]
    won: dict[int, bool] = {}

    def finish(i: int) -> None:
        won[i] = ends.source.finish(delivery, outcomes[i])

    threads = [threading.Thread(target=finish, args=[i]) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert sorted(won.values()) == [False] * 7 + [True]
    winner = next(i for i, first in won.items() if first)
    assert await ends.submitter.wait(job_id, timeout_ms=2000) == outcomes[winner]


async def test_a_failed_attempt_comes_again_and_the_third_is_the_last(ends: Ends) -> None:
    job_id = await submit(ends)
    for attempt in (1, 2, 3):
        (delivery,) = await take(ends, wait_ms=2000)
        assert delivery.id == job_id
        assert delivery.delivery_count == attempt
        ends.source.retry(delivery, f"reason {attempt}")
    outcome = await ends.submitter.wait(job_id, timeout_ms=2000)
    assert isinstance(outcome, JobFailure)
    assert outcome.code == "job-failed"
    assert "3 times" in outcome.reason
    assert "reason 3" in outcome.reason
    assert await take(ends) == []
    state = await ends.submitter.state()
    assert (state.retries, state.dead) == (2, 1)


async def test_what_is_given_back_counts_for_nothing(ends: Ends) -> None:
    ids = {await submit(ends, seed) for seed in range(3)}
    for _ in range(5):
        taken = await take(ends, wait_ms=2000)
        assert {delivery.id for delivery in taken} == ids
        assert {delivery.delivery_count for delivery in taken} == {1}
        ends.source.give_back(taken)
    assert (await ends.submitter.state()).retries == 0


async def test_a_job_given_back_and_finished_all_the_same_is_done_once(ends: Ends) -> None:
    job_id = await submit(ends)
    (delivery,) = await take(ends)
    ends.source.give_back([delivery])
    assert ends.source.finish(delivery, DONE)
    assert await ends.submitter.wait(job_id, timeout_ms=2000) == DONE
    assert await take(ends) == []


async def test_cancelled_while_it_waits(ends: Ends) -> None:
    job_id = await submit(ends)
    await ends.submitter.cancel(job_id)
    outcome = await ends.submitter.wait(job_id, timeout_ms=2000)
    assert isinstance(outcome, JobFailure)
    assert outcome.code == "cancelled"
    taken = await take(ends)
    assert set(ends.source.cancelled(taken)) == {delivery.id for delivery in taken}


async def test_cancelled_while_it_runs(ends: Ends) -> None:
    kept, dropped = await submit(ends, 1), await submit(ends, 2)
    taken = await take(ends)
    await ends.submitter.cancel(dropped)
    assert set(ends.source.cancelled(taken)) == {dropped}
    assert {delivery.id: ends.source.finish(delivery, DONE) for delivery in taken} == {kept: True, dropped: False}
    outcome = await ends.submitter.wait(dropped, timeout_ms=2000)
    assert isinstance(outcome, JobFailure), "the result of a cancelled job is dropped"


async def test_a_job_past_its_deadline_is_not_run(ends: Ends) -> None:
    job_id = await submit(ends, timeout_ms=50)
    await asyncio.sleep(0.15)
    assert await take(ends) == []
    outcome = await ends.submitter.wait(job_id, timeout_ms=2000)
    assert isinstance(outcome, JobFailure)
    assert outcome.code == "deadline-passed"


@pytest.mark.parametrize("failed", [False, True])
async def test_a_job_that_was_begun_has_as_long_again_when_it_comes_back(ends: Ends, failed: bool) -> None:
    job_id = await submit(ends, timeout_ms=1000)
    for _ in range(2):
        (delivery,) = await take(ends)
        await asyncio.sleep(1.1)
        if failed:
            ends.source.retry(delivery, "It fell over.")
        else:
            ends.source.give_back([delivery])
    (delivery,) = await take(ends)
    assert delivery.id == job_id
    assert 0 < delivery.deadline_ms - time.time() * 1000 <= 1000, "not more each time"
    ends.source.give_back([delivery])
    await asyncio.sleep(1.1)
    assert await take(ends) == []
    outcome = await ends.submitter.wait(job_id, timeout_ms=2000)
    assert isinstance(outcome, JobFailure)
    assert outcome.code == "deadline-passed"


async def test_what_came_back_is_dropped_when_nobody_waits_for_it_any_more(ends: Ends) -> None:
    on_the_line = await ends.submitter.submit(face(), lane=Lane.QUICK, timeout_ms=1000, events=False)
    cancelled = await submit(ends, timeout_ms=1000)
    taken = await take(ends)
    assert [delivery.id for delivery in taken] == [on_the_line, cancelled]
    await asyncio.sleep(1.1)
    ends.source.give_back(taken)
    await ends.submitter.cancel(cancelled)
    assert await take(ends) == []
    outcomes = [await ends.submitter.wait(job_id, timeout_ms=2000) for job_id in (on_the_line, cancelled)]
    assert [outcome.code for outcome in outcomes if isinstance(outcome, JobFailure)] == ["deadline-passed", "cancelled"]


async def test_inputs_travel_beside_the_job_and_are_erased_with_it(ends: Ends) -> None:
    photo = bytes(range(256)) * 400
    await ends.submitter.submit(face(), lane=Lane.SLOW, timeout_ms=9000, inputs={"photo": photo, "mask": b""})
    (delivery,) = await take(ends)
    assert dict(ends.source.inputs(delivery)) == {"photo": photo, "mask": b""}
    ends.source.finish(delivery, DONE)
    assert not ends.source.inputs(delivery)


async def test_state_counts_and_heartbeats(ends: Ends) -> None:
    beat = WorkerBeat("w1", ("0123456789abcdef", "ab"), ("ab",), (Lane.QUICK, Lane.IDLE), "cpu", ready=True)
    ends.source.beat(beat)
    for seed in range(5):
        await submit(ends, seed)
    await take(ends, (Lane.QUICK,), max_jobs=2)
    state = await ends.submitter.state()
    assert state.waiting[Lane.QUICK] == 3
    assert state.running[Lane.QUICK] == 2
    assert state.waiting[Lane.SLOW] == state.running[Lane.SLOW] == 0
    assert state.workers == (beat,)
    await asyncio.sleep(POLICY.beat_ttl_s + 0.2)
    assert (await ends.submitter.state()).workers == (), "a silent worker is gone"


async def test_a_goodbye_gives_back_and_removes_the_heartbeat(ends: Ends) -> None:
    ends.source.beat(WorkerBeat("w1", (), (), ALL, "cpu", ready=True))
    await submit(ends)
    await take(ends)
    ends.source.close()
    state = await ends.submitter.state()
    assert state.workers == ()
    assert (state.waiting[Lane.QUICK], state.running[Lane.QUICK]) == (1, 0)
