"""What every queue does alike with outcomes: the failures that it gives itself, and how long a result is kept."""

from jobs.contract import JobFailure, JobOutcome, JobResult
from jobs.queue import QueuePolicy


def cancelled() -> JobFailure:
    return JobFailure("cancelled", "The job was cancelled.")


def deadline_passed() -> JobFailure:
    return JobFailure("deadline-passed", "Nobody took the job before its deadline; nobody waits for it any more.")


def given_up(deliveries: int, reason: str) -> JobFailure:
    return JobFailure("job-failed", f"The job failed {deliveries} times and was given up; the last reason: {reason}")


def kept_s(outcome: JobOutcome | None, policy: QueuePolicy) -> float:
    """Seconds for which an outcome is kept: the policy's, unless a result says itself."""
    if isinstance(outcome, JobResult) and outcome.keep_s is not None:
        return outcome.keep_s
    return policy.result_ttl_s
