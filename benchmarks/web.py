"""How fast faces leave the web, through the queue and from the pool, beside a plain handler without either.

    python -m benchmarks.web [--model faces | FOLDER] [--clients 1,8,32] [--seconds 9] [--turns 3] [--pool 500]

Three services, each a process of its own on loopback, loaded from this one, one at a time and in short turns, so that
whatever else the machine does hits them alike:
  plain  a FastAPI handler that runs the same graphs per request in a thread, batch of one
  queue  `personne serve` without a pool: every face through the queue, in the worker's batches
  pool   `personne serve` with --pool faces made ahead; measured while they last
"""

import argparse
import asyncio
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import plain_web
from benchmarks.connection import HOST, Client, connect
from models.catalogue import open_model
from personne import run_embedded
from personne.settings import Settings, read_settings

SHAPES = ("plain", "queue", "pool")


@dataclass
class Measured:
    """What the clients saw of one service at one number of clients."""

    latencies_ms: list[float] = field(default_factory=list)
    elapsed_s: float = 0.0

    def add(self, other: "Measured") -> None:
        self.latencies_ms += other.latencies_ms
        self.elapsed_s += other.elapsed_s

    @property
    def rate(self) -> float:
        return len(self.latencies_ms) / self.elapsed_s

    def percentile(self, percent: int) -> float:
        return statistics.quantiles(self.latencies_ms, n=100, method="inclusive")[percent - 1]


async def load(port: int, clients: int, seconds: float, most: int | None) -> Measured:
    """Every client asks for the next face as soon as it has one, for so many seconds or faces in all."""
    measured = Measured()
    connections = [await connect(port) for _ in range(clients)]
    left = most if most is not None else sys.maxsize
    until = time.perf_counter() + (seconds if most is None else float("inf"))

    async def ask(client: Client) -> None:
        nonlocal left
        while left > 0 and time.perf_counter() < until:
            left -= 1
            began = time.perf_counter()
            status, body = await client.get("/face")
            if status != 200:
                raise SystemExit(f"/face answered {status}: {body.decode(errors='replace')}")
            measured.latencies_ms.append((time.perf_counter() - began) * 1000)

    began = time.perf_counter()
    await asyncio.gather(*map(ask, connections))
    measured.elapsed_s = time.perf_counter() - began
    for client in connections:
        client.close()
    return measured


async def wait_until(port: int, ready_faces: int) -> None:
    """Until the service is warm and its pool is full."""
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        try:
            client = await connect(port)
        except OSError:
            await asyncio.sleep(0.2)
            continue
        status, _ = await client.get("/readyz")
        _, metrics = await client.get("/metrics")
        client.close()
        if status == 200 and (not ready_faces or f"\npersonne_ready_faces {float(ready_faces)}\n" in metrics.decode()):
            return
        await asyncio.sleep(0.2)
    raise SystemExit(f"The service on port {port} was not ready within 10 minutes.")


@contextmanager
def service(shape: str, arguments: argparse.Namespace) -> Iterator[int]:
    """One of the services as a process of its own; its port."""
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.web", "--serve", shape, "--port", str(port)]
    command += ["--model", arguments.model, "--pool", str(arguments.pool)]
    command += ["--threads", str(arguments.threads)] if arguments.threads else []
    process = subprocess.Popen(command)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(60)


def settings_for(shape: str, arguments: argparse.Namespace) -> Settings:
    """As the front door would read them, for the model that is measured."""
    folder = Path(arguments.model)
    is_folder = folder.is_dir()
    return read_settings(
        host=HOST,
        port=arguments.port,
        store=folder.parent if is_folder else None,
        default_model=open_model(folder, "store").manifest.name if is_folder else arguments.model,
        ready_faces=arguments.pool if shape == "pool" else 0,
        threads=arguments.threads,
        log_level="warning",
    )


def serve(shape: str, arguments: argparse.Namespace) -> None:
    """Be one of the services until terminated."""
    settings = settings_for(shape, arguments)
    (plain_web if shape == "plain" else run_embedded).run(settings)


def measure(arguments: argparse.Namespace) -> dict[tuple[str, int], Measured]:
    """All services run; one at a time is loaded, in short turns."""
    results = {(shape, clients): Measured() for clients in arguments.clients for shape in SHAPES}
    with ExitStack() as stack:
        ports = {shape: stack.enter_context(service(shape, arguments)) for shape in SHAPES}
        for clients in arguments.clients:
            for turn in range(arguments.turns + 1):
                for shape, port in ports.items():
                    seen = asyncio.run(one_turn(port, clients, arguments, arguments.pool if shape == "pool" else 0))
                    if turn:  # the first one warms up
                        results[shape, clients].add(seen)
    return results


async def one_turn(port: int, clients: int, arguments: argparse.Namespace, pool: int) -> Measured:
    """One shape loaded, the others idle: a pool that refills would take the machine from them."""
    await wait_until(port, pool)
    seen = await load(port, clients, arguments.seconds / arguments.turns, pool or None)
    await wait_until(port, pool)
    return seen


def report(results: dict[tuple[str, int], Measured], clients: list[int]) -> None:
    print(f"{'clients':>7}  {'path':<6} {'faces/s':>9} {'p50 ms':>9} {'p99 ms':>9} {'x plain':>8}")
    for count in clients:
        plain = results["plain", count]
        for shape in SHAPES:
            one = results[shape, count]
            figures = (
                f"{one.rate:9.1f} {one.percentile(50):9.2f} {one.percentile(99):9.2f} {one.rate / plain.rate:8.2f}"
            )
            print(f"{count:>7}  {shape:<6} {figures}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="faces")
    parser.add_argument("--clients", type=lambda text: [int(part) for part in text.split(",")], default=[1, 8, 32])
    parser.add_argument("--seconds", type=float, default=9.0)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--pool", type=int, default=500)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--serve", choices=SHAPES, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, arguments)
    else:
        report(measure(arguments), arguments.clients)


if __name__ == "__main__":
    main()
