"""Ten times as much is asked as can be made: who is refused, how soon, and what becomes of those who are let in.

    python -m benchmarks.overload [--seconds 60] [--times 10] [--workers 1] [--json FILE]

Real processes: redis-server, `personne web`, `personne worker`, and the callers in a process of their own. First what
the service can do (16 callers in turn), and how long a face takes while little is asked (a fifth of that); then so many
times as much, at an even pace, for so many seconds. The first five of them are the burst that the service lets queue,
and are shown apart. Exits with 1 when a promise is broken: refusals come as 503 problem documents with
Retry-After within 50 ms (99 of 100), the accepted take at most twice as long as unloaded (99 of 100), and no process
grows.
"""

import argparse
import json
import statistics
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.offered_load import Offered, offered
from benchmarks.stage import Stage, ended_by_sigterm

WARM_S = 3.0
BURST_S = 5.0
CALLERS = 16
UNLOADED_SHARE = 0.2
REFUSED_WITHIN_MS = 50.0
ACCEPTED_TIMES = 2.0
RESULTS_S = 3.0
"""How long results are kept here, so that Redis has its level before the burst is over."""
FLAT, NOISE_MB = 0.01, 0.25
"""A process that has grown by less than either has not grown."""


@dataclass
class Seen:
    """What was measured. machine_ms: p99 of /livez while nothing else is asked, which is what the machine itself adds.
    grown: share by which each process grew from the end of the burst to the end."""

    capacity: float
    machine_ms: float
    unloaded: Offered
    burst: Offered
    overload: Offered
    grown: dict[str, float]
    resident_mb: dict[str, float]

    @property
    def broken(self) -> list[str]:
        """The promises that were."""
        unloaded_ms, accepted_ms = p(99, self.unloaded.answered_ms), p(99, self.overload.answered_ms)
        found = {
            "something was neither a face nor a proper refusal": bool(self.overload.others or self.burst.others),
            "nobody was refused: it was no overload": not self.overload.refused,
            "refusals took too long": p(99, self.overload.refused_ms) > REFUSED_WITHIN_MS,
            "the accepted waited too long": accepted_ms > ACCEPTED_TIMES * unloaded_ms,
            "memory grew": any(self._is_larger(name) for name in self.grown),
        }
        return [promise for promise, is_broken in found.items() if is_broken]

    def _is_larger(self, name: str) -> bool:
        share = self.grown[name]
        return share > FLAT and share * self.resident_mb[name] > NOISE_MB


def p(percent: int, latencies_ms: list[float]) -> float:
    """A percentile; 0 of none."""
    if len(latencies_ms) < 2:
        return latencies_ms[0] if latencies_ms else 0.0
    return statistics.quantiles(latencies_ms, n=100, method="inclusive")[percent - 1]


def measure(seconds: float, times: float, workers: int, settings: dict[str, str] | None = None) -> Seen:
    """All of it, on a stage of its own."""
    with ExitStack() as stack:
        stage = Stage(stack, {"PERSONNE_RESULT_TTL_S": str(RESULTS_S), **(settings or {})}, workers=workers)
        offered(stage.port, WARM_S, callers=CALLERS)
        capacity = offered(stage.port, max(WARM_S, seconds / 4), callers=CALLERS).rate
        calm_s = max(WARM_S, seconds / 2)
        machine = offered(stage.port, WARM_S, rate=UNLOADED_SHARE * capacity, path="/livez")
        unloaded = offered(stage.port, calm_s, rate=UNLOADED_SHARE * capacity)
        before = dict[str, float]()
        looking = threading.Timer(min(BURST_S, seconds / 2), lambda: before.update(stage.resident_mb()))
        looking.daemon = True
        looking.start()
        whole = offered(stage.port, seconds, rate=times * capacity)
        looking.join()
        # What is asked has ended; what was asked last is still being put away.
        time.sleep(1)
        after = stage.resident_mb()
        stage_said = stage.web.said + "".join(worker.said for worker in stage.workers)
    if "Traceback" in stage_said:
        raise SystemExit(stage_said)
    burst_s = min(BURST_S, seconds / 2)
    burst, overload = whole.between(0, burst_s), whole.between(burst_s, seconds)
    grown = {name: after[name] / before[name] - 1 for name in after}
    return Seen(capacity, p(99, machine.answered_ms), unloaded, burst, overload, grown, after)


def table_of(seen: Seen, times: float) -> Table:
    """For people."""
    title = f"{seen.capacity:.0f} faces/s at most; then {times:g} times as much is asked"
    table = Table(title=title, caption=f"p99 of /livez alone: {seen.machine_ms:.1f} ms")
    for heading in (
        "",
        "faces/s",
        "p50 ms",
        "p99 ms",
        "most ms",
        "refused/s",
        "p50 ms",
        "p99 ms",
        "most ms",
        "sent late",
    ):
        table.add_column(heading)
    for name, one in (("unloaded", seen.unloaded), ("burst", seen.burst), ("overload", seen.overload)):
        table.add_row(
            name,
            f"{one.rate:.1f}",
            *_figures(one.answered_ms),
            f"{len(one.refused) / one.seconds:.1f}",
            *_figures(one.refused_ms),
            f"{p(99, one.late_ms):.0f}",
        )
    return table


def _figures(latencies_ms: list[float]) -> tuple[str, str, str]:
    return (
        f"{p(50, latencies_ms):.1f}",
        f"{p(99, latencies_ms):.1f}",
        f"{max(latencies_ms, default=0.0):.1f}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="of the overload (60)")
    parser.add_argument("--times", type=float, default=10.0, help="what it can do (10)")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    ended_by_sigterm()
    seen = measure(options.seconds, options.times, options.workers)
    if options.json:
        options.json.write_text(json.dumps(asdict(seen)))
    console = Console()
    console.print(table_of(seen, options.times))
    for name, share in seen.grown.items():
        console.print(f"{name}: {seen.resident_mb[name]:.1f} MB, {share:+.2%} since the burst")
    console.print("; ".join(seen.broken) or "every promise kept")
    sys.exit(bool(seen.broken))


if __name__ == "__main__":
    main()
