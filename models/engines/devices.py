"""Device names, and which ONNX Runtime provider stands behind each.

`auto` is the best that ONNX Runtime has; `cpu`, `cuda[:i]`, `tensorrt[:i]` are that and nothing else, and
`openvino[:bf16|:f32]` is the CPU by OpenVINO (see openvino_engine).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from models.engines.errors import EngineRefused

CPU_PROVIDER = "CPUExecutionProvider"
PROVIDERS = {"tensorrt": "TensorrtExecutionProvider", "cuda": "CUDAExecutionProvider", "cpu": CPU_PROVIDER}
"""In order of preference."""
OPENVINO = "openvino"
EXTRAS = {"tensorrt": "gpu", "cuda": "gpu", "cpu": "worker"}


@dataclass(frozen=True, slots=True)
class Device:
    """A kind (`cpu`, `cuda`, `tensorrt`) and which one of it."""

    kind: str
    index: int = 0

    def __str__(self) -> str:
        return self.kind if self.kind == "cpu" else f"{self.kind}:{self.index}"

    @property
    def provider(self) -> str:
        return PROVIDERS[self.kind]


def runs_on_cpu(device: str) -> bool:
    """Whether cores and memory are the machine's own: `cpu`, `openvino:bf16`, ..."""
    return device.partition(":")[0] in ("cpu", OPENVINO)


def candidates(wanted: str, available: Sequence[str]) -> tuple[Device, ...]:
    """The devices to try in turn. available: the providers of this ONNX Runtime.

    Raises EngineRefused for a name that is none, and for a device that this installation has no provider for.
    """
    if wanted == "auto":
        return tuple(Device(kind) for kind, provider in PROVIDERS.items() if provider in available)
    device = _parsed(wanted)
    if device.provider not in available:
        raise EngineRefused(
            f"Device {wanted!r} needs ONNX Runtime's {device.provider}, which is not in this installation; "
            f"install personne[{EXTRAS[device.kind]}] (it replaces the other runtime), or choose --device auto."
        )
    return (device,)


def _parsed(wanted: str) -> Device:
    kind, colon, index = wanted.partition(":")
    known = kind in PROVIDERS and (not colon or (kind != "cpu" and index.isdecimal()))
    if not known:
        raise EngineRefused(
            f"There is no device {wanted!r}; use auto, cpu, cuda, cuda:1, tensorrt, tensorrt:1, openvino, "
            "openvino:bf16 or openvino:f32."
        )
    return Device(kind, int(index or 0))


def cuda_options(index: int) -> dict[str, str]:
    """Options of the CUDA provider, by their documented names."""
    return {
        "device_id": str(index),
        # The default doubles the arena at each growth and never gives back: gigabytes after a few sizes.
        "arena_extend_strategy": "kSameAsRequested",
        # The slow search is affordable: every batch size is warmed before the worker says that it is ready.
        "cudnn_conv_algo_search": "EXHAUSTIVE",
        # TF32 keeps 10 bits of mantissa: a seed would differ from the CPU's picture by more than one level.
        "use_tf32": "0",
    }
