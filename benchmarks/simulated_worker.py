"""A worker process whose engine only sleeps: what is left is the queue. Run by the queue's benchmark and chaos runs.

python -m benchmarks.simulated_worker redis://127.0.0.1:6379/0 w1 --batch 8 --base-ms 4 --item-ms 0.3 --lease 3
"""

import argparse
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from jobs.contract import Delivery, JobResult, Lane
from jobs.queue import DEFAULT_POLICY
from jobs.redis_queue import RedisSource


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("worker_id")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--base-ms", type=float, default=4.0)
    parser.add_argument("--item-ms", type=float, default=0.3)
    parser.add_argument("--lease", type=float, default=3.0)
    parser.add_argument("--max-deliveries", type=int, default=3)
    args = parser.parse_args()
    policy = replace(DEFAULT_POLICY, lease_s=args.lease, max_deliveries=args.max_deliveries)
    source = RedisSource(args.url, args.worker_id, policy)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    print("ready", flush=True)
    with ThreadPoolExecutor(2) as finishers:
        finishing: list[Future[None]] = []
        while not stopping.is_set():
            taken = source.take((Lane.QUICK,), max_jobs=args.batch, wait_ms=500)
            if taken:
                time.sleep((args.base_ms + args.item_ms * len(taken)) / 1000)
                # As in the real worker: these were finished while the batch ran, and no more than two are under way.
                for done in finishing:
                    done.result()
                halves = (taken[::2], taken[1::2])
                finishing = [finishers.submit(finish, source, half, len(taken)) for half in halves if half]
    source.close()


def finish(source: RedisSource, taken: Sequence[Delivery], batch_size: int) -> None:
    """Answer each job with its own seed."""
    for delivery in taken:
        source.finish(delivery, JobResult(str(delivery.job.seed).encode(), "text/plain", batch_size=batch_size))


if __name__ == "__main__":
    main()
