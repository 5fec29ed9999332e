"""Fixtures of all tests."""

pytest_plugins = ["tests.redis_server", "tests.served_model", "tests.tiny_model"]
