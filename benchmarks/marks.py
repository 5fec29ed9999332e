"""What the marks cost on a face of 1024 pixels: time, bytes, and the share of the time that the face itself takes.

    python -m benchmarks.marks [--picture face.jpg] [--rounds 200]

The least time of each counts, by the processor's clock: other work only ever adds to it. What a face takes is given as
a lower bound: the multiplications of StyleGAN2 at 1024x1024, at the rate of this machine's own matrix products.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from jobs.contract import PictureFormat
from marks import Mark, watermark, xmp
from marks.certificates import make_chain
from marks.credentials import Credentials
from marks.recipe import Recipe
from marks.stamp import UNMARKED, Stamp
from marks.verify import verify
from models.networks.architectures import build_untrained
from worker.pictures import Picture, encoded, stamped

SIDE = 1024
RECIPE = Recipe("generate", "faces", "0f1e2d3c4b5a6978", 2847113904, {"truncation_psi": 0.7, "size": SIDE})
STYLEGAN2_F = {
    "z_dim": 512,
    "c_dim": 0,
    "w_dim": 512,
    "img_resolution": SIDE,
    "img_channels": 3,
    "mapping_kwargs": {"num_layers": 8},
    "synthesis_kwargs": {"channel_base": 32768, "channel_max": 512, "conv_clamp": 256},
}


def least_ms(work: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return 1000 * min(times)


def soft_face() -> Picture:
    """As smooth as a portrait: what is busy costs the same."""
    noise = np.random.RandomState(0).randint(0, 256, (24, 24, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(noise).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def generation_ms() -> float:
    """At least so long takes a face of 1024 pixels on two cores."""
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        build_untrained("stylegan2", STYLEGAN2_F)(torch.randn(1, 512))
    left, right = (np.random.rand(1536, 1536).astype(np.float32) for _ in range(2))
    on_one_core_ms = least_ms(lambda: left @ right, 20)
    return on_one_core_ms * counter.get_total_flops() / (2 * 1536**3) / 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    picture = soft_face()
    if options.picture:
        picture = np.asarray(Image.open(options.picture).convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS))
    credentials = Credentials(*make_chain("benchmark"))
    watermark.marked(picture)
    packet = xmp.packet(RECIPE)
    marked_ms = least_ms(lambda: watermark.marked(picture), options.rounds)
    packet_ms = least_ms(lambda: xmp.packet(RECIPE), options.rounds)
    print(f"watermark {marked_ms:.2f} ms, XMP packet {packet_ms:.2f} ms and {len(packet)} bytes")
    bound = generation_ms()
    full = Stamp(tuple(Mark), credentials)
    for kind in PictureFormat:
        rounds = max(5, options.rounds // (10 if kind is not PictureFormat.JPEG else 2))
        plain, body = encoded(picture, kind), encoded(picture, kind, packet).body
        sign_ms = least_ms(lambda b=body, k=kind: credentials.signed(b, k.media_type, RECIPE), options.rounds)  # type: ignore[misc]
        total = marked_ms + packet_ms + sign_ms
        bare_ms = least_ms(lambda k=kind: stamped(picture, k, RECIPE, UNMARKED), rounds)  # type: ignore[misc]
        all_ms = least_ms(lambda k=kind: stamped(picture, k, RECIPE, full), rounds)  # type: ignore[misc]
        signed = credentials.signed(body, kind.media_type, RECIPE)
        marked = stamped(picture, kind, RECIPE, full).body
        print(f"{kind.value}: signing {sign_ms:.2f} ms and {len(signed) - len(body)} bytes;", end=" ")
        print(f"all marks {total:.2f} ms, {total / bound:.2%} or less of a face of {bound:.0f} ms or more;", end=" ")
        print(f"encoded {bare_ms:.1f} ms, marked and encoded {all_ms:.1f} ms;", end=" ")
        print(f"{len(plain.body)} and {len(marked)} bytes")
    found = stamped(picture, PictureFormat.JPEG, RECIPE, full).body
    print(f"verify: {least_ms(lambda: verify(found, credentials.root), 10):.0f} ms with all marks,", end=" ")
    print(f"{least_ms(lambda: verify(encoded(picture, PictureFormat.JPEG).body), 5):.0f} ms with none")


if __name__ == "__main__":
    main()
