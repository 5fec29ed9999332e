"""Promises that no other measurement here covers, each as its caller meets it, beside what was asked.

    python -m benchmarks.promises [--rounds 20] [--json FILE]

Real processes: redis-server, `personne web`, `personne worker`. Where something is to wait, the worker is halted
(SIGSTOP), so that no luck decides. Exits with 1 when a promise is broken.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks import promised_jobs, promised_pictures
from benchmarks.promised import Here, Row
from benchmarks.stage import Stage, ended_by_sigterm

Measurement = Callable[[Here], Iterator[Row]]
ALL: tuple[Measurement, ...] = (
    promised_jobs.first_after_ready,
    promised_jobs.submit_at_redis,
    promised_jobs.cancel_waiting,
    promised_jobs.cancel_running,
    promised_jobs.client_gone,
    promised_jobs.first_event,
    promised_pictures.the_same_face,
    promised_pictures.photo_of_another_size,
    promised_pictures.bombs,
    promised_pictures.endless_body,
)


def measure(rounds: int, say: Callable[[Row], None], settings: dict[str, str] | None = None) -> list[Row]:
    """All of it on a stage of its own."""
    rows = list[Row]()
    with ExitStack() as stack:
        stage = Stage(stack, settings)
        with httpx.Client(base_url=stage.address, timeout=60, trust_env=False) as client:
            for measurement in ALL:
                for row in measurement(Here(stage, client, rounds)):
                    say(row)
                    rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="of each measurement (20)")
    parser.add_argument("--json", type=Path, help="write the rows there, too")
    options = parser.parse_args()
    ended_by_sigterm()
    console = Console()
    rows = measure(options.rounds, lambda row: console.log(row.promise, row.measured))
    table = Table("promise", "asked", "measured", "kept")
    for row in rows:
        table.add_row(row.promise, row.asked, row.measured, "yes" if row.is_kept else "NO")
    console.print(table)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows]))
    sys.exit(not all(row.is_kept for row in rows))


if __name__ == "__main__":
    main()
