"""How much memory is left for pictures."""

from pathlib import Path

import psutil
import torch

CGROUP = Path("/sys/fs/cgroup")


def free_bytes(device: torch.device) -> int:
    """What this process may still take of the device's memory. Of the machine's, it is its share among its fellows."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    fellows = torch.distributed.get_world_size() if torch.distributed.is_initialized() else 1
    return min(int(psutil.virtual_memory().available), container_bytes(CGROUP)) // fellows


def container_bytes(cgroup: Path) -> int:
    """What a container's limit leaves, of which psutil knows nothing; without a limit, more than any machine has."""
    unlimited = 2**63
    try:
        limit = (cgroup / "memory.max").read_text(encoding="ascii").strip()
        used = int((cgroup / "memory.current").read_text(encoding="ascii"))
        facts = dict(line.split() for line in (cgroup / "memory.stat").read_text(encoding="ascii").splitlines())
    except (OSError, ValueError):
        return unlimited
    if limit == "max":
        return unlimited
    # The kernel gives up what it only keeps of files.
    return max(0, int(limit) - used + int(facts.get("inactive_file", 0)))
