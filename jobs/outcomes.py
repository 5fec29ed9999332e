"""The failures that a queue itself gives, in one wording for every queue."""

from jobs.contract import JobFailure


def cancelled() -> JobFailure:
    return JobFailure("cancelled", "The job was cancelled.")


def deadline_passed() -> JobFailure:
    return JobFailure("deadline-passed", "Nobody took the job before its deadline; nobody waits for it any more.")


def given_up(deliveries: int, reason: str) -> JobFailure:
    return JobFailure("job-failed", f"The job failed {deliveries} times and was given up; the last reason: {reason}")
