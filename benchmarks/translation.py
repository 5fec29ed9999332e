"""What a photo's translation takes: time, processor time and memory by megapixels, beside plain PyTorch.

    python -m benchmarks.translation [--style monet] [--megapixels 0.3,3,12] [--devices cpu,openvino:bf16] [--json FILE]

Each row is a process of its own, so that its memory is its own. Ours is the worker's task on a JPEG, from the bytes
that came to the bytes that leave, in tiles where the photo is large. PyTorch is the same network, eager, on the same
pixels in one piece, as the published code does it, in float32 and by autocast in bfloat16; photos over `--most-whole`
megapixels are not tried so: the memory that takes grows with the photo. The last column is what the photo's pixels cost
the network in one piece, as a share of the matrix products that this machine does in the same time and precision:
decoding, tiles that overlap and encoding count as lost. `python -m benchmarks.engines --model monet` has the network
alone.
"""

import argparse
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from jobs.contract import PHOTO, PictureFormat, TranslateJob
from models.catalogue import Catalogue, ModelEntry, find_models
from models.engines.opening import open_engine
from worker.config import WorkerConfig
from worker.loaded_models import LoadedModels
from worker.tasks.translate import TranslateTask

TORCH = "torch"
TORCH_HALF = "torch:bf16"
PRODUCTS = "products"
PRODUCTS_S = 2.0
ASPECT = 4 / 3
WARM_SIDE = 256


def photo(megapixels: float) -> bytes:
    """A JPEG with detail at every scale, as photographs have it: noise whose power falls with the frequency."""
    height = round((megapixels * 1e6 / ASPECT) ** 0.5)
    width = round(height * ASPECT)
    random = np.random.default_rng(0)
    pixels = np.zeros((height, width, 3), np.float32)
    side = 4
    while side < height:
        coarse = Image.fromarray(random.integers(0, 256, (side, side, 3), dtype=np.uint8))
        pixels += np.asarray(coarse.resize((width, height), Image.Resampling.BILINEAR), np.float32) / side**0.5
        side *= 2
    pixels = (pixels - pixels.min()) / (pixels.max() - pixels.min()) * 255
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def ours(entry: ModelEntry, device: str, body: bytes, threads: int) -> dict[str, float]:
    """The worker's task, once its model is warm."""
    config = WorkerConfig("benchmark", device=device, threads=threads)
    models = LoadedModels(Catalogue({entry.manifest.name: entry}), config)
    task = TranslateTask(config.tile_side, config.max_photo_pixels)
    job = TranslateJob(model=entry.translator.digest, strength=1.0, format=PictureFormat.JPEG)
    models.open()
    try:
        with models.held(job.model) as model:

            def run(photo: bytes) -> None:
                inputs = {PHOTO: photo}
                task.finish(job, task.run(job, task.prepare(job, inputs, model), model, lambda _: None), inputs)

            run(_small(body))
            return timed(lambda: run(body))
    finally:
        models.close()


