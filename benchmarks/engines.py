"""What an exported graph gains over the PyTorch network it was drawn from, family by family, on this machine.

    python -m benchmarks.engines [--family stylegan2 --family cyclegan] [--model faces] [--quick] [--threads N]

Networks of the published shapes with random weights, or models that are here (`--model`), are exported, and every
engine draws the same pictures as PyTorch eager: in turn, in one process, round after round, so that whatever else the
machine does meets all of them. The least time of each counts; other work only ever slows one down. Matrix products ride
in the same rounds: their rate is what this machine can do in that precision, and each engine's share of it is
comparable between machines.

On a machine with much other work even the least time is waiting. There `--clock cpu --threads 1` compares what the
processor spent instead.
"""

import argparse
import json
import math
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from rich.console import Console
from rich.table import Table
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.engine_cases import Case, cases, wanted
from models.engines.engine import Array, Engine
from models.engines.errors import EngineRefused
from models.engines.opening import open_engine
from models.export.graphs import Graph
from models.export.onnx_graph import draw_graph, save_graph

DEVICES = "cpu,openvino:f32,openvino:bf16"
TORCH = "torch"
GEMM_DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}
GEMM_SIDE = 1536
CLOCKS: Mapping[str, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}
MIN_ROUNDS = 5
WIDTH = 104


@dataclass
class Runner:
    """Something that is timed, run by run.

    flop: of one run. precision: whose matrix products it is held against.
    """

    name: str
    run: Callable[[], Any]
    pictures: int
    flop: float
    precision: str
    clock: Callable[[], float]
    seconds: list[float] = field(default_factory=list)

    def time(self) -> None:
        """One more run."""
        started = self.clock()
        self.run()
        self.seconds.append((self.clock() - started) / self.pictures)

    @property
    def flop_per_second(self) -> float:
        return self.flop / self.pictures / min(self.seconds)


@dataclass(frozen=True)
class Result:
    """One engine on one network. share: of the rate of matrix products. levels: largest difference from PyTorch."""

    network: str
    engine: str
    gflop: float
    ms: float
    times_torch: float
    share: float
    gemm_gflop_per_second: float
    levels: int
    psnr: float


def measure(case: Case, options: argparse.Namespace) -> list[Result]:
    """All engines on one network."""
    graph = case.graph()
    inputs = graph.random_inputs(np.random.default_rng(0), options.batch, case.side, case.side)
    tensors = [torch.from_numpy(array) for array in inputs.values()]
    clock = CLOCKS[options.clock]
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as engines:
        path = Path(scratch) / "graph.onnx"
        save_graph(draw_graph(graph), path)
        flop = flop_of(graph, tensors)

        def runner(name: str, run: Callable[[], Any]) -> Runner:
            return Runner(name, run, options.batch, flop, "bf16" if name.endswith("bf16") else "f32", clock)

        runners = [runner(TORCH, lambda: {graph.output: graph(*tensors).numpy()})]
        for device in options.devices.split(","):
            engine = engines.enter_context(closing(open_engine(path, device, options.threads)))
            runners.append(runner(engine.device, lambda engine=engine: engine.run(inputs)))
        gemms = [torch_gemm(precision, clock) for precision in sorted({each.precision for each in runners})]
        save_product(path)
        for device in dict.fromkeys(each.name for each in runners if each.precision == "f32" and each.name != TORCH):
            product = engines.enter_context(closing(open_engine(path, device, options.threads)))
            gemms.append(engine_gemm(product, clock))
        with torch.inference_mode():
            pictures = {each.name: each.run()[graph.output] for each in runners}
            take_turns([*runners, *gemms], options.seconds)
    return [result_of(case.title, each, runners[0], best(gemms, each.precision), pictures) for each in runners]


def flop_of(graph: Graph, tensors: Sequence[torch.Tensor]) -> float:
    """Multiplications and additions of one run: convolutions, filters and matrix products."""
    with FlopCounterMode(display=False) as counter:
        graph(*tensors)
    return float(counter.get_total_flops())


def torch_gemm(precision: str, clock: Callable[[], float]) -> Runner:
    """A square matrix product by PyTorch."""
    left, right = torch.randn(2, GEMM_SIDE, GEMM_SIDE).to(GEMM_DTYPES[precision])
    return Runner(TORCH, lambda: left @ right, 1, 2.0 * GEMM_SIDE**3, precision, clock)


