"""Load shedding under a clock of the test's own: a device that does one job after the other, and callers who come."""

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from app import shedding
from app.errors import Overloaded
from app.shedding import BURST, FEWEST, Shedding
from tests.app.conftest import MakeWeb
from tests.app.service import until

SERVICE_S = 0.01
"""What one job takes: a hundred are done in a second."""


@dataclass
class Device:
    """`lanes` jobs at a time, `SERVICE_S` each; whoever is let in waits for a lane."""

    lanes: int = 1
    now: float = 100.0
    took: list[float] = field(default_factory=list)
    refused: int = 0

    def __post_init__(self) -> None:
        self.shedding = Shedding(15.0, lambda: self.now)
        self._free_at = [self.now] * self.lanes
        self._in_hand: deque[tuple[float, float, ExitStack]] = deque()

    def offer(self, per_second: float, seconds: float) -> None:
        """Callers who come at an even pace."""
        begins = self.now
        for number in range(round(per_second * seconds)):
            self._answer_until(begins + number / per_second)
            self._ask()
        self._answer_until(begins + seconds)

    def ask_at_once(self, count: int) -> None:
        for _ in range(count):
            self._ask()

    def rest(self, seconds: float) -> None:
        self._answer_until(self.now + seconds)

    def _ask(self) -> None:
        stack = ExitStack()
        try:
            stack.enter_context(self.shedding.one_more())
        except Overloaded:
            self.refused += 1
            return
        lane = min(range(self.lanes), key=self._free_at.__getitem__)
        self._free_at[lane] = max(self.now, self._free_at[lane]) + SERVICE_S
        self._in_hand.append((self._free_at[lane], self.now, stack))

    def _answer_until(self, moment: float) -> None:
        while self._in_hand and self._in_hand[0][0] <= moment:
            self.now, asked, stack = self._in_hand.popleft()
            stack.close()
            self.took.append(self.now - asked)
        self.now = moment


@pytest.mark.parametrize("lanes", [1, 4])
def test_ten_times_too_many_leave_the_accepted_unharmed(lanes: int) -> None:
    device = Device(lanes)
    device.offer(10, 2)
    assert max(device.took) == pytest.approx(SERVICE_S)
    device.offer(1000 * lanes, 3)
    device.took.clear()
    device.offer(1000 * lanes, 10)
    assert max(device.took) <= 2 * SERVICE_S + 1e-9
    assert len(device.took) >= 0.95 * 100 * lanes * 10, "nothing of what it can do is lost"


def test_a_burst_queues_and_refuses_nobody() -> None:
    device = Device()
    device.offer(10, 2)
    device.ask_at_once(BURST)
    device.rest(5)
    assert device.refused == 0
    device.ask_at_once(BURST + 4)
    assert device.refused == 4


def test_a_burst_is_a_second_of_work_where_that_is_more() -> None:
    device = Device(lanes=4)
    device.offer(10, 2)
    device.offer(390, 3)
    device.ask_at_once(500)
    assert 300 < 500 - device.refused <= 420


def test_below_what_can_be_done_all_are_let_in_again_soon() -> None:
    device = Device()
    device.offer(10, 2)
    device.offer(1000, 5)
    assert device.refused > 0
    device.offer(80, 3)
    device.refused = 0
    device.offer(80, 10)
    assert device.refused == 0
    device.ask_at_once(30)
    assert device.refused == 0, "it has room for a burst again"


def test_after_silence_nothing_is_left_of_an_overload() -> None:
    device = Device()
    device.offer(1000, 5)
    device.rest(60)
    device.refused = 0
    device.ask_at_once(BURST)
    assert device.refused == 0


def test_on_a_slow_device_nobody_is_let_in_whose_time_would_run_out() -> None:
    slow = Device()
    slow.shedding = Shedding(0.05, lambda: slow.now)
    slow.offer(10, 2)
    slow.ask_at_once(20)
    assert slow.refused == 15, "five are done within the time"


def test_a_crowd_at_the_first_moment_is_a_burst() -> None:
    device = Device()
    device.ask_at_once(BURST + 1)
    assert device.refused == 1


def test_what_ends_in_an_error_teaches_nothing() -> None:
    device = Device()
    for _ in range(100):
        with pytest.raises(ValueError, match="broken"), device.shedding.one_more():
            raise ValueError("broken")
    assert device.shedding.limit == BURST
    device.offer(1000, 5)
    assert device.shedding.limit == FEWEST


def test_in_an_overload_nothing_is_spent_on_who_is_refused() -> None:
    device = Device()
    device.offer(10, 2)
    device.shedding.knock()
    device.offer(1000, 5)
    device.ask_at_once(10)
    with pytest.raises(Overloaded) as refused:
        device.shedding.knock()
    assert refused.value.limit == device.shedding.limit
    device.rest(10)
    device.shedding.knock()


def test_the_web_refuses_at_once_whom_it_would_keep_waiting(make_web: MakeWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shedding, "BURST", 8)
    web = make_web()
    with web.held(), ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(web.client.get, f"/v1/faces/{seed}.png") for seed in range(8)]
        until(lambda: web.metric('personne_queue_depth{lane="quick"}') == 8)
        for address in ("/v1/faces/9.png", "/v1/faces/10.png", "/v1/faces/11", "/face"):
            began = time.perf_counter()
            refused = web.client.get(address)
            # Whoever is let in waits for five seconds here.
            assert time.perf_counter() - began < 2.5
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
            assert refused.headers["Content-Type"] == "application/problem+json"
            assert (refused.json()["type"], refused.json()["limit"]) == ("/problems/overloaded", 8)
        assert web.metric('personne_requests_total{code="503",route="shed"}') == 3, "all but the first"
        edit = web.client.post("/v1/edits", json={"seed": 7})
        assert (edit.status_code, edit.json()["type"]) == (503, "/problems/overloaded")
        assert web.client.get("/livez").status_code == 200
        later = web.client.get("/v1/faces/12.png", headers={"Prefer": "respond-async"})
        assert later.status_code == 202, "who need not be answered now may queue"
        web.painter.holding.clear()
        assert [future.result().status_code for future in waiting] == [200] * 8
    assert web.client.get("/v1/faces/9.png").status_code == 200
