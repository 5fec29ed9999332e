"""Frames to moving pictures: WebP and GIF by Pillow, MP4 by PyAV where the extra `video` is installed."""

import io
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
from PIL import Image

from jobs.contract import AnimationFormat
from marks.animations import gif_with_xmp, mp4_with_xmp
from worker.errors import VideoMissing
from worker.pictures import Picture

WEBP_QUALITY, WEBP_METHOD = 85, 2
H264_QUALITY = "18"
"""Constant rate factor: lower is better, and 18 is said to be indistinguishable by eye."""


def check_writable(animation_format: AnimationFormat) -> None:
    """Raises VideoMissing."""
    if animation_format is AnimationFormat.MP4:
        _av()


def animation(
    frames: Sequence[Picture], animation_format: AnimationFormat, fps: int, *, loop: bool, xmp: bytes
) -> bytes:
    """The frames [R, R, 3] as one file, with that XMP packet (empty: none). loop: again and again, else once.

    Raises VideoMissing.
    """
    match animation_format:
        case AnimationFormat.WEBP:
            return _webp(frames, fps, loop=loop, xmp=xmp)
        case AnimationFormat.GIF:
            return gif_with_xmp(_gif(frames, fps, loop=loop), xmp)
        case AnimationFormat.MP4:
            return mp4_with_xmp(_mp4(frames, fps), xmp)


def _webp(frames: Sequence[Picture], fps: int, *, loop: bool, xmp: bytes) -> bytes:
    options: dict[str, Any] = {"quality": WEBP_QUALITY, "method": WEBP_METHOD, "loop": 0 if loop else 1}
    if xmp:
        options["xmp"] = xmp
    return _saved(frames, format="WEBP", duration=_durations_ms(len(frames), fps), **options)


def _gif(frames: Sequence[Picture], fps: int, *, loop: bool) -> bytes:
    # Each frame has colours of its own: one palette for all would band skin.
    options: dict[str, Any] = {"loop": 0} if loop else {}
    return _saved(frames, format="GIF", duration=_durations_ms(len(frames), fps, 10), disposal=1, **options)


def _saved(frames: Sequence[Picture], **options: Any) -> bytes:
    buffer = io.BytesIO()
    first, *rest = (Image.fromarray(frame) for frame in frames)
    first.save(buffer, save_all=True, append_images=rest, **options)
    return buffer.getvalue()


def _durations_ms(frames: int, fps: int, unit_ms: int = 1) -> list[int]:
    """Of each frame, in whole units, so that the whole lasts as long as it should."""
    ends = [unit_ms * round(1000 * end / fps / unit_ms) for end in range(frames + 1)]
    return [later - earlier for earlier, later in pairwise(ends)]


def _mp4(frames: Sequence[Picture], fps: int) -> bytes:
    """H.264, which plays everywhere; colour at half the resolution, as all players want it. Raises VideoMissing."""
    av = _av()
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4", options={"fflags": "+bitexact"}) as film:
        stream = film.add_stream("libx264", rate=Fraction(fps), options={"crf": H264_QUALITY, "threads": "1"})
        stream.height, stream.width = _even(frames[0]).shape[:2]
        stream.pix_fmt = "yuv420p"
        for packet in _packets(av, stream, map(_even, frames)):
            film.mux(packet)
    return buffer.getvalue()


def _av() -> Any:
    # Here, and not above: whoever wants no films needs none of its 35 MB.
    try:
        return import_module("av")
    except ImportError:
        raise VideoMissing from None


def _packets(av: Any, stream: Any, frames: Iterable[Picture]) -> Iterator[Any]:
    for frame in frames:
        yield from stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24"))
    yield from stream.encode(None)


def _even(frame: Picture) -> Picture:
    """With sides that two divides, which the halved colour needs: a last column and row are repeated."""
    height, width = frame.shape[:2]
    return frame if height % 2 == width % 2 == 0 else np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
