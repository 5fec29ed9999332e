"""Fixtures of all tests."""

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
