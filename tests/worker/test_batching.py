from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from jobs.contract import Delivery, GenerateJob, JobId, Lane, PictureFormat
from worker.batching import group


def delivery(number: int, *, model: str = "a", lane: Lane = Lane.QUICK, delivery_count: int = 1) -> Delivery:
    job = GenerateJob(model=model, seed=number, truncation_psi=0.7, size=32, format=PictureFormat.PNG)
    return Delivery(JobId(str(number)), job, lane, delivery_count, 0, 0, receipt=f"r{number}")


def at_most(count: int) -> Callable[[str, Lane], int]:
    return lambda _model, _lane: count


def seeds(deliveries: list[Delivery], max_batch: int) -> list[list[int]]:
    return [[each.job.seed for each in batch.deliveries] for batch in group(deliveries, at_most(max_batch))]


def test_nothing_makes_no_batch() -> None:
    assert group([], at_most(8)) == []


def test_jobs_of_one_model_ride_together_up_to_the_largest_batch() -> None:
    assert seeds([delivery(number) for number in range(5)], 2) == [[0, 1], [2, 3], [4]]


def test_jobs_of_two_models_ride_apart_in_the_order_of_their_first() -> None:
    taken = [delivery(0, model="b"), delivery(1), delivery(2, model="b"), delivery(3)]
    assert seeds(taken, 8) == [[0, 2], [1, 3]]
    assert [batch.key.model for batch in group(taken, at_most(8))] == ["b", "a"]


def test_each_model_and_lane_has_its_own_limit() -> None:
    taken = [delivery(number, model=model) for number, model in enumerate("aabb")] + [delivery(4, lane=Lane.IDLE)] * 2
    limits = {("a", Lane.QUICK): 2, ("b", Lane.QUICK): 1, ("a", Lane.IDLE): 2}
    batches = group(taken, lambda model, lane: limits[model, lane])
    assert [[each.job.seed for each in batch.deliveries] for batch in batches] == [[0, 1], [2], [3], [4, 4]]


def test_jobs_of_two_lanes_ride_apart() -> None:
    assert seeds([delivery(0), delivery(1, lane=Lane.IDLE), delivery(2)], 8) == [[0, 2], [1]]


def test_a_job_that_was_delivered_before_rides_alone() -> None:
    taken = [delivery(0), delivery(1, delivery_count=2), delivery(2), delivery(3, delivery_count=3)]
    assert seeds(taken, 8) == [[0, 2], [1], [3]]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(Lane), st.integers(1, 3)), max_size=40),
    st.integers(1, 9),
)
def test_no_job_is_lost_or_doubled_and_every_batch_is_of_one_kind(
    kinds: list[tuple[str, Lane, int]], max_batch: int
) -> None:
    taken = [
        delivery(number, model=model, lane=lane, delivery_count=count)
        for number, (model, lane, count) in enumerate(kinds)
    ]
    batches = group(taken, at_most(max_batch))
    assert sorted(each.receipt for batch in batches for each in batch.deliveries) == sorted(d.receipt for d in taken)
    for batch in batches:
        assert 1 <= len(batch.deliveries) <= max_batch
        assert all(each.job.batch_key == batch.key and each.lane is batch.lane for each in batch.deliveries)
        assert len(batch.deliveries) == 1 or all(each.delivery_count == 1 for each in batch.deliveries)
