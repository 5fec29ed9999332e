"""What /metrics shows: a registry of its own per app, so that two apps in one process do not share figures."""

from collections.abc import Mapping
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jobs.contract import JobResult, Lane, QueueState

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_BATCHES = (1, 2, 4, 8, 16, 32, 64)


class Meters:
    """Every figure that the web measures or reads from the queue."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter("personne_requests", "Requests answered.", ("route", "code"), registry=self._registry)
        self.request_seconds = self._histogram("personne_request_seconds", "From request to last byte.", ("route",))
        self._stages = {
            "queue_wait": self._histogram("personne_queue_wait_seconds", "What jobs waited in the queue."),
            "inference": self._histogram("personne_inference_seconds", "What a job's batch took on the device."),
            "encode": self._histogram("personne_encode_seconds", "What encoding the picture took."),
        }
        self.batch_size = Histogram(
            "personne_batch_size", "Jobs that rode in a job's batch.", buckets=_BATCHES, registry=self._registry
        )
        self.ready_faces = self._gauge("personne_ready_faces", "Faces made ahead that wait to be given away.")
        self.ready_faces_target = self._gauge("personne_ready_faces_target", "Faces that the pool wants to hold.")
        self.faces_from_pool = Counter(
            "personne_faces_from_pool",
            "Faces asked of the pool, by whether it had one.",
            ("hit",),
            registry=self._registry,
        )
        self._refused_units = Counter(
            "personne_refused_units",
            "Units of work refused by a limit, by which: of a minute, of a day, too-costly for any.",
            ("reason",),
            registry=self._registry,
        )
        for reason in ("minute", "day", "too-costly"):
            self._refused_units.labels(reason)
        self._queue_up = self._gauge("personne_queue_up", "1 when the queue answered this scrape.")
        self._depth = self._gauge("personne_queue_depth", "Jobs waiting, by lane.", ("lane",))
        self._running = self._gauge("personne_jobs_running", "Jobs in workers' hands, by lane.", ("lane",))
        self._retries = self._gauge("personne_job_retries", "Deliveries that were retried since the queue began.")
        self._dead = self._gauge("personne_dead_jobs", "Jobs given up since the queue began.")
        self._workers = self._gauge("personne_workers", "Live workers, by whether they are warm.", ("ready",))

    def job_done(self, result: JobResult) -> None:
        """Count what the stages of a job took."""
        for stage, histogram in self._stages.items():
            if stage in result.timings_ms:
                histogram.observe(result.timings_ms[stage] / 1000)
        self.batch_size.observe(result.batch_size)

    def units_refused(self, reason: str, units: int) -> None:
        """Count what somebody may not have now."""
        self._refused_units.labels(reason).inc(units)

    def scrape(self, state: QueueState | None) -> bytes:
        """The exposition. state: what the queue says now; None when it cannot be reached."""
        self._queue_up.set(state is not None)
        if state is not None:
            _set_by_label(self._depth, state.waiting)
            _set_by_label(self._running, state.running)
            self._retries.set(state.retries)
            self._dead.set(state.dead)
            warm = sum(worker.ready for worker in state.workers)
            _set_by_label(self._workers, {"yes": warm, "no": len(state.workers) - warm})
        return generate_latest(self._registry)

    def _histogram(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Histogram:
        return Histogram(name, text, labels, buckets=_SECONDS, registry=self._registry)

    def _gauge(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(name, text, labels, registry=self._registry)


def _set_by_label(gauge: Gauge, figures: Mapping[Lane, int] | Mapping[str, int]) -> None:
    for label, figure in figures.items():
        gauge.labels(str(label)).set(figure)


class CountRequests:
    """ASGI middleware: counts each answer under its route's template, never under the address itself (unbounded)."""

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self._app = app
        self._meters = meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        code = 500

        async def noting_code(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting_code)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            self._meters.requests.labels(route, str(code)).inc()
            self._meters.request_seconds.labels(route).observe(perf_counter() - began)
