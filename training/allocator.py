"""The C library's allocator, told that the next step asks for the memory of the last one again."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
"""Of glibc's malloc.h."""
AT_ONCE = 256 * 2**20
"""Bytes by which the heap grows."""


def keep_freed_memory() -> bool:
    """Keep what is freed in this process instead of giving it back to the kernel. Whether the C library can: glibc.

    Large blocks are given back at once otherwise, and the kernel clears each page again when the next step takes it: up
    to a third of a step on a CPU goes into that (docs/decisions/0017). The process stays as large as it ever was.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    # -1: never. Nothing is mapped by itself, so that all of it can be had again.
    return mallopt is not None and all(
        (mallopt(M_MMAP_MAX, 0), mallopt(M_TRIM_THRESHOLD, -1), mallopt(M_TOP_PAD, AT_ONCE))
    )
