"""The jobs in this worker's hands, and the thread that renews their leases while the device works."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from jobs.contract import Delivery, Lane


class Leases:
    """renew(lane, receipts) is called every third of a lease for all that is held."""

    def __init__(self, renew: Callable[[Lane, Sequence[str]], None], lease_s: float) -> None:
        self._renew = renew
        self._every_s = lease_s / 3
        # By lane too: two lanes give the same entry id to what they are given in the same millisecond.
        self._held: dict[tuple[Lane, str], Delivery] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._keep_renewing, name="leases", daemon=True)
        self._thread.start()

    def hold(self, deliveries: Iterable[Delivery]) -> None:
        with self._lock:
            self._held.update({(delivery.lane, delivery.receipt): delivery for delivery in deliveries})

    def drop(self, deliveries: Iterable[Delivery]) -> None:
        with self._lock:
            for delivery in deliveries:
                self._held.pop((delivery.lane, delivery.receipt), None)

    def held(self) -> list[Delivery]:
        with self._lock:
            return list(self._held.values())

    def close(self) -> None:
        self._closed.set()
        self._thread.join()

    def _keep_renewing(self) -> None:
        while not self._closed.wait(self._every_s):
            by_lane: defaultdict[Lane, list[str]] = defaultdict(list)
            for delivery in self.held():
                by_lane[delivery.lane].append(delivery.receipt)
            for lane, receipts in by_lane.items():
                self._renew(lane, receipts)
