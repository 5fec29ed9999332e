"""Fixtures of all tests."""

import functools
import logging
import sys
from collections.abc import Iterator

import pytest

pytest_plugins = [
    "tests.redis_server",
    "tests.tiny_model",
    "tests.tiny_inverters",
    "tests.tiny_translator",
    "tests.served_model",
    "tests.webhook_listener",
]


@pytest.fixture(autouse=True)
def denormals_stay() -> Iterator[None]:
    """Training has the processor flush them, for as long as the process lives; what runs after it wants all floats."""
    yield
    if torch := sys.modules.get("torch"):
        torch.set_flush_denormal(False)


@pytest.fixture(autouse=True, scope="session")
def exporter_is_quick() -> None:
    """Hundreds of small exports in one process: what the exporter does anew for each is done once."""
    if "torch" not in sys.modules:
        return
    # Pytest listens to every logger that does not propagate, and this one draws whole graphs for whoever listens.
    logging.getLogger("torch.__trace").propagate = True
    from torch.onnx._internal.exporter._registration import ONNXRegistry

    # The table of what each operator becomes: half a second, and nothing of ours adds to it.
    ONNXRegistry.from_torchlib = staticmethod(functools.cache(ONNXRegistry.from_torchlib))  # type: ignore[method-assign,assignment]
