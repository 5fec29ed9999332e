"""Workers are killed in the middle of their work; nothing is lost, nothing is written twice."""

import pytest

from benchmarks.chaos import run_chaos
from tests.redis_server import RedisServer


@pytest.mark.timeout(180)
def test_two_thousand_jobs_survive_ten_kills(redis_server: RedisServer) -> None:
    redis_server.flush()
    report = run_chaos(redis_server.url, jobs=2000, kills=10)
    assert report.kills == 10
    assert report.stranded > 0, "the kills hit nobody at work, so nothing was proven"
    assert (report.lost, report.written_twice, report.left_over) == (0, 0, 0)
