"""Entries of a lane's stream, read as deliveries."""

import time

from jobs.codec import job_and_trace
from jobs.contract import Delivery, JobId, Lane

Entry = tuple[bytes, dict[bytes, bytes], int]
"""An entry's id, its fields, and how often this very entry was delivered."""


def delivery_of(lane: Lane, entry: Entry) -> Delivery:
    """Raises WireError, KeyError or ValueError for one that no release of ours wrote, or a later one."""
    receipt, fields, count = entry
    return Delivery(
        id=JobId(fields[b"id"].decode()),
        **job_and_trace(fields[b"job"]),
        lane=lane,
        delivery_count=int(fields[b"deliveries"]) + count,
        submitted_at_ms=int(fields[b"submitted_at_ms"]),
        deadline_ms=_deadline_ms(entry),
        receipt=receipt.decode(),
    )


def is_told(entry: Entry) -> bool:
    """Whether what happens to the job is kept for whoever asks: nobody waits for it on the line."""
    return entry[1].get(b"events") == b"1"


def _deadline_ms(entry: Entry) -> int:
    """Until when somebody must begin the job: one that was begun before has as long again, from when it came back."""
    _, fields, count = entry
    submitted, deadline = int(fields[b"submitted_at_ms"]), int(fields[b"deadline_ms"])
    if not is_told(entry):
        return deadline
    if count > 1:
        # Its worker has died with it, and it is in hand again already.
        again = time.time_ns() // 1_000_000
    elif b"again_ms" in fields:
        again = int(fields[b"again_ms"])
    else:
        return deadline
    return again + deadline - submitted
