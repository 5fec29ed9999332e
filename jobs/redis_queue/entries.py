"""Entries of a lane's stream, read as deliveries."""

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
        deadline_ms=int(fields[b"deadline_ms"]),
        receipt=receipt.decode(),
    )


def is_told(entry: Entry) -> bool:
    """Whether what happens to the job is kept for whoever asks: nobody waits for it on the line."""
    return entry[1].get(b"events") == b"1"