def plain(entry: ModelEntry, body: bytes, threads: int, *, half: bool) -> dict[str, float]:
    """PyTorch eager on the whole photo. half: its convolutions in bfloat16."""
    # Here, so that the rows of ours are without torch's memory, as workers are.
    import torch  # noqa: PLC0415

    from models.export.rebuild import rebuild  # noqa: PLC0415

    torch.set_num_threads(threads)
    network = rebuild(entry)

    @torch.inference_mode()
    def run(photo: bytes) -> None:
        pixels = np.asarray(Image.open(io.BytesIO(photo)).convert("RGB"))
        multiple = entry.translator.size_multiple
        height, width = (side // multiple * multiple for side in pixels.shape[:2])
        x = torch.from_numpy(pixels[:height, :width].copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            y = network(x).float()
        y = ((y + 1) * 127.5).clamp(0, 255).round().to(torch.uint8)
        Image.fromarray(y[0].permute(1, 2, 0).numpy()).save(io.BytesIO(), "JPEG", quality=90)

    run(_small(body))
    return timed(lambda: run(body))


def limits(entry: ModelEntry, threads: int) -> dict[str, float]:
    """What the machine can do and what the network asks: products of matrices a second by precision, in FLOP, and FLOP
    of a pixel."""
    # Here for the same reason as above.
    import torch  # noqa: PLC0415

    from benchmarks import engines  # noqa: PLC0415
    from models.export.export_model import graphs_of  # noqa: PLC0415
    from models.export.rebuild import rebuild  # noqa: PLC0415

    torch.set_num_threads(threads)
    (graph,) = graphs_of(rebuild(entry), entry.manifest.family).values()
    inputs = graph.random_inputs(np.random.default_rng(0), 1, WARM_SIDE, WARM_SIDE)
    tensors = [torch.from_numpy(array) for array in inputs.values()]
    with tempfile.TemporaryDirectory() as scratch, torch.inference_mode():
        flop = engines.flop_of(graph, tensors)
        path = Path(scratch) / "product.onnx"
        engines.save_product(path)
        with closing(open_engine(path, "cpu", threads)) as engine:
            gemms = [engines.torch_gemm(precision, time.perf_counter) for precision in ("f32", "bf16")]
            gemms.append(engines.engine_gemm(engine, time.perf_counter))
            engines.take_turns(gemms, PRODUCTS_S)
    rates = {precision: engines.best(gemms, precision).flop_per_second for precision in ("f32", "bf16")}
    return {**rates, "flop_per_pixel": flop / WARM_SIDE**2}


def timed(run: Any) -> dict[str, float]:
    """One run: seconds, seconds of processor, and the most memory that the process ever had."""
    wall, processor = time.perf_counter(), time.process_time()
    run()
    return {
        "seconds": time.perf_counter() - wall,
        "processor_seconds": time.process_time() - processor,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _small(body: bytes) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(body)).resize((WARM_SIDE, WARM_SIDE)).save(buffer, "JPEG")
    return buffer.getvalue()


def in_a_process(options: argparse.Namespace, engine: str, megapixels: float) -> dict[str, float]:
    """A row, measured by this file in another process."""
    asked = ["--style", options.style, "--threads", str(options.threads), "--row", engine, str(megapixels)]
    store = ["--store", str(options.store)] if options.store else []
    # Started afresh, not forked: a fork's peak memory begins at its parent's.
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.translation", *asked, *store], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{engine} at {megapixels:g} megapixels failed: {done.stderr.strip().splitlines()[-1]}")
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def row(options: argparse.Namespace) -> dict[str, float]:
    engine, megapixels = options.row[0], float(options.row[1])
    entry = find_models(options.store).named(options.style)
    if engine == PRODUCTS:
        return limits(entry, options.threads)
    body = photo(megapixels)
    if engine in (TORCH, TORCH_HALF):
        return plain(entry, body, options.threads, half=engine == TORCH_HALF)
    return ours(entry, engine, body, options.threads)


def share_of(row: dict[str, Any], can: dict[str, float]) -> float:
    """How much of the machine's matrix products the photo's pixels would have filled."""
    precision = "bf16" if row["engine"].endswith("bf16") else "f32"
    return float(row["megapixels"] * 1e6 * can["flop_per_pixel"] / row["seconds"] / can[precision])


def table_of(rows: list[dict[str, Any]], can: dict[str, float], options: argparse.Namespace) -> Table:
    """For people. times torch: in seconds, in float32, at the same size."""
    rates = f"{can['f32'] / 1e9:.0f} GFLOP/s of products in float32, {can['bf16'] / 1e9:.0f} in bfloat16"
    table = Table(title=f"{options.style}, {options.threads} threads: a photo; {rates}")
    for heading in ("megapixels", "engine", "s", "processor s", "peak MB", "x torch", "of GEMM"):
        table.add_column(heading, justify="left" if heading == "engine" else "right", no_wrap=True)
    of_torch = {row["megapixels"]: row["seconds"] for row in rows if row["engine"] == TORCH}
    for each in rows:
        times = of_torch[each["megapixels"]] / each["seconds"] if each["megapixels"] in of_torch else None
        table.add_row(
            f"{each['megapixels']:g}",
            each["engine"],
            f"{each['seconds']:.2f}",
            f"{each['processor_seconds']:.2f}",
            f"{each['peak_mb']:.0f}",
            "" if times is None else f"{times:.2f}",
            f"{share_of(each, can):.0%}",
        )
    return table


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--style", default="monet")
    parser.add_argument("--store", type=Path, help="where styles lie beside the bundled ones")
    parser.add_argument("--megapixels", default="0.3,3,12", help="sizes, with commas between")
    parser.add_argument("--devices", default="cpu,openvino:f32,openvino:bf16", help="engines, with commas between")
    parser.add_argument("--most-whole", type=float, default=3.0, help="largest photo that PyTorch is given (3)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    parser.add_argument("--row", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    options = parse()
    if options.row:
        print(json.dumps(row(options)))
        return
    console = Console()
    can = in_a_process(options, PRODUCTS, 0)
    rows: list[dict[str, Any]] = []
    for megapixels in map(float, options.megapixels.split(",")):
        engines = ([TORCH, TORCH_HALF] if megapixels <= options.most_whole else []) + options.devices.split(",")
        for engine in engines:
            rows.append({"megapixels": megapixels, "engine": engine, **in_a_process(options, engine, megapixels)})
            console.print(f"{engine} at {megapixels:g} megapixels is measured")
        if options.json:
            options.json.write_text(json.dumps({"limits": can, "rows": rows}, indent=2) + "\n")
    console.print(table_of(rows, can, options))


if __name__ == "__main__":
    main()