def save_product(path: Path) -> None:
    """The graph of a square matrix product in float32: PyTorch's is not the fastest on every processor."""
    right = np.random.default_rng(0).standard_normal((GEMM_SIDE, GEMM_SIDE), dtype=np.float32)
    shape = ["batch", GEMM_SIDE, GEMM_SIDE]
    product = helper.make_graph(
        [helper.make_node("MatMul", ["left", "right"], ["product"])],
        "product",
        [helper.make_tensor_value_info("left", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("product", TensorProto.FLOAT, shape)],
        initializer=[numpy_helper.from_array(right, "right")],
    )
    onnx.save(helper.make_model(product, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)


def engine_gemm(engine: Engine, clock: Callable[[], float]) -> Runner:
    """The same by an engine."""
    left = np.random.default_rng(1).standard_normal((1, GEMM_SIDE, GEMM_SIDE), dtype=np.float32)
    return Runner(engine.device, lambda: engine.run({"left": left}), 1, 2.0 * GEMM_SIDE**3, "f32", clock)


def best(gemms: Sequence[Runner], precision: str) -> Runner:
    """The fastest products of a precision: the limit."""
    return max((each for each in gemms if each.precision == precision), key=lambda each: each.flop_per_second)


def take_turns(runners: Sequence[Runner], seconds: float) -> None:
    """Round after round, each once a round, until each has had `seconds` on average, and at least MIN_ROUNDS."""
    for runner in runners:
        runner.run()
    until = time.perf_counter() + seconds * len(runners)
    rounds = 0
    while rounds < MIN_ROUNDS or time.perf_counter() < until:
        for runner in runners:
            runner.time()
        rounds += 1


def result_of(
    network: str, runner: Runner, torch_runner: Runner, limit: Runner, pictures: Mapping[str, Array]
) -> Result:
    """The least times, beside PyTorch's and beside the limit."""
    difference = pictures[runner.name].astype(np.int16) - pictures[TORCH].astype(np.int16)
    error = float((difference.astype(np.float64) ** 2).mean())
    return Result(
        network=network,
        engine=runner.name,
        gflop=runner.flop / runner.pictures / 1e9,
        ms=1e3 * min(runner.seconds),
        times_torch=min(torch_runner.seconds) / min(runner.seconds),
        share=runner.flop_per_second / limit.flop_per_second,
        gemm_gflop_per_second=limit.flop_per_second / 1e9,
        levels=int(np.abs(difference).max()),
        psnr=10 * math.log10(255**2 / error) if error else math.inf,
    )


def table_of(results: Sequence[Result], options: argparse.Namespace) -> Table:
    """For people."""
    table = Table(title=f"{options.threads} threads, batch {options.batch}, {options.clock} clock: a picture")
    for heading in ("network", "GFLOP", "engine", "ms", "x torch", "GEMM", "of GEMM", "levels", "PSNR"):
        table.add_column(heading, justify="left" if heading in ("network", "engine") else "right", no_wrap=True)
    before = ""
    for row in results:
        if before not in ("", row.network):
            table.add_section()
        head = (row.network, f"{row.gflop:.1f}") if row.network != before else ("", "")
        before = row.network
        table.add_row(
            *head,
            row.engine,
            f"{row.ms:.1f}",
            f"{row.times_torch:.2f}",
            f"{row.gemm_gflop_per_second:.0f}",
            f"{row.share:.0%}",
            "" if row.engine == TORCH else str(row.levels),
            "" if row.engine == TORCH else f"{row.psnr:.1f}",
        )
    return table


def parse() -> argparse.Namespace:
    known = list(cases(quick=False))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", action="append", choices=known, help="may be given several times; none: all")
    parser.add_argument("--model", action="append", default=[], help="a model that is here, by name; several times")
    parser.add_argument("--store", type=Path, help="where models lie beside the bundled ones")
    parser.add_argument("--quick", action="store_true", help="small networks, few rounds")
    parser.add_argument("--devices", default=DEVICES, help=f"engines, with commas between ({DEVICES})")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="what is measured (wall)")
    parser.add_argument("--seconds", type=float, help="how long each engine is measured (3; quick: 0.2)")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    options.seconds = options.seconds or (0.2 if options.quick else 3.0)
    return options


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    console = Console(width=max(Console().width, WIDTH))
    results: list[Result] = []
    for case in wanted(options.family, options.model, options.store, quick=options.quick):
        try:
            results += measure(case, options)
        except EngineRefused as error:
            raise SystemExit(f"{error} (--devices)") from None
        console.print(f"{case.title} is measured")
        if options.json:
            options.json.write_text(json.dumps([asdict(row) for row in results], indent=2) + "\n")
    console.print(table_of(results, options))


if __name__ == "__main__":
    main()
