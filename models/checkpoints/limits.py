"""How much a checkpoint may ask for, and the account that is kept while one is read."""

from dataclasses import dataclass

from models.checkpoints.errors import CheckpointUnsafe

MEBIBYTE = 2**20


@dataclass(frozen=True)
class Limits:
    """Ceilings well above every published checkpoint, and well below what hurts a machine.

    The largest known files are 4 GB (StyleGAN-XL); one of 1024x1024 pixels has 1,500 tensors and 200,000 opcodes.
    objects: containers and what they hold, each as often as it is referred to. seconds: processor and wall-clock time
    of the reading, once its process has started. Its memory may grow to base_mebibytes (torch itself takes 180 of
    them) and memory_per_byte times the file.
    """

    file_bytes: int = 6 * 1024 * MEBIBYTE
    opcodes: int = 2_000_000
    objects: int = 5_000_000
    depth: int = 200
    tensors: int = 50_000
    entries: int = 50_000
    seconds: int = 600
    base_mebibytes: int = 1024
    memory_per_byte: int = 4

    def memory_bytes(self, file_bytes: int) -> int:
        """What the reading process may allocate for a file of that size."""
        return self.base_mebibytes * MEBIBYTE + self.memory_per_byte * file_bytes

    def result_bytes(self, file_bytes: int) -> int:
        """How large the tensors read from a file of that size may be."""
        return 2 * file_bytes + 16 * MEBIBYTE


class Account:
    """What one file has asked for so far. Every method raises CheckpointUnsafe past its limit."""

    def __init__(self, limits: Limits, file_bytes: int) -> None:
        self.limits, self.file_bytes = limits, file_bytes
        self.opcodes = self.tensors = self.tensor_bytes = 0

    def opcode(self) -> None:
        self.opcodes += 1
        if self.opcodes > self.limits.opcodes:
            raise CheckpointUnsafe(f"The file holds more than {self.limits.opcodes:,} pickle opcodes.")

    def tensor(self, declared_bytes: int) -> None:
        """A tensor of that many bytes is about to be made."""
        self.tensors += 1
        self.tensor_bytes += declared_bytes
        if self.tensors > self.limits.tensors:
            raise CheckpointUnsafe(f"The file holds more than {self.limits.tensors:,} tensors.")
        if self.tensor_bytes > self.limits.result_bytes(self.file_bytes):
            raise CheckpointUnsafe(
                f"The file declares {self.tensor_bytes:,} bytes of tensors, but is only {self.file_bytes:,} bytes long."
            )
