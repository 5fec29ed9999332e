import pytest

from models.engines.devices import PROVIDERS, Device, candidates, cuda_options
from models.engines.errors import EngineRefused

ALL = list(PROVIDERS.values())
CPU_ONLY = ["AzureExecutionProvider", "CPUExecutionProvider"]


def test_auto_prefers_tensorrt_then_cuda_then_the_cpu() -> None:
    assert [str(device) for device in candidates("auto", ALL)] == ["tensorrt:0", "cuda:0", "cpu"]


def test_auto_takes_only_what_is_installed() -> None:
    assert [str(device) for device in candidates("auto", CPU_ONLY)] == ["cpu"]


@pytest.mark.parametrize(
    ("wanted", "device"),
    [
        ("cpu", Device("cpu")),
        ("cuda", Device("cuda", 0)),
        ("cuda:1", Device("cuda", 1)),
        ("tensorrt:3", Device("tensorrt", 3)),
    ],
)
def test_an_explicit_device_is_the_only_candidate(wanted: str, device: Device) -> None:
    assert candidates(wanted, ALL) == (device,)


@pytest.mark.parametrize("wanted", ["cuda", "cuda:1", "tensorrt"])
def test_a_missing_provider_is_refused_with_the_extra_to_install(wanted: str) -> None:
    with pytest.raises(EngineRefused, match=r"personne\[gpu\]"):
        candidates(wanted, CPU_ONLY)


@pytest.mark.parametrize("wanted", ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0", "CPU"])
def test_a_name_that_is_no_device_is_refused_with_those_that_are(wanted: str) -> None:
    with pytest.raises(EngineRefused, match="use auto, cpu, cuda"):
        candidates(wanted, ALL)


def test_cuda_options_name_the_device() -> None:
    assert cuda_options(2)["device_id"] == "2"
