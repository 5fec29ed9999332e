"""The C library's allocator, told that the next step asks for the memory of the last one again."""

import contextlib
import ctypes
import sys
from collections.abc import Iterator

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -2, -3, -4
"""Of glibc's malloc.h."""
AT_ONCE = 256 * 2**20
"""Bytes by which the heap grows."""
ITS_OWN = {M_MMAP_MAX: 65_536, M_MMAP_THRESHOLD: 128 * 2**10, M_TRIM_THRESHOLD: 128 * 2**10, M_TOP_PAD: 128 * 2**10}
"""What glibc begins with."""


@contextlib.contextmanager
def freed_memory_kept() -> Iterator[bool]:
    """Keep what is freed in this process instead of giving it back to the kernel. Whether the C library can: glibc.

    Large blocks are given back at once otherwise, and the kernel clears each page again when the next step takes it: up
    to a third of a step on a CPU goes into that (docs/decisions/0017). Meanwhile the process stays as large as it ever
    was; at the end it gives back what it can, for a process that trains may have other things to do afterwards.
    """
    libc = ctypes.CDLL(None) if sys.platform.startswith("linux") else None
    if libc is None or not hasattr(libc, "mallopt"):
        yield False
        return
    # -1: never. Nothing is mapped by itself, so that all of it can be had again.
    keeps = all((libc.mallopt(M_MMAP_MAX, 0), libc.mallopt(M_TRIM_THRESHOLD, -1), libc.mallopt(M_TOP_PAD, AT_ONCE)))
    try:
        yield keeps
    finally:
        for option, value in ITS_OWN.items():
            libc.mallopt(option, value)
        if hasattr(libc, "malloc_trim"):
            libc.malloc_trim(0)
