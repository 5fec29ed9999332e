"""Jobs as spans of the trace that their request began, and what the log says of them."""

import logging

from jobs.contract import Delivery, JobFailure, JobResult
from jobs.tracing import Record, Span, TraceContext, about_job, below, now_ns, read_traceparent

log = logging.getLogger(__name__)


class JobTraces:
    """Hands a job's span to `record` when an attempt at it is over."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def done(self, delivery: Delivery, result: JobResult) -> None:
        """It has its result."""
        timings = {f"personne.{stage}_ms": ms for stage, ms in result.timings_ms.items()}
        began = delivery.submitted_at_ms + result.timings_ms.get("queue_wait", 0.0)
        self._end(delivery, round(began * 1e6), {**timings, "personne.batch_size": result.batch_size}, "")

    def failed(self, delivery: Delivery, reason: str) -> None:
        """It was given up, or an attempt failed. reason: a sentence."""
        self._end(delivery, now_ns(), {}, reason)

    def given_up(self, delivery: Delivery, failure: JobFailure) -> None:
        """It will have no result."""
        self.failed(delivery, f"{failure.code}: {failure.reason}")

    def _end(self, delivery: Delivery, began_ns: int, attributes: dict[str, float | int], failed: str) -> None:
        parent = context_of(delivery)
        with about_job(delivery.id, parent):
            log.debug("job %s (%s) %s", delivery.id, delivery.job.kind, failed or "is done")
        if parent is not None and not parent.sampled:
            return
        about: dict[str, str | int | float] = {
            "personne.job_id": delivery.id,
            "personne.model": delivery.job.model,
            "personne.lane": delivery.lane.value,
            "personne.delivery": delivery.delivery_count,
            **attributes,
        }
        context, span_id = below(parent), None if parent is None else parent.span_id
        ended_ns = max(began_ns, now_ns())
        self._record(Span(f"job {delivery.job.kind}", context, span_id, "consumer", began_ns, ended_ns, about, failed))


def context_of(delivery: Delivery) -> TraceContext | None:
    """Where the request that asked for it stands."""
    return read_traceparent(delivery.trace)
